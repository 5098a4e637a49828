"""Debian's names of architectures, and which platforms it has packages for."""

from __future__ import annotations

from bic.oci.platform import Platform

ARCHITECTURES = {
    "386": "i386",
    "amd64": "amd64",
    "arm/v5": "armel",
    "arm/v6": "armel",
    "arm/v7": "armhf",
    "arm64": "arm64",
    "loong64": "loong64",
    "mips64le": "mips64el",
    "ppc64le": "ppc64el",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
"""Debian's names by OCI's; a variant that is not listed runs the packages of its architecture."""


def architecture(platform: Platform) -> str | None:
    """What Debian calls a platform; None where it has no packages for it."""
    if platform.os != "linux":
        return None
    exact = ARCHITECTURES.get(f"{platform.architecture}/{platform.variant}")
    return exact or ARCHITECTURES.get(platform.architecture)
