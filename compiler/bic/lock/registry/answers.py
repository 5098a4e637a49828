"""Answers of registries on disk: documents by their digest, and what a tag or a list of tags was when.

Effects: reads and writes below one folder, of mode 0700, that belongs to one user. Nothing in it is a
credential; what a login gave access to is in it all the same. What cannot be read, or is not what it should
be, counts as absent; what cannot be written is left out.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from bic.lock.registry.documents import has_digest
from bic.oci import files
from bic.oci.digest import Digest

VERSION = 1


@frozen
class Remembered:
    """An answer, and when it was given, in seconds of the epoch."""

    texts: tuple[str, ...]
    at: float


@frozen
class Answers:
    """The folder, made when first written to."""

    folder: Path

    def blob(self, digest: Digest) -> bytes | None:
        """The content that has the digest: it never expires, and is verified now."""
        try:
            data = self._blob(digest).read_bytes()
        except OSError:
            return None
        return data if has_digest(data, digest) else None

    def keep_blob(self, digest: Digest, data: bytes) -> None:
        """Keep what has that digest; anything else is not kept."""
        if has_digest(data, digest):
            self._place(self._blob(digest), data)

    def remembered(self, question: str) -> Remembered | None:
        """The last answer to a question that may be answered differently tomorrow."""
        try:
            data = json.loads(self._answer(question).read_bytes())
            texts = tuple(data["texts"])
            kept = Remembered(texts, float(data["at"]))
            fits = data["version"] == VERSION and data["question"] == question
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return kept if fits and all(isinstance(each, str) for each in texts) else None

    def remember(self, question: str, texts: tuple[str, ...], at: float) -> None:
        data = {"version": VERSION, "question": question, "at": at, "texts": list(texts)}
        self._place(self._answer(question), json.dumps(data, indent=0).encode())

    def _blob(self, digest: Digest) -> Path:
        return self.folder / "blobs" / digest.algorithm / digest.hex

    def _answer(self, question: str) -> Path:
        return self.folder / "answers" / f"{hashlib.sha256(question.encode()).hexdigest()}.json"

    def _place(self, path: Path, data: bytes) -> None:
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            files.place(path, data)
