"""The shell libraries run for real, under every shell of the machine, as somebody who may change owners."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import frozen

from bic.lower import shell as printer

SHELLS: dict[str, tuple[str, ...]] = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "busybox": ("busybox", "sh"),
}


def may_own() -> tuple[str, ...] | None:
    """What goes before a command that gives files away: nothing for root, else a user namespace."""
    if os.geteuid() == 0:
        return ()
    words = ("unshare", "--map-root-user", "--map-auto")
    tried = shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried and tried.returncode == 0 else None


@frozen
class Tree:
    """A root file system in a temporary folder, and a shell that changes it by the functions of tree.sh."""

    shell: tuple[str, ...]
    root: Path

    def run(self, *calls: Sequence[str], check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.script("\n".join(shlex.join(call) for call in calls), check=check)

    def script(self, text: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        lines = ["set -eu", "umask 022", printer.library("tree.sh"), f"R={shlex.quote(str(self.root))}", text]
        done = subprocess.run(
            [*(may_own() or ()), *self.shell, "-c", "\n".join(lines)],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def fails(self, *calls: Sequence[str]) -> str:
        """The message of calls that must fail with bic's own words."""
        done = self.run(*calls, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("bic: "), done.stderr
        return done.stderr.removeprefix("bic: ").rstrip("\n")

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def write(self, name: str, text: str = "", mode: int = 0o644) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def link(self, name: str, target: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        return path

    def names(self, name: str) -> list[str]:
        return sorted(path.name for path in self.path(name).iterdir())

    def owner(self, name: str) -> tuple[int, int]:
        status = self.path(name).lstat()
        return status.st_uid, status.st_gid

    def mode(self, name: str) -> str:
        return f"{self.path(name).lstat().st_mode & 0o7777:04o}"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    words = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        pytest.skip(f"lacks {request.param}: another shell to run the functions in")
    return words


@pytest.fixture
def tree(tmp_path: Path, shell: tuple[str, ...]) -> Tree:
    if may_own() is None:
        pytest.skip("lacks root or a user namespace: files cannot be given away")
    root = tmp_path / "root"
    root.mkdir(mode=0o755)
    return Tree(shell, root)
