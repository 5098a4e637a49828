"""OCI image layouts on disk (image-spec 1.1, image-layout.md): content-addressed blobs and one index.

Effects: reads and writes below the layout's path, and reads what is imported. Files appear whole or not at
all. Blobs are verified when they are read, and never changed in place.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from attrs import evolve, field, frozen

from bic.errors import Fault, InputInvalid, Malformed, WorkFailed
from bic.oci import fields, files, json, media_types
from bic.oci.blob import Verified, wrong_size
from bic.oci.config import ImageConfig
from bic.oci.descriptor import Descriptor
from bic.oci.digest import LENGTHS, Digest
from bic.oci.index import Index, parse_manifest_or_index
from bic.oci.manifest import Manifest
from bic.oci.platform import Platform
from bic.oci.refusal import quote

VERSION: Final = "1.0.0"
MARKER: Final = "oci-layout"
INDEX: Final = "index.json"

MAX_NESTING = 8
"""Indexes within each other."""


@frozen
class Layout:
    """An OCI image layout; made by `create` or `open`."""

    path: Path = field(converter=Path)

    @classmethod
    def create(cls, path: Path) -> Layout:
        """The layout at the path, made when it is not there yet; one that is there stays as it is."""
        layout = cls(path)
        if (layout.path / MARKER).exists():
            return cls.open(path)
        (layout.path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        if not (layout.path / INDEX).exists():
            layout.write_index(Index(()))
        files.place(layout.path / MARKER, json.canonical({"imageLayoutVersion": VERSION}))
        return layout

    @classmethod
    def open(cls, path: Path) -> Layout:
        """The layout at the path; raises `InputInvalid` when there is none, or one of another version."""
        layout = cls(path)
        try:
            obj = fields.as_object(json.parse(files.read_bounded(layout.path / MARKER)), f"`{MARKER}`")
            version = fields.text(obj, "imageLayoutVersion")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputInvalid(f"there is no OCI layout in `{path}`") from error
        except Malformed as error:
            raise InputInvalid(f"`{MARKER}` in `{path}` is malformed: {error.message}") from error
        if version != VERSION:
            raise InputInvalid(f"the OCI layout in `{path}` has an unknown version: {quote(version)}")
        return layout

    def blob_path(self, digest: Digest) -> Path:
        """Where the blob is, or would be."""
        return self.path / "blobs" / digest.algorithm / digest.hex

    def has_blob(self, digest: Digest) -> bool:
        """Whether the blob is there; its content is not looked at."""
        return self.blob_path(digest).is_file()

    def read_blob(self, descriptor: Descriptor) -> bytes:
        """The blob's content; raises `WorkFailed` when it is missing or not what the descriptor says."""
        with self.open_blob(descriptor) as blob:
            return blob.read()

    def open_blob(self, descriptor: Descriptor) -> BinaryIO:
        """The blob as a stream that cannot seek; raises `WorkFailed` when missing or of another size.

        A wrong digest is raised by the read that reaches the end.
        """
        path = self.blob_path(descriptor.digest)
        found = files.size(path)
        if found is None:
            raise WorkFailed(f"a blob is missing from `{self.path}`: `{descriptor.digest}`")
        if found != descriptor.size:
            raise WorkFailed(wrong_size(descriptor, found))
        return io.BufferedReader(Verified(path.open("rb"), descriptor), files.CHUNK)

    def write_blob(self, data: bytes) -> Digest:
        """The digest of the data, which are a blob of the layout from now on."""
        digest = Digest.of(data)
        path = self.blob_path(digest)
        if files.size(path) != len(data) or path.read_bytes() != data:
            files.place(path, data)
        return digest

    def import_blob(self, source: Path | Layout, digest: Digest, *, verify: bool = True) -> None:
        """Makes a blob of a file or of another layout's blob: a hard link where possible, else a copy.

        Raises `WorkFailed` when the source is missing or has another digest. Without `verify` no content is
        hashed: for sources that have just been verified.
        """
        origin = source.blob_path(digest) if isinstance(source, Layout) else source
        target = self.blob_path(digest)
        if files.size(target) is not None and (
            not verify or files.digest_of(target, digest.algorithm) == digest
        ):
            return
        if files.size(origin) is None:
            raise WorkFailed(f"the blob to import is missing: `{origin}`")
        with files.replacing(target) as temporary:
            files.link_or_copy(origin, temporary)
            if verify:
                _expect(temporary, digest, origin)

    def index(self) -> Index:
        """The layout's own index; raises `Malformed`, or `WorkFailed` when it is missing."""
        try:
            return Index.parse(files.read_bounded(self.path / INDEX))
        except FileNotFoundError as error:
            raise WorkFailed(f"the OCI layout has no index: `{self.path}`") from error

    def write_index(self, index: Index) -> None:
        """Replaces the layout's own index at once, as canonical JSON."""
        files.place(self.path / INDEX, index.to_bytes())

    def read_document(self, descriptor: Descriptor) -> Manifest | Index:
        """The manifest or index that the descriptor points to; raises `Malformed` or `WorkFailed`."""
        if descriptor.size > json.MAX_SIZE:
            raise Malformed(f"a manifest is larger than {json.MAX_SIZE} bytes: `{descriptor.size}`")
        document = parse_manifest_or_index(self.read_blob(descriptor))
        if document.media_type != descriptor.media_type:
            raise Malformed(
                f"`{descriptor.digest}` is `{document.media_type}`, and its descriptor says"
                f" {quote(descriptor.media_type)}"
            )
        return document

    def read_manifest(self, descriptor: Descriptor) -> Manifest:
        """The image manifest that the descriptor points to; raises `Malformed` or `WorkFailed`."""
        document = self.read_document(descriptor)
        if isinstance(document, Index):
            raise Malformed(f"the descriptor of a manifest points to an index: `{descriptor.digest}`")
        return document

    def read_index(self, descriptor: Descriptor) -> Index:
        """The index that the descriptor points to; raises `Malformed` or `WorkFailed`."""
        document = self.read_document(descriptor)
        if isinstance(document, Manifest):
            raise Malformed(f"the descriptor of an index points to a manifest: `{descriptor.digest}`")
        return document

    def read_config(self, manifest: Manifest) -> ImageConfig:
        """The image config of the manifest; raises `Malformed` or `WorkFailed`."""
        if manifest.config.size > json.MAX_SIZE:
            raise Malformed(f"a config is larger than {json.MAX_SIZE} bytes: `{manifest.config.size}`")
        return ImageConfig.parse(self.read_blob(manifest.config))

    def images(self) -> tuple[Descriptor, ...]:
        """The image manifests that the index leads to, each once, its platform filled in from its config.

        Attestations and other artifacts are left out.
        """
        found = map(self._image, self._entries())
        return tuple(entry for entry in found if entry is not None)

    def resolve(self, platform: Platform | None) -> Descriptor:
        """The image manifest for the platform, through nested indexes; None asks for the only one there is.

        Raises `InputInvalid` that lists the platforms when there is none, or no single one.
        """
        images = self.images()
        fitting = [entry for entry in images if platform is None or entry.platform == platform]
        if fitting and (platform is not None or len(fitting) == 1):
            return fitting[0]
        there = ", ".join(sorted({f"`{entry.platform or 'unknown'}`" for entry in images}))
        message = (
            f"the image in `{self.path}` is for no single platform"
            if platform is None
            else f"the image in `{self.path}` lacks the platform `{platform}`"
        )
        raise InputInvalid(message, hint=f"it has {there}" if there else "it holds no image at all")

    def verify(self) -> tuple[Fault, ...]:
        """What is missing, corrupt or malformed among the blobs that the index leads to."""
        from bic.oci.audit import audit

        return audit(self)

    def prune(self) -> tuple[Digest, ...]:
        """Deletes blobs that the index does not lead to, and what killed writers left; the blobs' digests.

        Deletes nothing, and raises, when a manifest cannot be read: what it needs would be unknown.
        Nobody else may write to the layout meanwhile.
        """
        needed = set(self._needed())
        unneeded = [digest for digest in self.blobs() if digest not in needed]
        for path in (*map(self.blob_path, unneeded), *self._leftovers()):
            path.unlink(missing_ok=True)
        return tuple(unneeded)

    def blobs(self) -> Iterator[Digest]:
        """The digests of all blobs that are there, sorted."""
        for algorithm in sorted(LENGTHS):
            for path in sorted((self.path / "blobs" / algorithm).glob("*")):
                try:
                    yield Digest.parse(f"{algorithm}:{path.name}")
                except Malformed:
                    continue

    def _needed(self) -> Iterator[Digest]:
        for entry in self._entries():
            yield entry.digest
            if entry.media_type in media_types.MANIFESTS:
                yield from (blob.digest for blob in self.read_manifest(entry).blobs)

    def _leftovers(self) -> Iterator[Path]:
        for folder in (self.path, *(self.path / "blobs" / algorithm for algorithm in LENGTHS)):
            yield from folder.glob(f"{files.TEMPORARY}*")

    def _entries(self) -> Iterator[Descriptor]:
        """Each entry of the index and of those within it, once; only indexes are read."""
        level: tuple[Descriptor, ...] = self.index().manifests
        seen: set[Digest] = set()
        for _ in range(MAX_NESTING):
            nested: list[Descriptor] = []
            for entry in level:
                if entry.digest in seen:
                    continue
                seen.add(entry.digest)
                yield entry
                if entry.media_type in media_types.INDEXES:
                    nested.extend(self.read_index(entry).manifests)
            level = tuple(nested)
        if level:
            raise Malformed(f"indexes are nested deeper than `{MAX_NESTING}` levels")

    def _image(self, entry: Descriptor) -> Descriptor | None:
        if entry.is_attestation or entry.media_type not in media_types.MANIFESTS:
            return None
        if entry.platform is not None:
            return entry
        manifest = self.read_manifest(entry)
        if not manifest.is_image:
            return None
        try:
            return evolve(entry, platform=self.read_config(manifest).platform)
        except Malformed:
            return entry


def is_document(entry: Descriptor) -> bool:
    """Whether the descriptor claims to point to a manifest or an index."""
    return entry.media_type in media_types.INDEXES or entry.media_type in media_types.MANIFESTS


def _expect(path: Path, digest: Digest, origin: Path) -> None:
    found = files.digest_of(path, digest.algorithm)
    if found != digest:
        raise WorkFailed(f"`{origin}` is not blob `{digest}`: its content is `{found}`")
