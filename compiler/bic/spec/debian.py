"""Debian's names of architectures, which platforms it has packages for, and where its archives are."""

from __future__ import annotations

from collections.abc import Iterable

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


ARCHIVE = "http://deb.debian.org/debian"
SECURITY = "http://security.debian.org/debian-security"
ROLLING = ("sid", "unstable", "experimental")
"""Suites without updates and security archives of their own."""


def sources(suite: str, components: Iterable[str], mirror: str | None) -> str:
    """The sources.list of a bootstrapped base: the mirror's suite alone, else Debian's with its updates.

    The lines that mmdebstrap 1.3 writes for the same arguments.
    """
    kinds = " ".join(components)
    if mirror is not None or suite in ROLLING:
        return f"deb {mirror or ARCHIVE} {suite} {kinds}\n"
    return (
        f"deb {ARCHIVE} {suite} {kinds}\n"
        f"deb {ARCHIVE} {suite}-updates {kinds}\n"
        f"deb {SECURITY} {suite}-security {kinds}\n"
    )
