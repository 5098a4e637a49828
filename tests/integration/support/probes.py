"""Named probes: what a test needs of this machine, and what to say when it is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

PREFIX = "lacks "
ROOT = Path(__file__).resolve().parents[3]


@frozen
class Probe:
    """`test` is true where the machine has what the name says; `advice` is how to get it."""

    name: str
    test: Callable[[], bool]
    advice: str

    def require(self) -> None:
        """Skips the calling test, with the probe's name, where the machine lacks it."""
        if not self.test():
            pytest.skip(f"{PREFIX}{self.name}: {self.advice}")


def search_path() -> str:
    """PATH with the tools that the set-up put into the checkout, and with the administrator's programs."""
    own = (ROOT / ".venv/bin", ROOT / ".tools/bin")
    return os.pathsep.join([*map(str, own), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def which(name: str) -> str | None:
    return shutil.which(name, path=search_path())


def tool(name: str) -> Probe:
    return Probe(name, lambda: which(name) is not None, f"run tools/setup.sh, or install `{name}`")


def program(name: str) -> str:
    """The full path of a tool; skips by its name where it is not installed."""
    tool(name).require()
    found = which(name)
    assert found is not None
    return found


def is_root() -> bool:
    return os.geteuid() == 0


ROOT_RIGHTS = Probe("root", is_root, "run the suite as root to have this tested")

DEV_FUSE = Probe(
    "/dev/fuse for its user",
    lambda: os.access("/dev/fuse", os.R_OK | os.W_OK),
    "make the device readable and writable",
)
DEV_FUSE_FOR_ALL = Probe(
    "/dev/fuse for everybody",
    lambda: Path("/dev/fuse").exists() and Path("/dev/fuse").stat().st_mode & 0o006 == 0o006,
    "make the device readable and writable for ordinary users",
)

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


def runs_platform(platform: str) -> bool:
    """Whether programs of the platform run here, also inside a container that holds no emulator (flag F)."""
    return runs_machine(_MACHINES[platform])


def runs_machine(machine: str) -> bool:
    """The same by the kernel's name of the machine."""
    if os.uname().machine == machine:
        return True
    try:
        text = (_BINFMT / f"qemu-{machine}").read_text()
    except OSError:
        return False
    lines = text.splitlines()
    return "enabled" in lines and any(line.startswith("flags:") and "F" in line for line in lines)


def platform(name: str) -> Probe:
    advice = "run tools/setup.sh as root: it mounts binfmt_misc and enables qemu-user"
    return Probe(f"programs of {name}", lambda: runs_platform(name), advice)


def _namespaces() -> bool:
    argv = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


USER_NAMESPACES = Probe(
    "user namespaces", _namespaces, "let ordinary users make them (sysctl user.max_user_namespaces, AppArmor)"
)
