"""The model's classes as tables of keys: name, type, default, and the meaning from the docstring."""

from __future__ import annotations

import inspect
import re
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from bic.spec.structure import toml_name

_FIELD = re.compile(r"([a-z0-9_]+): (.+)")


@frozen
class Key:
    """One key of a table. `default` is TOML data, None where it is derived, empty or absent."""

    name: str
    type: Any
    meaning: str
    required: bool
    default: Any


def keys(cls: type) -> tuple[Key, ...]:
    """The keys of a model class in the order of its fields."""
    hints, meanings = get_type_hints(cls), _meanings(cls)
    return tuple(
        Key(
            toml_name(attribute),
            without_none(hints[attribute.name]),
            meanings.get(toml_name(attribute), ""),
            attribute.default is attrs.NOTHING,
            _default(attribute.default),
        )
        for attribute in attrs.fields(cls)
    )


def summary(cls: type) -> str:
    """The docstring of a class without its lines about fields, as one line."""
    lines = inspect.cleandoc(cls.__doc__ or "").splitlines()
    return " ".join(line for line in lines if line and not _FIELD.fullmatch(line))


def _meanings(cls: type) -> dict[str, str]:
    lines = inspect.cleandoc(cls.__doc__ or "").splitlines()
    found = (_FIELD.fullmatch(line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def without_none(kind: Any) -> Any:
    """`X` for `X | None`: TOML has no null, a key is left out instead."""
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (each for each in get_args(kind) if each is not types.NoneType)
    return kind


def choices(kind: Any) -> tuple[str, ...]:
    """The values of a Literal; none for other types."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def element(kind: Any) -> Any:
    """The type of the elements of an array; None for other types."""
    return get_args(kind)[0] if get_origin(kind) is tuple else None


def _default(value: Any) -> Any:
    match value:
        case None | "" | ():
            return None
        case _ if value is attrs.NOTHING or hasattr(value, "takes_self"):
            return None
        case bool() | int() | str():
            return value
        case tuple():
            return list(value)
        case _:
            return str(value)
