"""What a lock says: every content from outside that a spec uses, pinned."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from bic.oci.digest import Digest
from bic.oci.platform import Platform
from bic.oci.reference import Reference

VERSION = 1
"""Of the lock file's form."""


@frozen
class PlatformPin:
    """One platform of a base image: its manifest, and what compiling must know of its config.

    `env` holds the config's entries as they are; `user` and `workdir` are "" where the config has none.
    """

    platform: Platform
    manifest: Digest
    env: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""


@frozen
class ImagePin:
    """A reference of a spec, the digest of the index it meant, and the platforms that were asked for."""

    reference: Reference
    digest: Digest
    platforms: tuple[PlatformPin, ...]

    def platform(self, wanted: Platform) -> PlatformPin | None:
        return next((pin for pin in self.platforms if pin.platform == wanted), None)


@frozen
class FilePin:
    """A download: its address and the sha256 of its content."""

    url: str
    sha256: str


@frozen
class InputPin:
    """What a step takes from the workspace: the path, and the digest of what it holds, scrubbed."""

    source: str
    exclude: tuple[str, ...]
    digest: Digest


Manager = Literal["apt", "apk", "dnf", "pip"]


@frozen
class PackagePin:
    """One file of a package: `architecture` in the manager's words, `size` in bytes, `sha256` of the file.

    For pip the architecture is the last part of the wheel's tag, such as `any` or `manylinux_2_28_aarch64`.
    """

    name: str
    version: str
    architecture: str
    size: int
    sha256: str
    url: str


@frozen
class PackageSet:
    """The exact closure of one step on one platform, sorted by name; `at` says where in the spec it stands.

    `request` is the digest of what was asked for and of the state that it was asked of.
    """

    at: str
    manager: Manager
    platform: Platform
    request: Digest
    packages: tuple[PackagePin, ...]


@frozen
class Lock:
    """All pins of one spec, each sorted by what it pins; `spec` is the digest of the evaluated spec."""

    spec: Digest
    images: tuple[ImagePin, ...] = ()
    files: tuple[FilePin, ...] = ()
    inputs: tuple[InputPin, ...] = ()
    packages: tuple[PackageSet, ...] = ()

    def image(self, reference: Reference) -> ImagePin | None:
        return next((pin for pin in self.images if pin.reference == reference), None)

    def file(self, url: str) -> FilePin | None:
        return next((pin for pin in self.files if pin.url == url), None)

    def package_set(self, at: str, platform: Platform) -> PackageSet | None:
        return next((each for each in self.packages if each.at == at and each.platform == platform), None)

    @property
    def is_empty(self) -> bool:
        return not (self.images or self.files or self.inputs or self.packages)
