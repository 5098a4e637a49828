"""Asking uv which versions serve: a resolution for the target, whatever the host is; nothing is built.

Effects: starts uv, which asks package indexes and keeps what it heard below the cache folder.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from bic.lock.pip import pylock
from bic.lock.pip.asked import Asked
from bic.lock.pip.failures import explained
from bic.lock.pip.indexes import Indexes
from bic.lock.pip.model import Target
from bic.process import Command, Completed, ProcessFailed

Runner = Callable[[Command], Completed]
"""`process.run`, perhaps with its options bound."""

MANYLINUX: Final = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
"""The glibc 2.x that uv knows platforms of."""

INPUT = "requirements.txt"
PROJECT = "pyproject.toml"


@frozen
class Uv:
    """uv as it is asked here: its cache, the indexes, whether the network may be used."""

    cache: Path
    indexes: Indexes
    offline: bool
    runner: Runner

    def resolve(self, asked: Asked, target: Target, preferences: str) -> str:
        """The text of uv's lock; `InputInvalid` where nothing fits, `WorkFailed` where nobody answers."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="resolve-", dir=self.cache) as name:
            folder = Path(name)
            _write(folder / INPUT, "".join(f"{line}\n" for line in asked.lines))
            _write(folder / pylock.NAME, preferences)
            # Also where it says nothing: uv looks for one in all folders above.
            _write(folder / PROJECT, _project(target))
            command = self._command(asked, target, folder)
            try:
                self.runner(command)
            except ProcessFailed as error:
                raise explained(error.completed.stderr_tail, target, self.indexes) from error
            return (folder / pylock.NAME).read_text(encoding="utf-8")

    def _command(self, asked: Asked, target: Target, folder: Path) -> Command:
        argv = (
            *(program(), "pip", "compile", INPUT, "--output-file", pylock.NAME, "--format", "pylock.toml"),
            *("--python-version", target.python, *_platform(target), "--python", sys.executable),
            *("--only-binary", ":all:", "--no-header", "--no-python-downloads"),
            *("--cache-dir", str(self.cache / "uv"), "--color", "never", "--no-progress"),
            *(("--prerelease", "allow") if asked.prereleases else ()),
            *(("--offline",) if self.offline else ()),
        )
        secrets = self.indexes.secrets
        return Command(argv, env=self.indexes.variables, cwd=str(folder), secrets=secrets)


def program() -> str:
    """The uv that was installed with bic, else the one on PATH."""
    try:
        from uv import find_uv_bin  # only for locking

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        return "uv"


def triple(target: Target) -> str | None:
    """uv's name of a platform that it knows wheels' tags of; None for others."""
    kind, major, minor = target.c_library
    known = max((each for each in MANYLINUX if each <= minor), default=MANYLINUX[0])
    match target.machine, kind:
        case ("x86_64" | "aarch64") as machine, "glibc" if major == 2:
            return f"{machine}-manylinux_2_{known}"
        case ("x86_64" | "aarch64") as machine, "musl":
            return f"{machine}-unknown-linux-musl"
        case _:
            return None


def _platform(target: Target) -> Iterator[str]:
    name = triple(target)
    yield from ("--python-platform", name) if name is not None else ("--universal",)


def _project(target: Target) -> str:
    """For platforms that uv has no name for: a resolution for all, narrowed down to this one by markers."""
    import tomli_w  # only for writing

    if triple(target) is not None:
        return tomli_w.dumps({"tool": {"uv": {}}})
    there = pylock.environment(target)
    wanted = ("sys_platform", "platform_machine", "implementation_name", "python_version")
    marker = " and ".join(f"{name} == '{there[name]}'" for name in wanted)
    return tomli_w.dumps({"tool": {"uv": {"environments": [marker], "required-environments": [marker]}}})


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
