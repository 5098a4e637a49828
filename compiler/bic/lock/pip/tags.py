"""The tags of the wheels that a target can install, best first; the order is pip's."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.tags import Tag, compatible_tags, cpython_tags

from bic.lock.pip.model import Target

LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""Aliases of manylinux tags (PEP 600)."""

OLDEST_GLIBC = {"x86_64": 5, "i686": 5}
OLDEST_ELSEWHERE = 17


def tags(target: Target) -> tuple[Tag, ...]:
    """Every tag of the target, best first: CPython's own, the stable ABI's, then those of any Python."""
    version = target.version
    abi = f"cp{version[0]}{version[1]}" + ("m" if version < (3, 8) else "")
    there = tuple(platforms(target))
    own = cpython_tags(version, (abi,), there)
    any_python = compatible_tags(version, f"cp{version[0]}{version[1]}", there)
    return tuple(dict.fromkeys((*own, *any_python)))


def platforms(target: Target) -> Iterator[str]:
    """The platform parts of tags, newest C library first, the one that promises nothing last."""
    kind, major, minor = target.c_library
    machine = target.machine
    if kind == "musl":
        yield from (f"musllinux_{major}_{each}_{machine}" for each in range(minor, -1, -1))
    elif machine != "armv6l":
        yield from _manylinux(major, minor, machine)
    yield f"linux_{machine}"


def _manylinux(major: int, minor: int, machine: str) -> Iterator[str]:
    for each in range(minor, OLDEST_GLIBC.get(machine, OLDEST_ELSEWHERE) - 1, -1):
        yield f"manylinux_{major}_{each}_{machine}"
        if (major, each) in LEGACY:
            yield f"{LEGACY[major, each]}_{machine}"
