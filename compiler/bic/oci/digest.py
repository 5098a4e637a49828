"""Content digests (image-spec 1.1, descriptor.md, section "Digests")."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from bic.errors import Malformed
from bic.oci.refusal import near, quote

LENGTHS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
"""Hex digits of each algorithm."""

_LOWER_HEX = re.compile(r"[0-9a-f]+")


@frozen(order=True)
class Digest:
    """An algorithm and the lower-case hex that it yields for some content."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The digest written as `sha256:…`; raises `Malformed`."""
        algorithm, colon, encoded = text.partition(":")
        if not colon:
            raise Malformed(f"a digest names no algorithm: {quote(text)}", "write it as `sha256:…`")
        if algorithm not in LENGTHS:
            raise Malformed(f"a digest has an unknown algorithm: {quote(text)}", near(algorithm, LENGTHS))
        if len(encoded) != LENGTHS[algorithm]:
            wanted = LENGTHS[algorithm]
            raise Malformed(f"a {algorithm} digest has {len(encoded)} digits, not {wanted}: {quote(text)}")
        if not _LOWER_HEX.fullmatch(encoded):
            raise Malformed(f"a digest is not in lower-case hex: {quote(text)}")
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The sha256 digest of the data."""
        from hashlib import sha256

        return cls("sha256", sha256(data).hexdigest())

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @property
    def short(self) -> str:
        """The first twelve digits, for people."""
        return self.hex[:12]
