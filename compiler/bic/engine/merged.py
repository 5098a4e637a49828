"""What layers hold together, as far as a layer on top of them has to know (image-spec, layer.md)."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator

from attrs import frozen

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
XATTR = "SCHILY.xattr."


@frozen
class Place:
    """What a directory is apart from its content; of other entries only the type counts."""

    type: bytes
    mode: int
    uid: int
    gid: int
    xattrs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, member: tarfile.TarInfo) -> Place:
        pairs = (
            (k, v) for k, v in member.pax_headers.items() if k.startswith(XATTR) and ".overlay." not in k
        )
        return cls(member.type, member.mode & 0o7777, member.uid, member.gid, tuple(sorted(pairs)))


Merged = dict[str, Place]
"""By name, without a slash in front."""


def name_of(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").strip("/")


def above(name: str) -> Iterator[str]:
    """The directories that a name lies in, the nearest first."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def with_layer(below: Merged, members: Iterable[tarfile.TarInfo]) -> Merged:
    """The entries of `below` that one more layer leaves, and those that it brings."""
    brought: Merged = {}
    hidden: set[str] = set()
    emptied: set[str] = set()
    for member in members:
        name = name_of(member)
        folder, _, last = name.rpartition("/")
        if last == OPAQUE:
            emptied.add(folder)
        elif last.startswith(WHITEOUT):
            hidden.add(f"{folder}/{last.removeprefix(WHITEOUT)}".lstrip("/"))
        else:
            brought[name] = Place.of(member)
            if not member.isdir():
                emptied.add(name)
    left = {
        name: place
        for name, place in below.items()
        if name not in hidden and not any(each in hidden or each in emptied for each in above(name))
    }
    return {**left, **brought}


def hidden_by(folder: str, below: Merged, names: set[str]) -> Iterator[str]:
    """What an opaque directory hides: what is in `below` and not in `names`, the topmost names only."""
    prefix = f"{folder}/" if folder else ""
    for name in below:
        if name.startswith(prefix) and name != folder and name not in names:
            parent = name.rpartition("/")[0]
            if parent == folder or parent in names:
                yield name
