"""Where the engine keeps things: its own container store, built images, and what package managers cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen


@frozen
class Places:
    """`state` is lost without harm but time; `cache` likewise. Both belong to one user."""

    state: Path
    cache: Path

    @property
    def images(self) -> Path:
        """One OCI layout for each image and platform built so far, by the digest of its definition."""
        return self.state / "images"

    @property
    def runs(self) -> Path:
        """One folder for each run of the engine that lives, and those that died."""
        return self.state / "runs"

    def storage(self, driver: str) -> Path:
        """The container store; drivers do not share one."""
        return self.state / f"storage-{driver}"

    @property
    def packages(self) -> Path:
        return self.cache / "packages"


def places(env: Mapping[str, str]) -> Places:
    """By the XDG base directory specification, or all below BIC_HOME."""
    home = Path(env.get("HOME") or "/root")
    if env.get("BIC_HOME"):
        base = Path(env["BIC_HOME"]).absolute()
        return Places(base / "state", base / "cache")
    state = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "bic"
    cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "bic"
    return Places(state, cache)
