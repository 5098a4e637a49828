"""A workspace of small specs that use much of the language, compiled as the command line does it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

HERE = Path(__file__).parent
Bic = Callable[..., subprocess.CompletedProcess[str]]


class TextFile(SingleFileSnapshotExtension):
    """One golden a file, as plain text: what the user would see in it."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFile)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of tests/golden/workspace."""
    shutil.copytree(HERE / "workspace", tmp_path / "workspace", symlinks=True)
    return tmp_path / "workspace"


@pytest.fixture
def bic(folder: Path) -> Bic:
    """Runs `bic` as a process in the workspace."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "bic", *arguments]
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)

    return run
