"""What bic asks registries, whatever tool does the asking."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference


class Registry(Protocol):
    """Answers about images. All raise `WorkFailed` that says what the registry, or the network, refused."""

    def raw(self, reference: Reference) -> bytes:
        """The bytes of the manifest or index that a tag or digest names; by digest, they have that digest."""

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        """The manifest or index that a tag or digest names, with its digest."""

    def raw_config(self, reference: Reference) -> bytes:
        """The bytes of the config of the manifest that a digest reference names."""

    def config(self, reference: Reference) -> ImageConfig:
        """The image config of the manifest that a digest reference names."""

    def digest(self, reference: Reference) -> Digest:
        """The digest that a tag names now, by the cheapest question that the tool has."""

    def tags(self, repository: Reference) -> tuple[str, ...]:
        """All tags of the repository, sorted; tag and digest of the reference say nothing here."""

    def pull(self, reference: Reference, layout: Path) -> None:
        """Bring the manifest that a digest reference names, with config and layers, into a new OCI layout.

        Nothing may be at `layout` yet. Media types and digests stay as they are. The layout appears whole.
        """
