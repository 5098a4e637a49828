"""Why a registry tool gave no answer: its last words, what they mean, and whether asking again may help."""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

from bic.errors import Fault, WorkFailed
from bic.oci.reference import Reference

Kind = Literal["absent", "denied", "helper", "busy", "untrusted", "passing", "unreachable", "odd", "other"]

NO_WORDS = "no message"
LONGEST = 400


class Failed(Exception):
    """One attempt failed: its kind, the tool's last line, masked, and the seconds of Retry-After."""

    def __init__(self, kind: Kind, last: str, retry_after: float | None = None) -> None:
        super().__init__(last)
        self.kind: Kind = kind
        self.last = masked(last)
        self.retry_after = retry_after

    @property
    def may_pass(self) -> bool:
        """Whether asking again may bring another answer: not where the registry has said no."""
        return self.kind in ("busy", "passing")


@frozen
class Symptom:
    """Words of the tools' messages in lower case, what they mean, and what to do."""

    kind: Kind
    signs: tuple[str, ...]
    message: str
    hint: str


SYMPTOMS = (
    Symptom(
        "helper",
        ("docker-credential-", "credential helper"),
        "the credential helper failed for",
        "see `credHelpers` and `credsStore` in the auth file",
    ),
    Symptom(
        "busy",
        ("toomanyrequests", "too many requests", "status code 429"),
        "the registry takes no more questions for now about",
        "wait, or use a login or a mirror: `skopeo login {domain}`, registries.conf",
    ),
    Symptom(
        "denied",
        (
            *("unauthorized", "authentication required", "denied", "forbidden"),
            *("status code 401", "status code 403", "statuscode: 401", "statuscode: 403"),
        ),
        "the registry refuses access to",
        "`skopeo login {domain}`, or set REGISTRY_AUTH_FILE",
    ),
    Symptom(
        "absent",
        ("manifest unknown", "name unknown", "not found", "status code 404", "statuscode: 404", "_unknown:"),
        "the registry has no image",
        "check the name and the tag; was it deleted?",
    ),
    Symptom(
        "untrusted",
        ("x509", "certificate", "server gave http response"),
        "there is no TLS that can be trusted to the registry of",
        "put its CA into ~/.config/containers/certs.d/{domain}, or `insecure = true` into registries.conf",
    ),
    Symptom(
        "passing",
        (
            *("status code 408", "status code 5", "statuscode: 5", "http status: 5", "from registry 5"),
            *(
                "timeout",
                "timed out",
                "deadline exceeded",
                "connection reset",
                "broken pipe",
                "eof",
                "server misbehaving",
            ),
            *("temporary failure", "internal_error", "digest does not match", "did not match"),
        ),
        "the registry cannot be reached for",
        "check the network, or a mirror in registries.conf",
    ),
    Symptom(
        "unreachable",
        ("no such host", "connection refused", "unreachable", "no route to host"),
        "the registry cannot be reached for",
        "check the network, or a mirror in registries.conf",
    ),
)
"""In the order in which they are looked for."""


def kind_of(last: str, *names: str) -> Kind:
    """What the last line of a tool means; `names` are the image's, whose words mean nothing."""
    text = last.lower()
    for name in names:
        text = text.replace(name.lower(), "")
    return next((each.kind for each in SYMPTOMS if any(sign in text for sign in each.signs)), "other")


def masked(line: str) -> str:
    """The line without what may be secret in addresses: user information and queries."""
    without = re.sub(r"//[^/@\s\"]+@", "//***@", line)
    return re.sub(r"(://[^\s?\"]+)\?[^\s\"]+", r"\1?***", without)[:LONGEST]


def explained(reference: Reference, failed: Failed) -> WorkFailed:
    """What the failure means to the user; the tool's last line is kept as a note."""
    notes: tuple[str, ...] = (failed.last,)
    if failed.retry_after is not None:
        notes += (f"the registry asks to come back after {failed.retry_after:g} seconds",)
    found = next((each for each in SYMPTOMS if each.kind == failed.kind), None)
    if found is None:
        return WorkFailed(Fault(f"{_without_symptom(failed)} `{reference}`", notes=notes))
    hint = found.hint.format(domain=reference.domain)
    return WorkFailed(Fault(f"{found.message} `{reference}`", hint=hint, notes=notes))


def _without_symptom(failed: Failed) -> str:
    if failed.kind == "odd":
        return "the registry's answer cannot be read for"
    return "the registry did not answer for"
