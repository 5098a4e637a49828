"""Image indexes (image-spec 1.1, image-index.md; Docker's manifest lists)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, field, frozen

from bic.errors import Malformed
from bic.oci import fields, json, media_types
from bic.oci.descriptor import Descriptor
from bic.oci.fields import Extra, Object, Pairs
from bic.oci.manifest import SCHEMA_VERSION, Manifest, check_schema, declared_type
from bic.oci.platform import Platform
from bic.oci.refusal import quote


@frozen
class Index:
    """Descriptors of manifests, mostly one a platform."""

    manifests: tuple[Descriptor, ...]
    media_type: str = media_types.OCI_INDEX
    annotations: Pairs = field(default=(), converter=fields.pairs)
    artifact_type: str | None = None
    subject: Descriptor | None = None
    extra: Extra = ()

    @classmethod
    def of(
        cls,
        manifests: Iterable[Descriptor],
        annotations: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Index:
        """The index of the manifests in its one order: by os, architecture, variant, then digest.

        Entries without a platform come last.
        """
        return cls(tuple(sorted(manifests, key=_order)), annotations=annotations)

    @classmethod
    def parse(cls, data: bytes) -> Index:
        """The index that the bytes encode, its order kept; raises `Malformed`."""
        return cls.from_json(json.parse(data))

    @classmethod
    def from_json(cls, value: object) -> Index:
        """The index that a JSON object holds, its order kept; raises `Malformed`."""
        obj = fields.as_object(value, "an index")
        check_schema(obj)
        if "manifests" not in obj:
            raise Malformed("a required member is missing: `manifests`")
        bare = cls(
            manifests=tuple(map(Descriptor.from_json, fields.array(obj, "manifests"))),
            media_type=declared_type(obj, media_types.INDEXES, media_types.OCI_INDEX),
            annotations=fields.text_map(obj, "annotations"),
            artifact_type=fields.filled_text(obj, "artifactType"),
            subject=None if obj.get("subject") is None else Descriptor.from_json(obj["subject"]),
        )
        return evolve(bare, extra=fields.extra(obj, bare.to_json()))

    def to_json(self) -> Object:
        """The index as a JSON object, unknown members included, and always with its `mediaType`."""
        known: Object = {
            "schemaVersion": SCHEMA_VERSION,
            "mediaType": self.media_type,
            "manifests": [manifest.to_json() for manifest in self.manifests],
        }
        optional = {
            "annotations": dict(self.annotations),
            "artifactType": self.artifact_type,
            "subject": None if self.subject is None else self.subject.to_json(),
        }
        return fields.restore(self.extra) | known | fields.present(optional)

    def to_bytes(self) -> bytes:
        """The index as canonical JSON."""
        return json.canonical(self.to_json())

    def descriptor(self) -> Descriptor:
        """The descriptor of `to_bytes()`."""
        return Descriptor.of(self.to_bytes(), self.media_type)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms that the entries name, sorted, each once."""
        return tuple(sorted({entry.platform for entry in self.manifests if entry.platform is not None}))

    def for_platform(self, platform: Platform) -> Descriptor | None:
        """The first entry for exactly this platform."""
        entries = (entry for entry in self.manifests if not entry.is_attestation)
        return next((entry for entry in entries if entry.platform == platform), None)


def parse_manifest_or_index(data: bytes) -> Manifest | Index:
    """What the bytes encode, OCI's or Docker's, told apart by its members; raises `Malformed`."""
    obj = fields.as_object(json.parse(data), "a manifest")
    check_schema(obj)
    if "manifests" in obj:
        return Index.from_json(obj)
    if "config" in obj and "layers" in obj:
        return Manifest.from_json(obj)
    raise Malformed(
        f"the document is neither an image manifest nor an index: {quote(', '.join(sorted(obj)))}"
    )


def _order(entry: Descriptor) -> tuple[bool, str, str, str, str]:
    digest, platform = str(entry.digest), entry.platform
    if platform is None:
        return True, "", "", "", digest
    return False, platform.os, platform.architecture, platform.variant or "", digest
