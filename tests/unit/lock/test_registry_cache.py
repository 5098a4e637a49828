"""What is remembered of registries: by digest for ever, by tag for a while, and never what is damaged."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from attrs import define, field

from bic.errors import WorkFailed
from bic.lock.registry import Answers, Remembering
from bic.lock.registry.protocol import Registry
from bic.oci.config import ImageConfig
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.manifest import Manifest
from bic.oci.media_types import OCI_CONFIG
from bic.oci.reference import Reference

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
MANIFEST = Manifest(Descriptor.of(CONFIG, OCI_CONFIG), ()).to_bytes()
TAG = Reference.parse("a.b/c:1")
EXACT = TAG.with_digest(Digest.of(MANIFEST))


@define
class Counting:
    """A registry of one image that counts what it is asked, and can be switched off."""

    manifest: bytes = MANIFEST
    tag_list: tuple[str, ...] = ("1", "2")
    down: bool = False
    asked: list[str] = field(factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise WorkFailed("the registry is down")

    def raw(self, reference: Reference) -> bytes:
        self._ask("raw")
        return self.manifest

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        raise AssertionError("a cache asks for bytes")

    def raw_config(self, reference: Reference) -> bytes:
        self._ask("raw_config")
        return CONFIG

    def config(self, reference: Reference) -> ImageConfig:
        raise AssertionError("a cache asks for bytes")

    def digest(self, reference: Reference) -> Digest:
        self._ask("digest")
        return Digest.of(self.manifest)

    def tags(self, repository: Reference) -> tuple[str, ...]:
        self._ask("tags")
        return self.tag_list

    def pull(self, reference: Reference, layout: Path) -> None:
        self._ask("pull")


@define
class Now:
    at: float = 1e9

    def __call__(self) -> float:
        return self.at


def behind(
    registry: Registry, folder: Path, now: Now, max_age: float = 60, refresh: bool = False
) -> Remembering:
    return Remembering(registry, Answers(folder / "cache"), max_age, refresh, now)


def test_what_has_a_digest_is_asked_for_once_and_for_all(tmp_path: Path) -> None:
    registry, now = Counting(), Now()
    for _ in range(3):
        cached = behind(registry, tmp_path, now, max_age=0, refresh=True)
        assert cached.document(EXACT) == (EXACT.digest, Manifest.parse(MANIFEST))
        assert cached.config(EXACT) == ImageConfig.parse(CONFIG)
        now.at += 1e7
    assert registry.asked == ["raw", "raw_config"]


def test_a_tag_is_remembered_until_it_is_too_old(tmp_path: Path) -> None:
    registry, now = Counting(), Now()
    cached = behind(registry, tmp_path, now)
    first = cached.document(TAG)
    now.at += 59
    assert cached.document(TAG) == first
    assert cached.digest(TAG) == first[0]
    assert registry.asked == ["raw"]
    now.at += 1
    cached.document(TAG)
    assert registry.asked == ["raw", "raw"]


def test_the_list_of_tags_is_remembered_for_the_repository(tmp_path: Path) -> None:
    registry = Counting()
    cached = behind(registry, tmp_path, Now())
    assert cached.tags(TAG) == cached.tags(TAG.with_tag("9")) == cached.tags(EXACT) == ("1", "2")
    assert registry.asked == ["tags"]
    assert cached.tags(Reference.parse("a.b/d")) == ("1", "2")
    assert registry.asked == ["tags", "tags"]


def test_refresh_asks_again_and_remembers_the_answer(tmp_path: Path) -> None:
    registry, now = Counting(), Now()
    behind(registry, tmp_path, now).tags(TAG)
    registry.tag_list = ("3",)
    assert behind(registry, tmp_path, now).tags(TAG) == ("1", "2")
    assert behind(registry, tmp_path, now, refresh=True).tags(TAG) == ("3",)
    assert behind(registry, tmp_path, now).tags(TAG) == ("3",)


def test_a_moved_tag_is_seen_once_its_answer_is_too_old(tmp_path: Path) -> None:
    registry, now = Counting(), Now()
    cached = behind(registry, tmp_path, now)
    cached.document(TAG)
    registry.manifest = Manifest(Descriptor.of(CONFIG, OCI_CONFIG), (), annotations=(("a", "b"),)).to_bytes()
    now.at += 61
    assert cached.document(TAG)[0] == cached.digest(TAG) == Digest.of(registry.manifest)


def test_only_readers_that_say_so_get_a_stale_answer_and_its_age(tmp_path: Path) -> None:
    registry, now = Counting(), Now()
    cached = behind(registry, tmp_path, now)
    cached.tags(TAG)
    cached.digest(TAG)
    now.at += 300
    registry.down = True
    for ask in (cached.tags, cached.digest, cached.document):
        with pytest.raises(WorkFailed, match="the registry is down"):
            ask(TAG)
    tags, digest = cached.listed(TAG, stale_if_error=True), cached.latest(TAG, stale_if_error=True)
    assert (tags.value, tags.age_s, digest.value, digest.age_s) == (("1", "2"), 300, EXACT.digest, 300)
    assert str(tags.failure) == str(digest.failure) == "the registry is down"


def test_a_fresh_answer_carries_no_failure(tmp_path: Path) -> None:
    now = Now()
    cached = behind(Counting(), tmp_path, now)
    assert (cached.listed(TAG).age_s, cached.listed(TAG).failure) == (0, None)
    now.at += 5
    assert cached.listed(TAG, stale_if_error=True).age_s == 5


def test_with_nothing_remembered_a_failure_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed):
        behind(Counting(down=True), tmp_path, Now()).listed(TAG, stale_if_error=True)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff" * 9, MANIFEST[:-1]])
def test_damaged_entries_are_asked_for_again_and_mended(tmp_path: Path, damage: bytes) -> None:
    registry, now = Counting(), Now()
    cached = behind(registry, tmp_path, now)
    cached.config(EXACT)
    cached.tags(TAG)
    cached.digest(TAG)
    entries = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(entries) == 4
    for path in entries:
        path.write_bytes(damage)
    registry.asked.clear()
    for _ in range(2):
        assert cached.config(EXACT) == ImageConfig.parse(CONFIG)
        assert cached.tags(TAG) == ("1", "2")
        assert cached.digest(TAG) == EXACT.digest
    assert sorted(registry.asked) == ["digest", "raw", "raw_config", "tags"]


@pytest.mark.parametrize("texts", [["x"], [], ["sha256:" + "f" * 64] * 2, [1], "ab"])
def test_an_answer_of_the_wrong_kind_is_none(tmp_path: Path, texts: object) -> None:
    registry = Counting()
    cached = behind(registry, tmp_path, Now())
    cached.digest(TAG)
    (entry,) = (tmp_path / "cache/answers").iterdir()
    entry.write_text(json.dumps({**json.loads(entry.read_text()), "texts": texts}))
    assert cached.digest(TAG) == EXACT.digest
    assert registry.asked == ["digest", "digest"]


def test_an_answer_from_the_future_is_none(tmp_path: Path) -> None:
    registry, now = Counting(), Now()
    cached = behind(registry, tmp_path, now)
    cached.tags(TAG)
    now.at -= 10
    cached.tags(TAG)
    assert registry.asked == ["tags", "tags"]


def test_an_answer_to_another_question_is_none(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    answers.remember("tags a.b/c", ("1",), 1.0)
    (entry,) = (tmp_path / "answers").iterdir()
    answers.remember("tags a.b/d", ("2",), 1.0)
    (other,) = set((tmp_path / "answers").iterdir()) - {entry}
    entry.write_bytes(other.read_bytes())
    assert answers.remembered("tags a.b/c") is None


def test_what_does_not_have_its_digest_is_not_kept(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "cache")
    answers.keep_blob(Digest.of(b"a"), b"b")
    assert answers.blob(Digest.of(b"a")) is None and not (tmp_path / "cache").exists()
    sha512 = Digest.parse("sha512:" + "0" * 128)
    assert answers.blob(sha512) is None


def test_the_folder_is_its_users_alone_and_holds_nothing_unfinished(tmp_path: Path) -> None:
    behind(Counting(), tmp_path, Now()).document(TAG)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert not list((tmp_path / "cache").rglob(".*"))


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    registry = Counting()
    cached = behind(registry, tmp_path, Now())
    assert cached.tags(TAG) == cached.tags(TAG)
    assert registry.asked == ["tags", "tags"]


def test_pulls_go_through(tmp_path: Path) -> None:
    registry = Counting()
    behind(registry, tmp_path, Now()).pull(EXACT, tmp_path / "layout")
    assert registry.asked == ["pull"]
