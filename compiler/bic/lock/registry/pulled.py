"""OCI layouts of what a tool pulled, the same whichever tool it was."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bic.errors import Malformed, WorkFailed
from bic.lock.registry.documents import verified
from bic.lock.registry.failure import Failed
from bic.oci import media_types
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference

PULL_S = 3600.0
"""Seconds that bringing an image may take."""


def whole(target: Path, make: Callable[[Path], None]) -> None:
    """`make` writes a folder beside the target, which becomes the target when that succeeds."""
    if target.exists():
        raise WorkFailed(f"there is something already where an image should go: `{target}`")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bic-pull-", dir=target.parent) as scratch:
        made = Path(scratch) / "layout"
        make(made)
        made.rename(target)


def from_blobs(reference: Reference, raw: bytes, find: Callable[[Digest], Path], path: Path) -> None:
    """A layout of one manifest, its blobs taken from where `find` says; each one is verified."""
    manifest = _manifest(verified(reference, raw))
    layout = Layout.create(path)
    for blob in manifest.blobs:
        if find(blob.digest).exists() or not media_types.is_foreign(blob.media_type):
            layout.import_blob(find(blob.digest), blob.digest)
    layout.write_blob(raw)
    layout.write_index(Index((Descriptor.of(raw, manifest.media_type),)))


def _manifest(raw: bytes) -> Manifest:
    try:
        return Manifest.parse(raw)
    except Malformed as error:
        raise Failed("odd", error.message) from error
