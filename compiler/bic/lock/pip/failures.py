"""What a failure of uv means to the user; uv's own words are kept as a note, without credentials."""

from __future__ import annotations

import re
from typing import Final

from bic.errors import BicError, Fault, InputInvalid, WorkFailed
from bic.lock.pip.indexes import Indexes, masked
from bic.lock.pip.model import Target
from bic.oci.refusal import quote

_NAME: Final = r"([A-Za-z0-9][A-Za-z0-9._-]*)"
_EXACT: Final = re.compile(rf"{_NAME}==\S+ has no (?:usable |`[^`]*`-compatible )?wheels")
_AVAILABLE: Final = re.compile(r"Wheels are available for `([^`]+)`")
_REQUIRED: Final = re.compile(r"Wheels are required for `([^`]+)`")
_UNKNOWN: Final = re.compile(rf"{_NAME} was not found in the (?:package registry|provided package locations)")

WHEEL_HINT: Final = "take another version, or install it in a `shell` step, which may compile"

SYMPTOMS: Final = (
    (
        ("401 unauthorized", "403 forbidden"),
        "a package index refuses access",
        "give its password in netrc, or in the address in UV_DEFAULT_INDEX or UV_INDEX",
    ),
    (
        ("network was disabled", "network connectivity is disabled"),
        "without the network, not everything that is asked for is known",
        "run it once with the network",
    ),
    (
        ("failed to fetch", "request failed", "error sending request", "timed out"),
        "a package index cannot be reached",
        "check the network, UV_DEFAULT_INDEX and UV_INDEX; for a certificate of your own, SSL_CERT_FILE",
    ),
)
"""Words of uv's messages, what they mean, and what to do."""


def explained(stderr: str, target: Target, indexes: Indexes) -> BicError:
    """The failure for what uv wrote."""
    said = masked(stderr.strip()) or "no message"
    for secret in sorted(indexes.secrets, key=len, reverse=True):
        said = said.replace(secret, "***")
    for signs, message, hint in SYMPTOMS:
        if any(sign in said.lower() for sign in signs):
            return WorkFailed(Fault(message, hint=hint, notes=(said,)))
    return _unsolved(said, target)


def _unsolved(said: str, target: Target) -> BicError:
    if found := _REQUIRED.search(said) or _AVAILABLE.search(said) or _EXACT.search(said):
        return no_wheel(found[1], _exact_version(found[1], said), target, said)
    if found := _UNKNOWN.search(said):
        hint = "check the name; for a package of your own, set UV_INDEX"
        return InputInvalid(Fault(f"no index has the package {quote(found[1])}", hint=hint, notes=(said,)))
    if "No solution found" in said:
        message = f"the requirements cannot be met together for {target}"
        return InputInvalid(Fault(message, hint="relax the versions that the note names", notes=(said,)))
    return WorkFailed(Fault("uv could not resolve the requirements", notes=(said,)))


def _exact_version(name: str, said: str) -> str | None:
    """The version that is asked for; None where any of several would have done."""
    found = re.search(rf"(?:require|depends on) {re.escape(name)}==([^\s,]+)", said)
    return found[1] if found else None


def no_wheel(name: str, version: str | None, target: Target, *notes: str) -> InputInvalid:
    """There is a package, but nothing of it that the target could install."""
    which = f"`{name}` {version}" if version is not None else f"`{name}`"
    return InputInvalid(Fault(f"{which} has no wheel for {target}", hint=WHEEL_HINT, notes=notes))
