"""What a `dnf` step asks for, and what RPM calls the platforms."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from bic.errors import InputInvalid
from bic.oci.platform import Platform
from bic.spec.near import did_you_mean

_ARCHITECTURES = {
    "linux/386": "i686",
    "linux/amd64": "x86_64",
    "linux/arm/v7": "armv7hl",
    "linux/arm64": "aarch64",
    "linux/loong64": "loongarch64",
    "linux/ppc64le": "ppc64le",
    "linux/riscv64": "riscv64",
    "linux/s390x": "s390x",
}


@frozen
class DnfRequest:
    """Packages as the spec names them, and which upgrades of what is there come first ("safe": security)."""

    packages: tuple[str, ...]
    upgrade: Literal["none", "safe", "full"] = "none"


def architecture(platform: Platform) -> str:
    """RPM's word for a platform; `InputInvalid` where there is none."""
    found = _ARCHITECTURES.get(str(platform))
    if found is None:
        hint = did_you_mean(str(platform), _ARCHITECTURES)
        raise InputInvalid(f"no RPM distribution is made for the platform `{platform}`", hint=hint)
    return found
