"""Strict access to the members of JSON objects, and a keep for the members that nobody here knows.

As in the reference implementation, a member that is `null` counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bic.errors import Malformed
from bic.oci import json
from bic.oci.refusal import quote

Object = dict[str, object]
Pairs = tuple[tuple[str, str], ...]
"""Sorted by key, keys unique."""

Extra = tuple[tuple[str, str], ...]
"""Members kept as they came: sorted names, each with the canonical JSON of its value."""

LARGEST_SIZE = 2**63 - 1
"""Sizes are int64 in the image-spec."""

_EMPTY: tuple[object, ...] = ("", (), [], {})


def pairs(value: Mapping[str, str] | Iterable[tuple[str, str]]) -> Pairs:
    """A mapping as sorted pairs."""
    return tuple(sorted(dict(value).items()))


def as_object(value: object, what: str) -> Object:
    """The value itself, when it is a JSON object."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is no JSON object: {quote(value)}")
    return value


def member(obj: Object, key: str) -> Object:
    """The object at `key`, empty when absent."""
    value = obj.get(key)
    return {} if value is None else as_object(value, f"`{key}`")


def text(obj: Object, key: str) -> str:
    """The string at `key`, which must be there."""
    found = optional_text(obj, key)
    if found is None:
        raise Malformed(f"a required member is missing: `{key}`")
    return found


def optional_text(obj: Object, key: str) -> str | None:
    """The string at `key`."""
    value = obj.get(key)
    if value is None or isinstance(value, str):
        return value
    raise Malformed(f"`{key}` is no string: {quote(value)}")


def filled_text(obj: Object, key: str) -> str | None:
    """The string at `key`, where an empty one counts as absent."""
    return optional_text(obj, key) or None


def size(obj: Object, key: str) -> int:
    """The size in bytes at `key`, which must be there."""
    value = obj.get(key)
    if type(value) is not int or not 0 <= value <= LARGEST_SIZE:
        raise Malformed(f"`{key}` is no size in bytes: {quote(value)}")
    return value


def flag(obj: Object, key: str) -> bool:
    """The boolean at `key`, false when absent."""
    value = obj.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Malformed(f"`{key}` is no boolean: {quote(value)}")


def array(obj: Object, key: str) -> list[object]:
    """The array at `key`, empty when absent."""
    value = obj.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"`{key}` is no JSON array: {quote(value)}")
    return value


def texts(obj: Object, key: str) -> tuple[str, ...]:
    """The strings in the array at `key`, empty when absent."""
    found = array(obj, key)
    for item in found:
        if not isinstance(item, str):
            raise Malformed(f"`{key}` holds what is no string: {quote(item)}")
    return tuple(item for item in found if isinstance(item, str))


def text_map(obj: Object, key: str) -> Pairs:
    """The object of strings at `key` as sorted pairs, empty when absent."""
    found = member(obj, key)
    for item in found.values():
        if not isinstance(item, str):
            raise Malformed(f"`{key}` holds what is no string: {quote(item)}")
    return tuple(sorted((name, item) for name, item in found.items() if isinstance(item, str)))


def names(obj: Object, key: str) -> tuple[str, ...]:
    """The sorted keys of the object at `key`: how Go writes a set."""
    return tuple(sorted(member(obj, key)))


def present(obj: Mapping[str, object]) -> Object:
    """The object without members that are unset, false or empty; zero stays."""
    return {
        key: value for key, value in obj.items() if not (value is None or value is False or value in _EMPTY)
    }


def extra(obj: Object, known: Mapping[str, object]) -> Extra:
    """The members of `obj` that `known`, the form in which it would be written again, does not carry."""
    return tuple(
        (key, json.canonical(value).decode())
        for key, value in sorted(obj.items())
        if key not in known or known[key] != value
    )


def restore(kept: Extra) -> Object:
    """The members that `extra` kept."""
    return {key: json.parse(value.encode()) for key, value in kept}
