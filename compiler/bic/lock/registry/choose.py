"""Which tool asks registries: crane where it is, else skopeo."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from bic.errors import Fault, HostLacking, InputInvalid
from bic.lock.registry.protocol import Registry
from bic.lock.registry.with_crane import Crane
from bic.lock.registry.with_skopeo import Skopeo
from bic.process import Cancel, environment
from bic.process.packages import how_to_get

TOOLS: dict[str, Callable[[Cancel | None], Registry]] = {"crane": Crane, "skopeo": Skopeo}
"""In the order of preference."""


def choose(tool: str | None = None, cancel: Cancel | None = None) -> Registry:
    """The named tool, or by default the first of `TOOLS` on PATH; raises `HostLacking` where none is."""
    if tool is not None and tool not in TOOLS:
        raise InputInvalid(f"registries are asked through {' or '.join(TOOLS)}, not through `{tool}`")
    wanted = (tool,) if tool is not None else tuple(TOOLS)
    found = next((name for name in wanted if is_there(name)), None)
    if found is None:
        raise _missing(wanted)
    return TOOLS[found](cancel)


def is_there(tool: str) -> bool:
    return shutil.which(tool, path=environment()["PATH"]) is not None


def _missing(wanted: tuple[str, ...]) -> HostLacking:
    if len(wanted) == 1:
        return HostLacking(f"the program is not installed: `{wanted[0]}`", hint=how_to_get(wanted[0]))
    message = f"nothing to ask registries with: neither {' nor '.join(f'`{each}`' for each in wanted)}"
    return HostLacking(Fault(message, hint=how_to_get("skopeo")))
