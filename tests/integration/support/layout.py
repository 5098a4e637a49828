"""OCI layouts, read and written by the standard library alone: an opinion independent of bic's own."""

from __future__ import annotations

import gzip
import hashlib
import json
import posixpath
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import evolve, field, frozen

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Json = dict[str, Any]
Type = Literal["file", "directory", "symlink", "character", "block", "fifo"]


@frozen
class Entry:
    """One path of an image. `mode` holds the permission bits alone; `links` counts the names of a file."""

    type: Type
    mode: int
    uid: int
    gid: int
    size: int = 0
    sha256: str | None = None
    target: str | None = None
    mtime: int = 0
    links: int = 1
    device: tuple[int, int] | None = None
    xattrs: tuple[tuple[str, str], ...] = ()
    # Names of one file share this, however their layer says so.
    inode: int = field(default=0, eq=False)


Tree = dict[str, Entry]


# Reading


def blob(layout: Path, digest: str) -> bytes:
    """The blob of that digest; raises ValueError where its bytes have another."""
    algorithm, _, value = digest.partition(":")
    data = (layout / "blobs" / algorithm / value).read_bytes()
    if hashlib.new(algorithm, data).hexdigest() != value:
        raise ValueError(f"blob {digest} has other bytes than its name says")
    return data


def manifests(layout: Path) -> dict[str, str]:
    """Platform → digest of its manifest, for a layout that holds one image."""
    found: dict[str, str] = {}
    for descriptor in _leaves(layout, json.loads((layout / "index.json").read_bytes())):
        platform = descriptor.get("platform") or _config_platform(layout, descriptor["digest"])
        name = "/".join(filter(None, (platform["os"], platform["architecture"], platform.get("variant"))))
        if name in found:
            raise ValueError(f"{layout} holds two images for {name}")
        found[name] = descriptor["digest"]
    return found


def _leaves(layout: Path, index: Json) -> Iterator[Json]:
    for descriptor in index["manifests"]:
        if descriptor["mediaType"] == INDEX:
            yield from _leaves(layout, json.loads(blob(layout, descriptor["digest"])))
        else:
            yield descriptor


def _config_platform(layout: Path, manifest_digest: str) -> Json:
    config: Json = _image_config(layout, json.loads(blob(layout, manifest_digest)))
    return config


def image_manifest(layout: Path, platform: str) -> Json:
    """The manifest for `os/architecture[/variant]`; `linux/arm64` also finds the variant v8."""
    found = manifests(layout)
    digest = found.get(platform) or found.get(f"{platform}/v8")
    if digest is None:
        raise KeyError(f"{layout} holds no {platform}, only {', '.join(sorted(found))}")
    manifest: Json = json.loads(blob(layout, digest))
    return manifest


def _image_config(layout: Path, manifest: Json) -> Json:
    config: Json = json.loads(blob(layout, manifest["config"]["digest"]))
    return config


def image_config(layout: Path, platform: str) -> Json:
    """The whole OCI config: `config`, `rootfs`, `history` and the rest."""
    return _image_config(layout, image_manifest(layout, platform))


