"""Platforms, normalised as containerd does (image-spec 1.1, image-index.md, and Go's GOOS and GOARCH)."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

from attrs import field, frozen

from bic.errors import Malformed
from bic.oci.refusal import near, quote

SYSTEMS: Final = frozenset(
    {
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
        "zos",
    }
)

ARCHITECTURES: Final = frozenset(
    {
        "386",
        "amd64",
        "amd64p32",
        "arm",
        "arm64",
        "arm64be",
        "armbe",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "mipsle",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    }
)

_SYSTEM_ALIASES: Final = {"macos": "darwin"}

_ALIASES: Final[dict[str, tuple[str, str | None]]] = {
    "i386": ("386", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
"""Names that fix the variant whatever is written after them."""

_SPELLINGS: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}

_VARIANTS: Final[dict[tuple[str, str | None], str | None]] = {
    ("amd64", "v1"): None,
    ("arm64", "8"): None,
    ("arm64", "v8"): None,
    ("arm", None): "v7",
    ("arm", "5"): "v5",
    ("arm", "6"): "v6",
    ("arm", "7"): "v7",
    ("arm", "8"): "v8",
}

_MACHINES: Final = {
    "armv5tel": "arm/v5",
    "armv6l": "arm/v6",
    "armv7l": "arm/v7",
    "armv8l": "arm/v7",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "loongarch64": "loong64",
}
"""What the kernel calls a machine, where that is no spelling that `parse` knows."""

_VARIANT = re.compile(r"[a-z0-9][a-z0-9_.]*")


def _text(variant: str | None) -> str:
    return variant or ""


@frozen(order=True)
class Platform:
    """What an image runs on; ordered by system, architecture, variant."""

    os: str
    architecture: str
    variant: str | None = field(default=None, order=_text)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """The platform written as `linux/arm64` or `linux/arm/v7`, normalised; raises `Malformed`."""
        parts = text.lower().split("/")
        if not 2 <= len(parts) <= 3 or not all(parts):
            raise Malformed(
                f"a platform is not of the form OS/ARCHITECTURE[/VARIANT]: {quote(text)}",
                "write it as `linux/amd64`",
            )
        return cls.of(parts[0], parts[1], parts[2] if len(parts) == 3 else None)

    @classmethod
    def of(cls, os: str, architecture: str, variant: str | None = None) -> Platform:
        """The normalised platform of three names as a manifest or config has them; raises `Malformed`."""
        system = _SYSTEM_ALIASES.get(os.lower(), os.lower())
        if system not in SYSTEMS:
            raise Malformed(f"unknown operating system {quote(os)}", near(os, SYSTEMS))
        arch, refined = _normalise(architecture.lower(), variant.lower() if variant else None)
        if arch not in ARCHITECTURES:
            raise Malformed(f"unknown architecture {quote(architecture)}", _near_architecture(architecture))
        if refined is not None and not _VARIANT.fullmatch(refined):
            raise Malformed(f"a platform's variant has a character that is not allowed: {quote(refined)}")
        return cls(system, arch, refined)

    @classmethod
    def host(cls) -> Platform:
        """The platform of this machine; raises `Malformed` where it has no name known to OCI."""
        from os import uname

        here = uname()
        machine = here.machine.lower()
        return cls.parse(f"{here.sysname}/{_MACHINES.get(machine, machine)}")

    def __str__(self) -> str:
        return "/".join(self._parts())

    @property
    def slug(self) -> str:
        """The platform as part of a file name: `linux-arm-v7`."""
        return "-".join(self._parts())

    def matches(self, glob: str) -> bool:
        """Whether the platform's text matches the glob, case included; `*` also crosses slashes."""
        return fnmatchcase(str(self), glob)

    def _parts(self) -> tuple[str, ...]:
        head = (self.os, self.architecture)
        return (*head, self.variant) if self.variant else head


def _normalise(architecture: str, variant: str | None) -> tuple[str, str | None]:
    if architecture in _ALIASES:
        return _ALIASES[architecture]
    architecture = _SPELLINGS.get(architecture, architecture)
    return architecture, _VARIANTS.get((architecture, variant), variant)


def _near_architecture(name: str) -> str | None:
    return near(name, ARCHITECTURES.union(_ALIASES, _SPELLINGS))
