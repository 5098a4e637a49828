"""A stream that holds a blob to its descriptor while it is read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from bic.errors import WorkFailed
from bic.oci.descriptor import Descriptor

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Verified(io.RawIOBase):
    """The source's bytes; the read that yields the last one raises `WorkFailed` when the digest is another.

    So do reads that find the source shorter or longer than the descriptor says. Closes the source.
    """

    def __init__(self, source: BinaryIO, descriptor: Descriptor) -> None:
        import hashlib

        self._source = source
        self._descriptor = descriptor
        self._hash = hashlib.new(descriptor.digest.algorithm)
        self._count = 0
        if descriptor.size == 0:
            self._check_digest()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Bytes read into the buffer, 0 at the end."""
        view = memoryview(buffer).cast("B")
        chunk = self._source.read(len(view))
        view[: len(chunk)] = chunk
        self._take(chunk, at_end=not chunk and len(view) > 0)
        return len(chunk)

    def close(self) -> None:
        """Closes the source, too."""
        self._source.close()
        super().close()

    def _take(self, chunk: bytes, *, at_end: bool) -> None:
        self._hash.update(chunk)
        self._count += len(chunk)
        size = self._descriptor.size
        if self._count > size or (at_end and self._count < size):
            raise WorkFailed(wrong_size(self._descriptor, self._count))
        if chunk and self._count == size:
            self._check_digest()

    def _check_digest(self) -> None:
        wanted, found = self._descriptor.digest, self._hash.hexdigest()
        if found != wanted.hex:
            raise WorkFailed(f"blob `{wanted}` is corrupt: its content is `{wanted.algorithm}:{found}`")


def wrong_size(descriptor: Descriptor, found: int) -> str:
    """What to say of a blob with another size than its descriptor tells."""
    return f"blob `{descriptor.digest}` has {descriptor.size} bytes by its descriptor, not `{found}`"