def index_manifest(layout: Path) -> tuple[str, Json]:
    """Digest and content of the one index that index.json points at."""
    (descriptor,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    content: Json = json.loads(blob(layout, descriptor["digest"]))
    return descriptor["digest"], content


def image_tree(layout: Path, platform: str) -> Tree:
    """Absolute path → entry, all layers merged with whiteouts and opaque folders."""
    tree: Tree = {}
    for layer in layer_trees(layout, platform):
        tree = merged(tree, layer)
    return _with_link_counts(tree)


def layer_trees(layout: Path, platform: str) -> list[Tree]:
    """Each layer by itself, whiteouts under their own names, the lowest first."""
    manifest = image_manifest(layout, platform)
    return [read_layer(layout / "blobs" / d["digest"].replace(":", "/")) for d in manifest["layers"]]


def read_layer(file: Path) -> Tree:
    """The entries of one layer, gzipped or not."""
    tree: Tree = {}
    with tarfile.open(file, "r:*") as archive:
        for number, member in enumerate(archive):
            path = _absolute(member.name)
            if member.islnk():
                tree[path] = tree[_absolute(member.linkname)]
            else:
                tree[path] = _entry(archive, member, id(tree) + number)
    return tree


def _absolute(name: str) -> str:
    return posixpath.normpath("/" + name.lstrip("/").removeprefix("./"))


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo, inode: int) -> Entry:
    kinds: dict[bytes, Type] = {
        tarfile.DIRTYPE: "directory",
        tarfile.SYMTYPE: "symlink",
        tarfile.CHRTYPE: "character",
        tarfile.BLKTYPE: "block",
        tarfile.FIFOTYPE: "fifo",
    }
    prefix = "SCHILY.xattr."
    xattrs = sorted(
        (k.removeprefix(prefix), v) for k, v in member.pax_headers.items() if k.startswith(prefix)
    )
    entry = Entry(
        type=kinds.get(member.type, "file"),
        mode=member.mode & 0o7777,
        uid=member.uid,
        gid=member.gid,
        mtime=int(member.mtime),
        target=member.linkname if member.issym() else None,
        device=(member.devmajor, member.devminor) if member.isdev() and not member.isfifo() else None,
        xattrs=tuple(xattrs),
        inode=inode,
    )
    if not member.isreg():
        return entry
    source = archive.extractfile(member)
    assert source is not None
    content = source.read()
    return evolve(entry, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def merged(lower: Mapping[str, Entry], layer: Mapping[str, Entry]) -> Tree:
    """`lower` with `layer` on top of it; what a layer hides is only ever below it."""
    hidden, opaque = _whiteouts(layer)
    replaced = {path for path, entry in layer.items() if entry.type != "directory"}
    kept = {
        path: entry
        for path, entry in lower.items()
        if path not in hidden
        and not any(up in hidden or up in opaque or up in replaced for up in _parents(path))
    }
    return {**kept, **{p: e for p, e in layer.items() if not posixpath.basename(p).startswith(".wh.")}}


def _whiteouts(layer: Iterable[str]) -> tuple[set[str], set[str]]:
    hidden: set[str] = set()
    opaque: set[str] = set()
    for path in layer:
        folder, name = posixpath.split(path)
        if name == ".wh..wh..opq":
            opaque.add(folder)
        elif name.startswith(".wh."):
            hidden.add(posixpath.join(folder, name.removeprefix(".wh.")))
    return hidden, opaque


def _parents(path: str) -> Iterator[str]:
    while path != "/":
        path = posixpath.dirname(path)
        yield path


def _with_link_counts(tree: Tree) -> Tree:
    counts: dict[int, int] = {}
    for entry in tree.values():
        counts[entry.inode] = counts.get(entry.inode, 0) + 1
    return {
        path: evolve(entry, links=counts[entry.inode]) if entry.type == "file" else entry
        for path, entry in sorted(tree.items())
    }


def read_file(layout: Path, platform: str, path: str) -> bytes:
    """The content of one regular file of the image (no symlinks are followed)."""
    manifest = image_manifest(layout, platform)
    for descriptor in reversed(manifest["layers"]):
        with tarfile.open(layout / "blobs" / descriptor["digest"].replace(":", "/"), "r:*") as archive:
            for member in archive:
                if _absolute(member.name) == path and (member.isreg() or member.islnk()):
                    source = archive.extractfile(member)
                    assert source is not None
                    return source.read()
    raise KeyError(f"{path} is no file of {layout} for {platform}")


def directory_tree(root: Path) -> Tree:
    """The entries of a folder on this machine, in the form of `image_tree`."""
    tree: Tree = {}
    for path in (root, *sorted(root.rglob("*"))):
        tree["/" if path == root else f"/{path.relative_to(root)}"] = _host_entry(path)
    return _with_link_counts(tree)


def _host_entry(path: Path) -> Entry:
    info = path.lstat()
    common: Json = {
        "mode": info.st_mode & 0o7777,
        "uid": info.st_uid,
        "gid": info.st_gid,
        "inode": info.st_ino,
    }
    common["mtime"] = int(info.st_mtime)
    if path.is_symlink():
        return Entry(type="symlink", target=str(path.readlink()), **{**common, "mode": 0o777})
    if path.is_dir():
        return Entry(type="directory", **common)
    content = path.read_bytes()
    return Entry(type="file", size=len(content), sha256=hashlib.sha256(content).hexdigest(), **common)


def diff_trees(
    a: Mapping[str, Entry],
    b: Mapping[str, Entry],
    ignore: Callable[[str], bool] = lambda path: False,
    fields: Iterable[str] = (
        "type",
        "mode",
        "uid",
        "gid",
        "size",
        "sha256",
        "target",
        "links",
        "device",
        "xattrs",
    ),
) -> list[str]:
    """What differs, a line a path; empty for equal trees. `mtime` counts only where `fields` names it."""
    names = tuple(fields)
    lines = []
    for path in sorted(a.keys() | b.keys()):
        if not ignore(path):
            lines += _difference(path, a.get(path), b.get(path), names)
    return lines


def _difference(path: str, a: Entry | None, b: Entry | None, fields: tuple[str, ...]) -> list[str]:
    if a is None or b is None:
        return [f"{path}: only in the {'second' if a is None else 'first'}"]
    changes = [
        f"{name} {_shown(name, getattr(a, name))} → {_shown(name, getattr(b, name))}"
        for name in fields
        if getattr(a, name) != getattr(b, name)
    ]
    return [f"{path}: {', '.join(changes)}"] if changes else []


def _shown(name: str, value: object) -> str:
    return f"{value:04o}" if name == "mode" else str(value)


# Writing


class LayoutWriter:
    """Writes an OCI layout, blob by blob; the same calls give the same bytes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "blobs/sha256").mkdir(parents=True)

    def blob(self, data: bytes, media_type: str) -> Json:
        value = hashlib.sha256(data).hexdigest()
        (self.directory / "blobs/sha256" / value).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{value}", "size": len(data)}

    def json(self, value: Json, media_type: str) -> Json:
        return self.blob(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type)

    def image(self, platform: str, layer_tar: bytes, config: Json) -> Json:
        """One image of one layer; its descriptor, with the platform."""
        os_name, architecture = platform.split("/")[:2]
        diff_id = "sha256:" + hashlib.sha256(layer_tar).hexdigest()
        full: Json = {
            "os": os_name,
            "architecture": architecture,
            "created": "2024-01-01T00:00:00Z",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "tests"}],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.json(full, CONFIG),
            "layers": [self.blob(gzip.compress(layer_tar, 6, mtime=0), LAYER)],
        }
        described = self.json(manifest, MANIFEST)
        return {**described, "platform": {"os": os_name, "architecture": architecture}}

    def finish(self, images: Iterable[Json]) -> str:
        """Writes index and layout files; the digest of the index."""
        index = self.json({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(images)}, INDEX)
        top = {"schemaVersion": 2, "manifests": [index]}
        (self.directory / "index.json").write_text(json.dumps(top, sort_keys=True))
        (self.directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        digest: str = index["digest"]
        return digest
