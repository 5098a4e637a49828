"""Values of the model and of the intermediate representation as plain data, and its digest.

Plain data is what JSON has. Two values have the same plain data exactly when they mean the same: spans
and whatever else a class marks with `metadata={"identity": False}` stay outside.
"""

from __future__ import annotations

from typing import Any

import attrs

from bic.errors import Span
from bic.oci.digest import Digest
from bic.oci.json import canonical
from bic.oci.platform import Platform
from bic.oci.reference import Reference

OUTSIDE = {"identity": False}
"""Field metadata: not part of what a value means."""


def plain(value: Any) -> Any:
    """`value` as nested dicts, lists and scalars; classes carry their name as `kind`."""
    match value:
        case None | bool() | int() | str():
            return value
        case Digest() | Platform() | Reference():
            return str(value)
        case tuple() | list():
            return [plain(each) for each in value]
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case _:
            return _record(value)


def _record(value: Any) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": type(value).__name__}
    for name in _identity_fields(type(value)):
        record[name] = plain(getattr(value, name))
    return record


def _identity_fields(cls: type) -> tuple[str, ...]:
    found = _FIELDS.get(cls)
    if found is None:
        fields = attrs.fields(cls)
        found = tuple(f.name for f in fields if f.metadata.get("identity", True) and f.type not in _SPANS)
        _FIELDS[cls] = found
    return found


_SPANS = ("Span", "Span | None", Span)
_FIELDS: dict[type, tuple[str, ...]] = {}


def digest_of(value: Any) -> Digest:
    """The sha256 of the canonical JSON of `plain(value)`."""
    return Digest.of(canonical(plain(value)))
