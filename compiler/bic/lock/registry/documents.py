"""Bytes from registries, checked and read."""

from __future__ import annotations

import hashlib

from bic.errors import Malformed
from bic.lock.registry.failure import Failed, explained
from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index, parse_manifest_or_index
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference


def verified(reference: Reference, raw: bytes) -> bytes:
    """The bytes themselves; `Failed`, which may pass, where they are not what the reference's digest names.

    skopeo does not look: `inspect --raw` prints what came.
    """
    if reference.digest is not None and not has_digest(raw, reference.digest):
        raise Failed("passing", f"what came does not have the digest {reference.digest}")
    return raw


def has_digest(raw: bytes, digest: Digest) -> bool:
    return hashlib.new(digest.algorithm, raw).hexdigest() == digest.hex


def document(reference: Reference, raw: bytes) -> tuple[Digest, Manifest | Index]:
    """The manifest or index that the bytes are, with the reference's digest, or else their sha256."""
    try:
        return reference.digest or Digest.of(raw), parse_manifest_or_index(raw)
    except Malformed as error:
        raise explained(reference, Failed("odd", error.message)) from error


def config(reference: Reference, raw: bytes) -> ImageConfig:
    """The image config that the bytes are."""
    try:
        return ImageConfig.parse(raw)
    except Malformed as error:
        raise explained(reference, Failed("odd", error.message)) from error
