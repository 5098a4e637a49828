"""The image of a spec: one OCI layout with one index over its platforms, sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bic.lock.exclusive import exclusive
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.platform import Platform


def assemble(
    target: Path, parts: Mapping[Platform, Path], annotations: Iterable[tuple[str, str]]
) -> Descriptor:
    """Write the layout at `target` from one layout a platform; the index's descriptor.

    Readers see the old index or the new one; of several writers one waits for the other. Blobs are linked
    where the file system allows.
    """
    target.mkdir(parents=True, exist_ok=True)
    with exclusive(target):
        layout = Layout.create(target)
        manifests = [_take(layout, Layout.open(path), platform) for platform, path in parts.items()]
        index = Index.of(manifests, dict(annotations))
        layout.write_blob(index.to_bytes())
        layout.write_index(Index.of([index.descriptor()]))
        layout.prune()
    return index.descriptor()


def _take(layout: Layout, part: Layout, platform: Platform) -> Descriptor:
    """Bring one platform's manifest with its blobs into the layout."""
    found = part.resolve(platform)
    manifest = part.read_manifest(found)
    for blob in (manifest.config, *manifest.layers):
        _import(layout, part, blob.digest)
    _import(layout, part, found.digest)
    return Descriptor(found.media_type, found.digest, found.size, platform)


def _import(layout: Layout, part: Layout, digest: Digest) -> None:
    if not layout.has_blob(digest):
        layout.import_blob(part, digest, verify=False)
