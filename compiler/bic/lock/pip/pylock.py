"""The standard lock of Python packages (PEP 751), as far as uv and bic tell each other by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tomli
from attrs import frozen
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from bic.errors import WorkFailed
from bic.lock.model import PackagePin
from bic.lock.pip.model import Target
from bic.lock.pip.wheel import Wheel

NAME = "pylock.toml"


@frozen
class Package:
    """One package of a resolution, and the wheels that its index offers of that version."""

    name: str
    version: str
    wheels: tuple[Wheel, ...]
    unchecked: bool = False
    """Whether the index offers a wheel without its sha256."""


def preferences(pins: Iterable[PackagePin]) -> str:
    """A lock that says no more than which versions are preferred."""
    import tomli_w  # only for writing

    ordered = sorted(pins, key=lambda pin: pin.name)
    tables = [{"name": pin.name, "version": pin.version} for pin in ordered]
    return tomli_w.dumps({"lock-version": "1.0", "created-by": "bic", "packages": tables})


def packages(text: str, target: Target) -> tuple[Package, ...]:
    """The packages of a lock whose markers hold for the target, in the lock's order."""
    tables = tomli.loads(text).get("packages", [])
    there = environment(target)
    return tuple(_package(each) for each in tables if _holds(each, there))


def environment(target: Target) -> dict[str, str]:
    """What markers are evaluated against: the target's values, none of the host's."""
    full = target.python if target.python.count(".") == 2 else f"{target.python}.0"
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": ".".join(full.split(".")[:2]),
        "sys_platform": "linux",
    }


def _holds(table: dict[str, Any], there: dict[str, str]) -> bool:
    marker = table.get("marker")
    return marker is None or Marker(marker).evaluate({**there, "extra": ""})


def _package(table: dict[str, Any]) -> Package:
    name = canonicalize_name(table["name"])
    if "version" not in table:
        raise WorkFailed(f"uv found `{name}` elsewhere than in an index")
    wheels = tuple(_wheels(table))
    return Package(name, table["version"], wheels, len(wheels) < len(table.get("wheels", [])))


def _wheels(table: dict[str, Any]) -> Iterator[Wheel]:
    for each in table.get("wheels", []):
        sha256 = each.get("hashes", {}).get("sha256")
        if sha256 is not None and "url" in each:
            yield Wheel(each["url"], sha256.lower(), each.get("size"))
