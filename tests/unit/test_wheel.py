"""What is installed: the package and nothing beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel, built by the pinned hatchling without isolation or network."""
    target = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = target.glob("*.whl")
    return zipfile.Path(file)


def _names(wheel: zipfile.Path) -> set[str]:
    return {name for name in wheel.root.namelist() if not name.endswith("/")}


def test_the_wheel_holds_exactly_the_package(wheel: zipfile.Path) -> None:
    listed = {name for name in _names(wheel) if ".dist-info/" not in name}
    sources = ROOT / "compiler/bic"
    expected = {
        f"bic/{path.relative_to(sources).as_posix()}"
        for path in sources.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert listed == expected


def test_the_wheel_has_one_import_package(wheel: zipfile.Path) -> None:
    tops = {PurePosixPath(name).parts[0] for name in _names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bic"}


def test_the_wheel_brings_licence_and_command(wheel: zipfile.Path) -> None:
    names = _names(wheel)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    (points,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "bic = bic.cli.main:main" in wheel.root.read(points).decode()
