"""Descriptors: what points to a blob (image-spec 1.1, descriptor.md)."""

from __future__ import annotations

import re

from attrs import evolve, field, frozen

from bic.errors import Malformed
from bic.oci import fields
from bic.oci.digest import Digest
from bic.oci.fields import Extra, Object, Pairs
from bic.oci.platform import Platform
from bic.oci.refusal import quote

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}")

ATTESTATION = ("vnd.docker.reference.type", "attestation-manifest")
"""The annotation by which BuildKit marks what stands in an index and is no image."""


@frozen
class Descriptor:
    """The media type, digest and size of a blob, and what an index says about it.

    `platform` is None where there is none, and where it is not one that `Platform` knows (attestations stand
    in an index as `unknown/unknown`). Members that have no field here are kept in `extra` and written again.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Pairs = field(default=(), converter=fields.pairs)
    artifact_type: str | None = None
    extra: Extra = ()

    @classmethod
    def of(cls, data: bytes, media_type: str, platform: Platform | None = None) -> Descriptor:
        """The descriptor of the data."""
        return cls(media_type, Digest.of(data), len(data), platform)

    @classmethod
    def from_json(cls, value: object) -> Descriptor:
        """The descriptor that a JSON object holds; raises `Malformed`."""
        obj = fields.as_object(value, "a descriptor")
        bare = cls(
            media_type=media_type(fields.text(obj, "mediaType")),
            digest=Digest.parse(fields.text(obj, "digest")),
            size=fields.size(obj, "size"),
            platform=_platform(obj),
            annotations=fields.text_map(obj, "annotations"),
            artifact_type=fields.filled_text(obj, "artifactType"),
        )
        return evolve(bare, extra=fields.extra(obj, bare.to_json()))

    def to_json(self) -> Object:
        """The descriptor as a JSON object, unknown members included."""
        kept = fields.restore(self.extra)
        return kept | self._known() | self._platform_as_it_came(kept)

    @property
    def is_attestation(self) -> bool:
        """Whether this is an entry of an index about another one, and no image."""
        return ATTESTATION in self.annotations

    def _known(self) -> Object:
        head: Object = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        return head | fields.present(
            {
                "platform": None if self.platform is None else platform_to_json(self.platform),
                "annotations": dict(self.annotations),
                "artifactType": self.artifact_type,
            }
        )

    def _platform_as_it_came(self, kept: Object) -> Object:
        """Its spelling (`arm64/v8`) and `os.version`, unless the platform has been replaced since."""
        return (
            {"platform": kept["platform"]} if "platform" in kept and _platform(kept) == self.platform else {}
        )


def media_type(text: str) -> str:
    """The text itself, when it is a media type by RFC 6838, section 4.2; raises `Malformed`."""
    if not _MEDIA_TYPE.fullmatch(text):
        raise Malformed(f"a media type is not of the form TYPE/SUBTYPE: {quote(text)}")
    return text


def platform_to_json(platform: Platform) -> Object:
    """A platform as an index or a config has it."""
    head: Object = {"os": platform.os, "architecture": platform.architecture}
    return head if platform.variant is None else head | {"variant": platform.variant}


def _platform(obj: Object) -> Platform | None:
    found = fields.member(obj, "platform")
    os, architecture = fields.filled_text(found, "os"), fields.filled_text(found, "architecture")
    variant = fields.filled_text(found, "variant")
    if os is None or architecture is None:
        return None
    try:
        return Platform.of(os, architecture, variant)
    except Malformed:
        return None
