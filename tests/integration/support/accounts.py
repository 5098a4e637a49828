"""The accounts that tests run commands as: whoever runs the suite, and an ordinary user that it makes."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from .probes import PREFIX, ROOT, is_root, search_path

_SESSION = (
    "CI",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "TZ",
    "TMPDIR",
    "PYTHONPATH",
    "REGISTRY_AUTH_FILE",
    "SOURCE_DATE_EPOCH",
    "VIRTUAL_ENV",
)
_PREFIXES = ("XDG_", "BIC_", "BUILDAH_", "CONTAINERS_", "STORAGE_", "PYTEST_", "LC_", "GITHUB_", "GITLAB_")


@frozen
class Completed:
    """What a command left: `code` is its exit code, negative for a signal."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    def check(self) -> Completed:
        """Itself after exit 0; fails the test, with all output, after any other."""
        if self.code != 0:
            pytest.fail(
                f"{' '.join(self.argv)} exited {self.code}\n{self.stdout}\n{self.stderr}", pytrace=False
            )
        return self


@frozen
class Account:
    """A user of this machine; `bic` is the command line that this user can execute."""

    name: str
    uid: int
    gid: int
    home: Path
    bic: Path

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The caller's environment without what belongs to its session, with this user's home and `extra`."""
        kept = {k: v for k, v in os.environ.items() if k not in _SESSION and not k.startswith(_PREFIXES)}
        own = {"HOME": str(self.home), "USER": self.name, "LOGNAME": self.name, "PATH": search_path()}
        return {**kept, **own, **(extra or {})}

    def command(self, argv: Sequence[str]) -> list[str]:
        """`argv` in the form that makes the caller run it as this user."""
        if self.uid == os.geteuid():
            return list(argv)
        ids = ("--reuid", str(self.uid), "--regid", str(self.gid), "--init-groups")
        return ["setpriv", *ids, "--", *argv]

    def start(
        self, argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """The command, started in a process group of its own, for tests that interrupt or kill it."""
        return subprocess.Popen(
            self.command([str(word) for word in argv]),
            cwd=cwd,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def run(
        self,
        argv: Sequence[str | Path],
        cwd: Path = Path("/"),
        env: Mapping[str, str] | None = None,
        timeout: float = 900,
    ) -> Completed:
        """The finished command, whatever its exit code."""
        with self.start(argv, cwd, env) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return Completed(tuple(map(str, argv)), process.returncode, stdout, stderr)

    def own(self, path: Path) -> Path:
        """Gives a file or a tree to this user; the path itself."""
        if self.uid == os.geteuid():
            return path
        for entry in (path, *path.rglob("*")):
            os.chown(entry, self.uid, self.gid, follow_symlinks=False)
        return path


def current() -> Account:
    """Whoever runs the suite."""
    return _account(pwd.getpwuid(os.geteuid()).pw_name, ROOT / ".venv/bin/bic")


def ordinary() -> Account:
    """A user without rights who has ranges of ids: made when root runs the suite, else its caller.

    Skips with a name where the caller is not root and has no ranges.
    """
    tool = ROOT / "tools/builder-user.sh"
    name = _output(tool, "ensure")
    if not _has_range(name, Path("/etc/subuid")) or not _has_range(name, Path("/etc/subgid")):
        pytest.skip(f"{PREFIX}ranges of ids for {name}: run tools/setup.sh with sudo")
    bic = Path(_output(tool, "copy")) / ".venv/bin/bic" if is_root() else ROOT / ".venv/bin/bic"
    return _account(name, bic)


def _account(name: str, bic: Path) -> Account:
    entry = pwd.getpwnam(name)
    return Account(name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir), bic)


def _output(*argv: str | Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{argv} exited {done.returncode}: {done.stderr}")
    return done.stdout.strip()


def _has_range(name: str, file: Path) -> bool:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return False
    uid = str(pwd.getpwnam(name).pw_uid)
    rows = [line.split(":") for line in lines if line.count(":") == 2]
    return sum(int(count) for who, _, count in rows if who in (name, uid)) >= 65536
