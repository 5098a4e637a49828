"""All that is wrong with the blobs that a layout's index leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bic.errors import BicError, Fault, Malformed
from bic.oci import files, media_types
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.layout import MAX_NESTING, Layout, is_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from bic.oci.manifest import Manifest


def audit(layout: Layout) -> tuple[Fault, ...]:
    """What is missing, corrupt or malformed, in the order of the walk; each blob is read once."""
    faults: list[Fault] = []
    try:
        level = layout.index().manifests
    except (BicError, Malformed) as error:
        return tuple(_faults(error, f"`{layout.path}`"))
    seen: set[tuple[Digest, int]] = set()
    for _ in range(MAX_NESTING):
        nested: list[Descriptor] = []
        for entry in _fresh(level, seen):
            faults += _audit_entry(layout, entry, seen, nested.append)
        level = tuple(nested)
    if level:
        faults.append(Fault(f"indexes are nested deeper than `{MAX_NESTING}` levels"))
    return tuple(faults)


def _audit_entry(
    layout: Layout, entry: Descriptor, seen: set[tuple[Digest, int]], nest: Callable[[Descriptor], None]
) -> Iterator[Fault]:
    if not is_document(entry):
        yield from _audit_blob(layout, entry)
        return
    try:
        document = layout.read_document(entry)
    except (BicError, Malformed) as error:
        yield from _faults(error, f"`{entry.digest}`")
        return
    if isinstance(document, Index):
        for child in document.manifests:
            nest(child)
    else:
        yield from _audit_manifest(layout, document, seen)


def _audit_manifest(layout: Layout, manifest: Manifest, seen: set[tuple[Digest, int]]) -> Iterator[Fault]:
    if manifest.is_image and any(_fresh((manifest.config,), seen)):
        try:
            layout.read_config(manifest)
        except (BicError, Malformed) as error:
            yield from _faults(error, f"`{manifest.config.digest}`")
    for blob in _fresh(manifest.blobs, seen):
        yield from _audit_blob(layout, blob)


def _audit_blob(layout: Layout, blob: Descriptor) -> Iterator[Fault]:
    if media_types.is_foreign(blob.media_type) and not layout.has_blob(blob.digest):
        return
    try:
        with layout.open_blob(blob) as stream:
            while stream.read(files.CHUNK):
                pass
    except BicError as error:
        yield from error.faults


def _fresh(blobs: tuple[Descriptor, ...], seen: set[tuple[Digest, int]]) -> Iterator[Descriptor]:
    for blob in blobs:
        if (key := (blob.digest, blob.size)) not in seen:
            seen.add(key)
            yield blob


def _faults(error: BicError | Malformed, where: str) -> tuple[Fault, ...]:
    if isinstance(error, BicError):
        return error.faults
    return (Fault(f"{error.message}, in {where}", hint=error.hint),)
