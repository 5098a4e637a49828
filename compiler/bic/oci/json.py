"""JSON in one canonical form, and a parser that hostile bytes cannot upset."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import NoReturn

from bic.errors import Malformed
from bic.oci.refusal import quote

MAX_SIZE = 8 * 1024 * 1024
"""Bytes: twice what registries must accept for a manifest (distribution-spec 1.1, 4 MiB)."""

MAX_DEPTH = 64
"""Containers within each other; the image-spec needs six."""


def canonical(value: object) -> bytes:
    """The one encoding of a JSON value: sorted keys, no spaces, UTF-8, no final newline.

    Raises `Malformed` for what JSON in UTF-8 cannot carry (NaN, infinities, lone surrogates, other types).
    """
    try:
        text = json.dumps(
            value,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
            default=_foreign,
        )
        return text.encode()
    except (RecursionError, TypeError, ValueError) as error:
        raise Malformed(f"the value has no JSON encoding: {quote(str(error))}") from error


def parse(data: bytes, *, limit: int = MAX_SIZE) -> object:
    """The value that the bytes encode, at most `limit` bytes and `MAX_DEPTH` deep.

    Raises `Malformed`, also for duplicate keys, numbers that are not finite, and text that is not UTF-8.
    """
    if len(data) > limit:
        raise Malformed(f"the JSON document is larger than {limit} bytes: `{len(data)}`")
    text = _decode(data)
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_not_finite, parse_float=_finite
        )
    except Malformed:
        raise
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise Malformed(f"the document is not JSON: {quote(str(error))}") from error
    _check_depth(value)
    if "\\u" in text:
        canonical(value)
    return value


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"the JSON document is not UTF-8 at byte `{error.start}`") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Malformed(f"a JSON object has a key twice: {quote(key)}")
        seen.add(key)
    return found


def _not_finite(text: str) -> NoReturn:
    raise Malformed(f"a JSON number is not finite: {quote(text)}")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _foreign(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is no JSON type")


def _check_depth(value: object) -> None:
    """Level by level, so that the check itself cannot exhaust the stack."""
    level = list(_children((value,)))
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = list(_children(child for container in level for child in _values(container)))
    if level:
        raise _too_deep()


def _children(values: Iterable[object]) -> Iterable[dict[str, object] | list[object]]:
    return (value for value in values if isinstance(value, dict | list))


def _values(container: dict[str, object] | list[object]) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container


def _too_deep() -> Malformed:
    return Malformed(f"the JSON document is nested deeper than `{MAX_DEPTH}` levels")
