"""Layers in one form, whatever user and storage driver they come from.

A layer that bic made is written anew: sorted, without names of users, without directories that are as they
were and have nothing new in them (mount points come and go), without opaque directories (each thing that
is gone has its own whiteout), and without what overlayfs noted for itself in attributes of files (rootless,
buildah 1.28 takes `user.overlay.*` for the image's). Layers of parents are the parents' own blobs.
Effects: rewrites the layout that it is given.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from copy import copy
from typing import IO, BinaryIO, cast

from attrs import evolve, field, frozen

from bic.engine.merged import OPAQUE, WHITEOUT, XATTR, Merged, Place, above, hidden_by, name_of, with_layer
from bic.oci import media_types
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.platform import Platform

CHUNK = 1 << 20
LEVEL = 6
FOREIGN = tuple(f"{XATTR}{space}.overlay." for space in ("trusted", "user"))
"""Attributes that belong to the storage driver."""


def canonical(layout: Layout, platform: Platform, own: int, parents: Iterable[Layout]) -> None:
    """Rewrite the one image of the layout, whose topmost `own` layers are bic's."""
    manifest = layout.read_manifest(layout.resolve(platform))
    config = layout.read_config(manifest)
    known = dict(_blobs(parents, platform))
    layers: list[Descriptor] = []
    diff_ids: list[Digest] = []
    below: Merged = {}
    bottom = len(manifest.layers) - own
    for index, (layer, diff_id) in enumerate(zip(manifest.layers, config.diff_ids, strict=True)):
        if diff_id in known:
            parent, blob = known[diff_id]
            layout.import_blob(parent, blob.digest, verify=False)
            found = diff_id, blob
        elif index < bottom:
            found = diff_id, layer
        else:
            found = _rewritten(layout, layer, below)
        diff_ids.append(found[0])
        layers.append(found[1])
        if index < len(manifest.layers) - 1:
            below = with_layer(below, _members(layout, found[1]))
    data = evolve(config, diff_ids=tuple(diff_ids)).to_bytes()
    layout.write_blob(data)
    described = evolve(manifest, config=Descriptor.of(data, manifest.config.media_type), layers=tuple(layers))
    layout.write_blob(described.to_bytes())
    layout.write_index(Index.of([described.descriptor(platform)]))
    layout.prune()


def _blobs(
    parents: Iterable[Layout], platform: Platform
) -> Iterator[tuple[Digest, tuple[Layout, Descriptor]]]:
    """The parents' layers by the digests of what they hold."""
    for parent in parents:
        manifest = parent.read_manifest(parent.resolve(platform))
        for diff_id, layer in zip(parent.read_config(manifest).diff_ids, manifest.layers, strict=True):
            yield diff_id, (parent, layer)


def _members(layout: Layout, layer: Descriptor) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(layout.blob_path(layer.digest), "r:*") as archive:
        yield from archive


def _rewritten(layout: Layout, layer: Descriptor, below: Merged) -> tuple[Digest, Descriptor]:
    """A layer in its one form: the digest of its tar, and its descriptor."""
    plain, packed = (layout.path / f"{layer.digest.hex}.{end}" for end in ("tar", "gz"))
    try:
        with gzip.open(layout.blob_path(layer.digest)) as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
        with plain.open("rb") as source, packed.open("wb") as target:
            packing = _Packing(target)
            _rewrite(source, packing, below)
            packing.close()
        blob = packing.blob()
        layout.import_blob(packed, blob.digest, verify=False)
    finally:
        plain.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)
    return packing.content(), blob


@frozen(eq=False)
class _Packing:
    """Compresses what is written to it, and hashes both sides."""

    target: BinaryIO
    inside: hashlib._Hash = field(factory=hashlib.sha256)
    outside: hashlib._Hash = field(factory=hashlib.sha256)
    size: list[int] = field(factory=lambda: [0, 0])
    stream: list[gzip.GzipFile] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        sink = cast(BinaryIO, _Sink(self))
        self.stream.append(gzip.GzipFile("", "wb", LEVEL, sink, mtime=0))

    def write(self, data: bytes) -> int:
        self.inside.update(data)
        self.size[0] += len(data)
        return self.stream[0].write(data)

    def tell(self) -> int:
        return self.size[0]

    def close(self) -> None:
        self.stream[0].close()

    def content(self) -> Digest:
        return Digest.parse(f"sha256:{self.inside.hexdigest()}")

    def blob(self) -> Descriptor:
        digest = Digest.parse(f"sha256:{self.outside.hexdigest()}")
        return Descriptor(media_types.OCI_LAYER_GZIP, digest, self.size[1])


@frozen(eq=False)
class _Sink:
    packing: _Packing

    def write(self, data: bytes) -> int:
        self.packing.outside.update(data)
        self.packing.size[1] += len(data)
        return self.packing.target.write(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _rewrite(source: IO[bytes], target: _Packing, below: Merged) -> None:
    with (
        tarfile.open(fileobj=source, mode="r:", errorlevel=2) as old,
        tarfile.open(fileobj=cast(IO[bytes], target), mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        members = _without_opaque({name_of(member): member for member in old}, below)
        kept = _without_untouched(members, below)
        first: dict[str, str] = {}
        for name in sorted(kept, key=lambda name: name.split("/")):
            member = kept[name]
            content = members[member.linkname.removeprefix("./")] if member.islnk() else member
            info = _clean(content, name)
            linked = first.setdefault(content.name, name)
            if linked != name:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, linked, 0
            new.addfile(info, old.extractfile(content) if info.isreg() else None)


Members = dict[str, tarfile.TarInfo]


def _without_opaque(members: Members, below: Merged) -> Members:
    """The entries with a whiteout for each thing that an opaque directory hides."""
    found = {name: member for name, member in members.items() if name.rpartition("/")[2] != OPAQUE}
    names = set(found)
    for name in members.keys() - names:
        for gone in hidden_by(name.rpartition("/")[0], below, names):
            folder, slash, last = gone.rpartition("/")
            whiteout = tarfile.TarInfo(f"{folder}{slash}{WHITEOUT}{last}")
            whiteout.mode, whiteout.mtime = 0, members[name].mtime
            found[whiteout.name] = whiteout
    return found


def _without_untouched(members: Members, below: Merged) -> Members:
    """The entries without directories that are as below and have nothing of this layer in them."""
    filled = {folder for name, member in members.items() if not member.isdir() for folder in above(name)}
    new = [name for name, member in members.items() if member.isdir() and Place.of(member) != below.get(name)]
    filled.update(new, *(above(name) for name in new))
    return {name: member for name, member in members.items() if not member.isdir() or name in filled}


def _clean(member: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    info = copy(member)
    info.name = name
    info.uname = info.gname = ""
    info.mtime = int(member.mtime)
    if not (info.issym() or info.islnk()):
        info.linkname = ""
    kept = {k: v for k, v in member.pax_headers.items() if k.startswith(XATTR) and not k.startswith(FOREIGN)}
    info.pax_headers = dict(sorted(kept.items()))
    return info
