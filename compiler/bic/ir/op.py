"""The operations of the step IR: a small closed union of immutable values.

An operation says what is done, never where: no host path, no name of a container, no span. Its inputs
are the vertices that a `Vertex` lists; an operation refers to them by position, 0 being the root file
system that it changes.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from bic.oci.digest import Digest
from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.spec.plain import OUTSIDE
from bic.spec.values import Owner

Pairs = tuple[tuple[str, str], ...]


@frozen
class Scratch:
    """An empty root file system and an empty config."""


@frozen
class Source:
    """The root file system and config of an image in a registry, for one platform.

    `reference` names the index by digest, `manifest` the platform's manifest in it.
    `env`, `user` and `workdir` repeat what the config says, so that compiling needs no registry;
    `has_shell` tells the Dockerfile export whether /bin/sh is there.
    """

    reference: Reference = field(metadata=OUTSIDE)
    manifest: Digest
    platform: Platform
    env: Pairs = field(default=(), metadata=OUTSIDE)
    user: str = field(default="", metadata=OUTSIDE)
    workdir: str = field(default="", metadata=OUTSIDE)
    has_shell: bool = field(default=True, metadata=OUTSIDE)


@frozen
class Bootstrap:
    """A root file system made from a distribution's packages."""

    suite: str
    variant: str
    components: tuple[str, ...]
    mirror: str | None
    platform: Platform


@frozen
class Entry:
    """One file of a `Local` or of what it becomes: `path` is relative, "" for a lone file.

    `mode` is four octal digits; `digest` is of a file's content; `target` is a symbolic link's.
    """

    path: str
    type: Literal["file", "directory", "symlink"]
    mode: str
    digest: Digest | None = None
    target: str | None = None


@frozen
class Local:
    """Files of the workspace, scrubbed: what matters is their content, names and modes alone."""

    entries: tuple[Entry, ...]
    source: str = field(metadata=OUTSIDE)

    @property
    def is_file(self) -> bool:
        return len(self.entries) == 1 and self.entries[0].path == ""


@frozen
class Inline:
    """One file whose content stands in the spec."""

    content: str
    mode: str


@frozen
class Download:
    """A file fetched from outside, unpacked if asked; `sha256` is None only for an unpinned one."""

    url: str
    sha256: str | None
    mode: str | None
    extract: bool
    strip: int


@frozen
class Exec:
    """A program run in the root file system.

    `binds` are (path in the image, position of the input that it shows).
    """

    argv: tuple[str, ...]
    user: str = "0:0"
    workdir: str = "/"
    env: Pairs = ()
    network: Literal["default", "none"] = "default"
    caches: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    binds: tuple[tuple[str, int], ...] = ()


@frozen
class Install:
    """Packages installed by the image's package manager.

    `requirements` is the position of the input with a requirements file (pip). `run` holds the options
    of the step that every execution has; its argv is empty.
    """

    manager: Literal["apt", "apk", "dnf", "pip"]
    packages: tuple[str, ...]
    upgrade: Literal["none", "safe", "full"]
    run: Exec
    recommends: bool = False
    python: str = "python3"
    break_system_packages: bool = False
    requirements: int | None = None


@frozen
class MakeDirectory:
    path: str
    mode: str
    owner: Owner


@frozen
class EnsureDirectory:
    """Makes a directory, root's and 0755, unless it is there."""

    path: str


@frozen
class MakeSymlink:
    path: str
    target: str


@frozen
class Remove:
    """`force` accepts paths that are not there."""

    paths: tuple[str, ...]
    force: bool = False


@frozen
class RemoveMatching:
    """Removes, below `path`, what the exclude patterns of a copy match."""

    path: str
    patterns: tuple[str, ...]


@frozen
class SetFileModes:
    """Gives all regular files at and below `path` the same mode."""

    path: str
    mode: str


@frozen
class SetPermissions:
    path: str
    mode: str | None
    owner: Owner | None
    recursive: bool


@frozen
class AddGroup:
    name: str
    gid: int


@frozen
class AddUser:
    name: str
    uid: int
    gid: int
    group: str
    groups: tuple[str, ...]
    home: str
    create_home: bool
    shell: str
    comment: str


@frozen
class SetTimezone:
    zone: str


@frozen
class CopyFrom:
    """Copies from the vertex at position `input`.

    `source` is a path in that vertex's root file system; "" for vertices that are content themselves
    (local, inline, download). Without `owner` and `mode` the source's are kept, content being root's.
    `is_directory` is known for content and None for root file systems.
    """

    input: int
    source: str
    path: str
    owner: Owner | None
    mode: str | None
    is_directory: bool | None


Action = (
    MakeDirectory
    | EnsureDirectory
    | MakeSymlink
    | Remove
    | RemoveMatching
    | SetFileModes
    | SetPermissions
    | AddGroup
    | AddUser
    | SetTimezone
    | CopyFrom
)


@frozen
class Tree:
    """Changes of files that execute nothing of the image, in order."""

    actions: tuple[Action, ...]


@frozen
class Config:
    """Changes of the image config; None leaves a field as it is.

    `env` values may refer to `${env.NAME}` until `build` has filled them in.
    """

    env: Pairs = ()
    labels: Pairs = ()
    annotations: Pairs = ()
    user: str | None = None
    workdir: str | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str | None = None


@frozen
class Image:
    """A boundary: the state before it is an image of its own, which is exported, cached and built upon."""

    name: str = field(metadata=OUTSIDE)


Content = Local | Inline | Download
"""Operations that yield files."""

Root = Scratch | Source | Bootstrap
"""Operations that begin a root file system."""

Change = Exec | Install | Tree | Config | Image
"""Operations that continue one; input 0 is the state that they change."""

Op = Content | Root | Change
