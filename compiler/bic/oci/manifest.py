"""Image manifests (image-spec 1.1, manifest.md; Docker's version 2, schema 2)."""

from __future__ import annotations

from collections.abc import Container

from attrs import evolve, field, frozen

from bic.errors import Malformed
from bic.oci import fields, json, media_types
from bic.oci.descriptor import Descriptor
from bic.oci.fields import Extra, Object, Pairs
from bic.oci.platform import Platform
from bic.oci.refusal import quote

SCHEMA_VERSION = 2


@frozen
class Manifest:
    """A config and the layers, lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = media_types.OCI_MANIFEST
    annotations: Pairs = field(default=(), converter=fields.pairs)
    artifact_type: str | None = None
    subject: Descriptor | None = None
    extra: Extra = ()

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """The manifest that the bytes encode; raises `Malformed`."""
        return cls.from_json(json.parse(data))

    @classmethod
    def from_json(cls, value: object) -> Manifest:
        """The manifest that a JSON object holds; raises `Malformed`."""
        obj = fields.as_object(value, "a manifest")
        check_schema(obj)
        bare = cls(
            config=Descriptor.from_json(fields.member(obj, "config")),
            layers=tuple(map(Descriptor.from_json, fields.array(obj, "layers"))),
            media_type=declared_type(obj, media_types.MANIFESTS, media_types.OCI_MANIFEST),
            annotations=fields.text_map(obj, "annotations"),
            artifact_type=fields.filled_text(obj, "artifactType"),
            subject=None if obj.get("subject") is None else Descriptor.from_json(obj["subject"]),
        )
        return evolve(bare, extra=fields.extra(obj, bare.to_json()))

    def to_json(self) -> Object:
        """The manifest as a JSON object, unknown members included, and always with its `mediaType`."""
        known: Object = {
            "schemaVersion": SCHEMA_VERSION,
            "mediaType": self.media_type,
            "config": self.config.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }
        optional = {
            "annotations": dict(self.annotations),
            "artifactType": self.artifact_type,
            "subject": None if self.subject is None else self.subject.to_json(),
        }
        return fields.restore(self.extra) | known | fields.present(optional)

    def to_bytes(self) -> bytes:
        """The manifest as canonical JSON."""
        return json.canonical(self.to_json())

    def descriptor(self, platform: Platform | None = None) -> Descriptor:
        """The descriptor of `to_bytes()`."""
        return Descriptor.of(self.to_bytes(), self.media_type, platform)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """All that the manifest needs: the config, then the layers."""
        return (self.config, *self.layers)

    @property
    def download_size(self) -> int:
        """Bytes of the layers as they are stored."""
        return sum(layer.size for layer in self.layers)

    @property
    def is_image(self) -> bool:
        """Whether the config is that of an image, and not of some other artifact."""
        return self.config.media_type in media_types.CONFIGS


def check_schema(obj: Object) -> None:
    """Refuses all but `schemaVersion` 2, and documents that could be read as manifest and index alike.

    The latter is CVE-2021-41190: two readers of one digest must never see two images.
    """
    version = obj.get("schemaVersion")
    if version == 1 or obj.get("mediaType") in tuple(media_types.DOCKER_SCHEMA1):
        raise Malformed(
            "the manifest is of a schema that is no longer read: `1`",
            "push the image again with a current tool",
        )
    if type(version) is not int or version != SCHEMA_VERSION:
        raise Malformed(f"the manifest has an unknown `schemaVersion`: {quote(version)}")
    if "manifests" in obj and ("config" in obj or "layers" in obj):
        raise Malformed("the document is an index and a manifest at once: `manifests`")


def declared_type(obj: Object, allowed: Container[str], default: str) -> str:
    """The media type that a document gives itself, `default` when it gives none."""
    declared = fields.filled_text(obj, "mediaType") or default
    if declared not in allowed:
        raise Malformed(f"the document has another media type than its members say: {quote(declared)}")
    return declared
