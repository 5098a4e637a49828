"""Which C library an image has, and its version, from what is installed or from the library itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from bic.errors import InputInvalid
from bic.lock.pip.model import MACHINES
from bic.oci.platform import Platform


class Files(Protocol):
    """The files of an image; paths are absolute, and links on the way are followed within the image."""

    def read(self, path: str) -> bytes | None:
        """What the file holds; None where there is no file."""

    def link(self, path: str) -> str | None:
        """The target of the symbolic link at the path, as it is written; None where there is none."""


PACKAGES: Final = (("libc6", "glibc"), ("musl", "musl"), ("glibc", "glibc"))
"""Packages of Debian, Alpine and Red Hat, in the order that tells whose image it is.

Debian has a `musl` too, and on Alpine some install a `glibc`.
"""

_MULTIARCH: Final = {
    "i686": "i386-linux-gnu",
    "armv7l": "arm-linux-gnueabihf",
    "armv6l": "arm-linux-gnueabihf",
}
_LOADER: Final = {"i686": "i386", "armv7l": "armhf", "armv6l": "armhf"}

_GLIBC: Final = re.compile(rb"GNU C Library \([^)]*\) (?:stable|development) release version (\d+\.\d+)")
_MUSL: Final = re.compile(rb"\x00(1\.\d+)\.\d+(?:[-_][^\x00]*)?\x00")
_VERSION: Final = re.compile(r"(?:\d+:)?(\d+\.\d+)")


def libc(files: Files, packages: Mapping[str, str], platform: Platform) -> str:
    """Such as `glibc 2.36`; `InputInvalid` where nothing tells."""
    for name, kind in PACKAGES:
        if found := _VERSION.match(packages.get(name, "")):
            return f"{kind} {found[1]}"
    machine = MACHINES.get(str(platform), "")
    if version := _within(files, _glibc_paths(machine), _GLIBC):
        return f"glibc {version}"
    if version := _within(files, (f"/lib/ld-musl-{_LOADER.get(machine, machine)}.so.1",), _MUSL):
        return f"musl {version}"
    hint = "build on a base with libc6, musl or glibc; wheels for other C libraries do not exist"
    raise InputInvalid(f"the C library of the image for `{platform}` is not known", hint=hint)


def _glibc_paths(machine: str) -> tuple[str, ...]:
    folders = (f"/lib/{_MULTIARCH.get(machine, f'{machine}-linux-gnu')}", "/lib64", "/lib")
    return tuple(f"{folder}/libc.so.6" for folder in folders)


def _within(files: Files, paths: tuple[str, ...], pattern: re.Pattern[bytes]) -> str | None:
    for path in paths:
        content = files.read(path)
        if content is not None and (found := pattern.search(content)):
            return found[1].decode()
    return None
