"""The store of downloads: verified, by content, and never asked twice."""

import hashlib
from pathlib import Path

import pytest

from bic.errors import WorkFailed
from bic.lock.download import NotThere
from bic.lock.store import Store


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a").write_text("a")
    return tmp_path / "source"


def test_what_is_there_needs_no_network(tmp_path: Path, source: Path) -> None:
    store = Store(tmp_path / "store")
    address = f"file://{source}/a"
    assert store.fetch(address, sha256("a")).read_text() == "a"
    (source / "a").unlink()
    offline = Store(tmp_path / "store", offline=True)
    assert offline.fetch(address, sha256("a")).read_text() == "a"
    with pytest.raises(WorkFailed, match="nothing is fetched"):
        offline.fetch(address, sha256("b"))


def test_another_content_is_refused_by_both_hashes_and_not_kept(tmp_path: Path, source: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(WorkFailed, match=f"{sha256('a')}, expected {sha256('b')}"):
        store.fetch(f"file://{source}/a", sha256("b"))
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_a_damaged_file_is_fetched_again(tmp_path: Path, source: Path) -> None:
    store = Store(tmp_path / "store")
    path = store.fetch(f"file://{source}/a", sha256("a"))
    path.write_text("damaged")
    assert store.find(sha256("a")) is None
    assert store.fetch(f"file://{source}/a", sha256("a")).read_text() == "a"


def test_mirrors_stand_in_for_what_is_gone(tmp_path: Path, source: Path) -> None:
    gone = f"file://{tmp_path}/gone"
    store = Store(tmp_path / "store", mirrors=((gone, str(source)),))
    assert store.fetch(f"{gone}/a", sha256("a")).read_text() == "a"
    with pytest.raises(NotThere):
        Store(tmp_path / "other").fetch(f"{gone}/a", sha256("a"))


def test_vendored_copies_serve_offline(tmp_path: Path) -> None:
    copies = tmp_path / "vendor with space/sha256"
    copies.mkdir(parents=True)
    (copies / sha256("a")).write_text("a")
    store = Store(tmp_path / "store", vendored=(str(copies.parent),), offline=True)
    assert store.fetch("https://archive.example.com/a", sha256("a")).read_text() == "a"


def test_putting_a_file_somewhere_makes_it_that_content(tmp_path: Path, source: Path) -> None:
    store = Store(tmp_path / "store")
    store.fetch(f"file://{source}/a", sha256("a"))
    target = tmp_path / "x/y"
    target.parent.mkdir()
    target.write_text("something else")
    store.put(sha256("a"), target)
    assert target.read_text() == "a"
    assert [each.name for each in target.parent.iterdir()] == ["y"]
