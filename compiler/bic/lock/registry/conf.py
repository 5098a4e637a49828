"""The registries.conf files that hold here, read as skopeo reads them.

Effects: reads files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import tomli

from bic.errors import HostLacking, Malformed
from bic.lock.registry.mirrors import Rule, merged, rules

SYSTEM = Path("/etc/containers")
NAME = "registries.conf"


def load(environment: Mapping[str, str], system: Path = SYSTEM) -> tuple[Rule, ...]:
    """All rules: of one main file, then of the drop-ins, which come in place of those before them."""
    return merged(*map(_read, _files(environment, system)))


def _files(environment: Mapping[str, str], system: Path) -> Iterator[Path]:
    user = Path(environment.get("HOME") or "/nonexistent") / ".config/containers"
    if chosen := environment.get("CONTAINERS_REGISTRIES_CONF"):
        yield Path(chosen)
    else:
        yield from [folder / NAME for folder in (user, system) if (folder / NAME).is_file()][:1]
    for folder in (system, user):
        yield from sorted((folder / f"{NAME}.d").glob("*.conf"))


def _read(path: Path) -> tuple[Rule, ...]:
    try:
        return rules(tomli.loads(path.read_text(encoding="utf-8")))
    except Malformed as error:
        raise HostLacking(f"`{path}` cannot be used: {error.message}", hint=error.hint) from error
    except (OSError, ValueError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else str(error)
        raise HostLacking(f"`{path}` cannot be read: {reason}") from error
