"""The store of what was downloaded, by its sha256: verified whenever it is read, complete or not there.

Effects: reads and writes below the store's directory, and fetches from the network unless `offline`.
"""

from __future__ import annotations

import hashlib
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

from bic.errors import BicError, Fault, WorkFailed
from bic.lock.download import NotThere, download
from bic.oci import files
from bic.process import Cancel


@frozen
class Store:
    """`mirrors` are (prefix of addresses, what else may stand for it) pairs; `vendored` are places, paths or
    addresses, that hold `sha256/HEX`: both are asked before giving up, vendored ones first.
    """

    directory: Path
    mirrors: tuple[tuple[str, str], ...] = ()
    vendored: tuple[str, ...] = ()
    offline: bool = False
    cancel: Cancel | None = None

    def path(self, sha256: str) -> Path:
        return self.directory / "sha256" / sha256

    def find(self, sha256: str) -> Path | None:
        """The file with this content, if it is there; what is damaged is removed."""
        path = self.path(sha256)
        if not path.is_file():
            return None
        if sha256_of(path) == sha256:
            return path
        path.unlink(missing_ok=True)
        return None

    def fetch(self, url: str, sha256: str) -> Path:
        """The file with this content, from the store, else from wherever it can be had; verified.

        Raises `WorkFailed` that names both hashes where something else is there, and nothing of it is kept.
        """
        found = self.find(sha256)
        if found is not None:
            return found
        if self.offline and not self.vendored:
            raise _offline(url)
        return self._fetch(url, sha256)

    def take(self, url: str) -> str:
        """The sha256 of what is at an address now, which is in the store from then on."""
        if self.offline:
            raise _offline(url)
        target = self.directory / f".taken-{os.getpid()}-{os.urandom(6).hex()}"
        try:
            sha256 = download(url, target, None, self.cancel)
            self._keep(target, sha256)
        finally:
            target.unlink(missing_ok=True)
        return sha256

    def put(self, sha256: str, target: Path) -> None:
        """Make `target` the file of this content, which is in the store."""
        if target.is_file() and sha256_of(target) == sha256:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            files.link_or_copy(self.path(sha256), temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def _fetch(self, url: str, sha256: str) -> Path:
        failures: list[BicError] = []
        for address in self._addresses(url, sha256):
            try:
                download(address, self.path(sha256), sha256, self.cancel)
                return self.path(sha256)
            except WorkFailed as error:
                failures.append(error)
        raise _nowhere(url, failures)

    def _keep(self, file: Path, sha256: str) -> None:
        self.path(sha256).parent.mkdir(parents=True, exist_ok=True)
        file.replace(self.path(sha256))

    def _addresses(self, url: str, sha256: str) -> Iterator[str]:
        for place in self.vendored:
            yield _address(f"{place.rstrip('/')}/sha256/{sha256}")
        if not self.offline:
            yield url
            yield from mirrored(url, self.mirrors)


def mirrored(url: str, mirrors: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The addresses that may stand for one, in the order of the mirrors."""
    for prefix, other in mirrors:
        whole = prefix.rstrip("/") + "/"
        if url.startswith(whole):
            yield _address(other.rstrip("/") + "/" + url.removeprefix(whole))


def _address(place: str) -> str:
    return (
        place
        if re.match(r"[a-z]+://", place)
        else f"file://{urllib.parse.quote(str(Path(place).absolute()))}"
    )


def _offline(url: str) -> WorkFailed:
    return WorkFailed(f"not here yet, and nothing is fetched: `{url}`", hint="run it once without --offline")


def _nowhere(url: str, failures: list[BicError]) -> WorkFailed:
    first, *rest = failures or [_offline(url)]
    fault = first.faults[0]
    notes = (*fault.notes, *(each.faults[0].message for each in rest))
    kind = NotThere if all(isinstance(each, NotThere) for each in failures) and failures else WorkFailed
    return kind(Fault(fault.message, hint=fault.hint, notes=notes))


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
