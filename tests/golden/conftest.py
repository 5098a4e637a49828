"""A workspace of small specs that use much of the language, compiled as the command line does it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

HERE = Path(__file__).parent
SPECS = ("debian", "static", "locked", "child")
Bic = Callable[..., subprocess.CompletedProcess[str]]


class TextFile(SingleFileSnapshotExtension):
    """One golden a file, as plain text: what the user would see in it."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFile)


def _bic(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "bic", *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def _copy(place: Path) -> Path:
    return Path(shutil.copytree(HERE / "workspace", place / "workspace", symlinks=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of tests/golden/workspace."""
    return _copy(tmp_path)


@pytest.fixture
def bic(folder: Path) -> Bic:
    """Runs `bic` as a process in the workspace."""
    return functools.partial(_bic, folder)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """out/build of such a copy, all sound specs compiled."""
    folder = _copy(tmp_path_factory.mktemp("golden"))
    done = _bic(folder, "compile", "--locked", *SPECS)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "out/build"
