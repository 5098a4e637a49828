"""Reading from registries, through skopeo; credentials, mirrors and CAs are the containers ones."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from bic.errors import BicError, Fault, WorkFailed
from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index, parse_manifest_or_index
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference
from bic.process import Cancel, Command, ProcessFailed, environment, run

RETRIES = 3


def skopeo() -> tuple[str, ...]:
    """skopeo, told of the registries.conf that the user chose: skopeo 1.9 does not read the variable."""
    chosen = environment().get("CONTAINERS_REGISTRIES_CONF")
    return ("skopeo", "--registries-conf", chosen) if chosen else ("skopeo",)


class Registry(Protocol):
    """What locking asks a registry."""

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        """The manifest or index that a tag or digest names, with its digest."""

    def config(self, reference: Reference) -> ImageConfig:
        """The image config of the manifest that a digest reference names."""


@frozen
class Skopeo:
    """A `Registry` that starts `skopeo inspect` for every question."""

    cancel: Cancel | None = None

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        raw = self._inspect(reference, "--raw")
        return Digest.of(raw), parse_manifest_or_index(raw)

    def config(self, reference: Reference) -> ImageConfig:
        return ImageConfig.parse(self._inspect(reference, "--config", "--raw"))

    def _inspect(self, reference: Reference, *options: str) -> bytes:
        exact = reference.with_tag(None) if reference.digest else reference
        argv = (*skopeo(), "inspect", *options, "--retry-times", str(RETRIES), f"docker://{exact}")
        try:
            return run(Command(argv), cancel=self.cancel).stdout
        except ProcessFailed as error:
            raise _explained(reference, error.completed.stderr_tail) from error


def _explained(reference: Reference, stderr: str) -> BicError:
    """What a failed question means to the user; skopeo's last line is kept as a note."""
    last = stderr.strip().splitlines()[-1] if stderr.strip() else "no message"
    found = next((each for each in SYMPTOMS if any(sign in stderr.lower() for sign in each[0])), None)
    if found is None:
        return WorkFailed(Fault(f"the registry did not answer for `{reference}`", notes=(last,)))
    _, message, hint = found
    return WorkFailed(
        Fault(f"{message} `{reference}`", hint=hint.format(domain=reference.domain), notes=(last,))
    )


SYMPTOMS = (
    (
        ("manifest unknown", "name unknown", "not found"),
        "the registry has no image",
        "check the name and the tag; was it deleted?",
    ),
    (
        ("unauthorized", "authentication required", "denied"),
        "the registry refuses access to",
        "`skopeo login {domain}`, or set REGISTRY_AUTH_FILE",
    ),
    (
        ("no such host", "connection refused", "connection reset", "timeout", "eof"),
        "the registry cannot be reached for",
        "check the network, or a mirror in registries.conf",
    ),
)
"""Words of skopeo's messages, what they mean, and what to do."""
