"""A `Registry` that remembers: questions by digest are asked once, those by tag again after a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from bic.errors import Malformed, WorkFailed
from bic.lock.registry import documents
from bic.lock.registry.answers import Answers
from bic.lock.registry.protocol import Registry
from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference

T = TypeVar("T")


@frozen
class Told(Generic[T]):
    """An answer and its age in seconds; `failure` is why no newer one could be had, where that was tried."""

    value: T
    age_s: float = 0.0
    failure: WorkFailed | None = None


@frozen
class Remembering:
    """`registry` behind a cache. Answers about tags hold for `max_age` seconds; `refresh` asks in any case.

    Documents and configs by digest never change, are verified whenever they are read, and `refresh` leaves
    them alone. No method of `Registry` gives a stale answer: only `latest` and `listed` do, on request.
    """

    registry: Registry
    answers: Answers
    max_age: float = 0.0
    refresh: bool = False
    now: Callable[[], float] = field(default=time.time, repr=False)

    def raw(self, reference: Reference) -> bytes:
        exact = reference.digest or self._fresh(_latest_question(reference))
        kept = self.answers.blob(exact) if exact is not None else None
        if kept is not None:
            return kept
        return self._raw_anew(reference)

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        return documents.document(reference, self.raw(reference))

    def raw_config(self, reference: Reference) -> bytes:
        _, manifest = self.document(reference)
        if isinstance(manifest, Index):
            return self.registry.raw_config(reference)
        kept = self.answers.blob(manifest.config.digest)
        if kept is None:
            kept = self.registry.raw_config(reference)
            self.answers.keep_blob(manifest.config.digest, kept)
        return kept

    def config(self, reference: Reference) -> ImageConfig:
        return documents.config(reference, self.raw_config(reference))

    def digest(self, reference: Reference) -> Digest:
        return self.latest(reference).value

    def tags(self, repository: Reference) -> tuple[str, ...]:
        return self.listed(repository).value

    def pull(self, reference: Reference, layout: Path) -> None:
        self.registry.pull(reference, layout)

    def latest(self, reference: Reference, *, stale_if_error: bool = False) -> Told[Digest]:
        """The digest that a tag names; an old one, with the failure, for readers that only inform."""
        if reference.digest is not None:
            return Told(reference.digest)
        told = self._told(
            _latest_question(reference), lambda: (str(self.registry.digest(reference)),), stale_if_error
        )
        return Told(Digest.parse(told.value[0]), told.age_s, told.failure)

    def listed(self, repository: Reference, *, stale_if_error: bool = False) -> Told[tuple[str, ...]]:
        """The tags; an old list, with the failure, for readers that only inform."""
        return self._told(f"tags {repository.name}", lambda: self.registry.tags(repository), stale_if_error)

    def _told(
        self, question: str, ask: Callable[[], tuple[str, ...]], stale_if_error: bool
    ) -> Told[tuple[str, ...]]:
        known = self._known(question)
        if known is not None and not self.refresh and known.age_s < self.max_age:
            return known
        try:
            answer = ask()
        except WorkFailed as failure:
            if known is None or not stale_if_error:
                raise
            return evolve(known, failure=failure)
        self.answers.remember(question, answer, self.now())
        return Told(answer)

    def _known(self, question: str) -> Told[tuple[str, ...]] | None:
        """What is remembered, if it is an answer to such a question at all; never from the future."""
        kept = self.answers.remembered(question)
        if kept is None or kept.at > self.now() or not _answers(question, kept.texts):
            return None
        return Told(kept.texts, self.now() - kept.at)

    def _fresh(self, question: str) -> Digest | None:
        known = self._known(question)
        if known is None or self.refresh or known.age_s >= self.max_age:
            return None
        return Digest.parse(known.value[0])

    def _raw_anew(self, reference: Reference) -> bytes:
        raw = self.registry.raw(reference)
        digest = reference.digest or Digest.of(raw)
        self.answers.keep_blob(digest, raw)
        if reference.digest is None:
            self.answers.remember(_latest_question(reference), (str(digest),), self.now())
        return raw


def _latest_question(reference: Reference) -> str:
    return f"digest {reference.with_digest(None)}"


def _answers(question: str, texts: tuple[str, ...]) -> bool:
    if not question.startswith("digest "):
        return True
    try:
        return len(texts) == 1 and bool(Digest.parse(texts[0]))
    except Malformed:
        return False
