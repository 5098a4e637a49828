"""Files that appear whole or not at all: written beside their place, synced and renamed.

Effects: reads and writes files, for `layout` alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Final

from bic.oci import json
from bic.oci.digest import Digest

TEMPORARY: Final = ".bic-"
"""How the names of files begin that are not finished."""

CHUNK: Final = 1024 * 1024


def size(path: Path) -> int | None:
    """Bytes of the file; None where there is no regular one."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if S_ISREG(found.st_mode) else None


def read_bounded(path: Path) -> bytes:
    """The file's start, one byte more than JSON documents may have at most."""
    if size(path) is None:
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(json.MAX_SIZE + 1)


def place(target: Path, data: bytes) -> None:
    """Makes the data the content of the target, at once."""
    with replacing(target) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside the target for the block to write; it becomes the target when the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def link_or_copy(origin: Path, target: Path) -> None:
    """Makes the target, which is not there yet, the same file as the origin or one with the same bytes."""
    try:
        target.hardlink_to(origin.resolve())
    except OSError:
        with origin.open("rb") as source, target.open("xb") as sink:
            while chunk := source.read(CHUNK):
                sink.write(chunk)


def digest_of(path: Path, algorithm: str) -> Digest:
    """The digest of the file's content."""
    from hashlib import file_digest

    with path.open("rb") as file:
        return Digest(algorithm, file_digest(file, algorithm).hexdigest())
