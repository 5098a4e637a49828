"""What is asked of the resolver: requirements, and the Python that they are for."""

from __future__ import annotations

import re
from typing import Final, Literal

from attrs import Attribute, field, frozen

from bic.errors import Malformed
from bic.oci.platform import Platform
from bic.oci.refusal import quote

_PYTHON: Final = re.compile(r"3\.\d+(\.\d+)?")
_LIBC: Final = re.compile(r"(glibc|musl) (\d+)\.(\d+)")

MACHINES: Final = {
    "linux/386": "i686",
    "linux/amd64": "x86_64",
    "linux/arm/v6": "armv6l",
    "linux/arm/v7": "armv7l",
    "linux/arm/v8": "armv7l",
    "linux/arm64": "aarch64",
    "linux/loong64": "loongarch64",
    "linux/ppc64le": "ppc64le",
    "linux/riscv64": "riscv64",
    "linux/s390x": "s390x",
}
"""What Python calls the machine of a platform, and the last word of wheels' tags."""


def _python(_: object, __: Attribute[str], value: str) -> None:
    if not _PYTHON.fullmatch(value):
        raise Malformed(f"not a version of Python 3: {quote(value)}", "write it as `3.11` or `3.11.2`")


def _libc(_: object, __: Attribute[str], value: str) -> None:
    if not _LIBC.fullmatch(value):
        raise Malformed(f"not a C library with its version: {quote(value)}", "`glibc 2.36`, `musl 1.2`")


def _known(_: object, __: Attribute[Platform], value: Platform) -> None:
    base = Platform(value.os, value.architecture)
    if str(value) not in MACHINES and (value.architecture == "arm" or str(base) not in MACHINES):
        raise Malformed(f"there are no wheels for the platform {quote(str(value))}")


@frozen
class Target:
    """A CPython on a platform: its version, with the patch where it is known, and the C library's.

    `python` is such as "3.11" or "3.11.2"; `libc` such as "glibc 2.36" or "musl 1.2".
    """

    python: str = field(validator=_python)
    libc: str = field(validator=_libc)
    platform: Platform = field(validator=_known)

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of Python."""
        major, minor, *_ = self.python.split(".")
        return int(major), int(minor)

    @property
    def c_library(self) -> tuple[Literal["glibc", "musl"], int, int]:
        kind, version = self.libc.split(" ")
        major, minor = version.split(".")
        return "musl" if kind == "musl" else "glibc", int(major), int(minor)

    @property
    def machine(self) -> str:
        """What `platform.machine()` says there, as wheels' tags have it."""
        base = str(Platform(self.platform.os, self.platform.architecture))
        return MACHINES.get(str(self.platform)) or MACHINES[base]

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform} ({self.libc})"


@frozen
class RequirementsFile:
    """A requirements file: its name, for people, and its text."""

    name: str
    text: str


@frozen
class Request:
    """What a `pip` step asks for: requirement specifiers, a requirements file, or both."""

    packages: tuple[str, ...] = ()
    file: RequirementsFile | None = None
