"""Plain TOML data into the model's classes, strictly, with every fault at its path.

cattrs does the walking. Its own primitives coerce ("80" becomes 80, 5 becomes "5", "abc" becomes a
tuple of letters), so every leaf type has a hook here that accepts exactly one TOML type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import attrs
from attrs import frozen
from cattrs import BaseValidationError, Converter
from cattrs.errors import (
    AttributeValidationNote,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from bic.errors import Malformed
from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.spec import values
from bic.spec.model import Account, BindTable, EnvTable, NonEmptyText, TextTable, UserId
from bic.spec.near import did_you_mean
from bic.spec.toml import TomlPath

T = TypeVar("T")


@frozen
class Problem:
    """Something wrong at `path`, relative to the structured value; `at_key` means the key, not its value."""

    path: TomlPath
    message: str
    hint: str | None = None
    at_key: bool = False


class _Wrong(ValueError):
    """A leaf that is not what the language wants."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def structure(data: Any, cls: type[T]) -> tuple[T | None, list[Problem]]:
    """`data` as an instance of `cls`, or None and all that is wrong with it."""
    if not isinstance(data, dict):
        return None, [Problem((), f"expected a table, found {kind_of(data)}")]
    try:
        return converter().structure(data, cls), []
    except BaseValidationError as error:
        return None, list(_problems(error, (), cls))


def structure_value(data: Any, cls: Any) -> tuple[Any, list[Problem]]:
    """Like `structure` for any type of the model, such as `EnvTable`."""
    try:
        return converter().structure(data, cls), []
    except (BaseValidationError, _Wrong, Malformed, ValueError) as error:
        return None, list(_problems(error, (), cls))


def kind_of(value: Any) -> str:
    """What TOML calls the type of a value, with its article."""
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a float"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def toml_name(attribute: attrs.Attribute[Any]) -> str:
    """The key in TOML, where it is no name in Python: `origin` is written `from`."""
    return str(attribute.metadata.get("toml", attribute.name))


@functools.cache
def converter() -> Converter:
    """The strict converter; built once, classes are compiled when first met."""
    made = Converter(detailed_validation=True, forbid_extra_keys=True)
    made.register_structure_hook_factory(attrs.has, functools.partial(_class_hook, made))
    # By class: cattrs asks its own hooks for these, which coerce, before any predicate.
    made.register_structure_hook(str, _parsed(_without_nul))
    made.register_structure_hook(int, _leaf(int, "an integer"))
    made.register_structure_hook(bool, _leaf(bool, "a boolean"))
    for kind, parse in values.PARSERS.items():
        made.register_structure_hook_func(functools.partial(_is, kind), _parsed(parse))
    made.register_structure_hook_func(functools.partial(_is, Platform), _parsed(Platform.parse))
    made.register_structure_hook_func(functools.partial(_is, Reference), _parsed(Reference.parse))
    made.register_structure_hook_func(functools.partial(_is, Account), _parsed(values.account))
    made.register_structure_hook_func(functools.partial(_is, NonEmptyText), _non_empty)
    made.register_structure_hook_func(functools.partial(_is, UserId), _user_id)
    for table, key, value in (
        (EnvTable, values.env_name, values.line),
        (TextTable, values.label, values.line),
        (BindTable, values.image_path, values.workspace_path),
    ):
        made.register_structure_hook_func(functools.partial(_is, table), _table(key, value))
    made.register_structure_hook_func(_is_literal, _literal)
    made.register_structure_hook_func(_is_tuple, functools.partial(_tuple, made))
    return made


def _class_hook(made: Converter, cls: type) -> Callable[..., Any]:
    renamed = {a.name: override(rename=toml_name(a)) for a in attrs.fields(cls) if toml_name(a) != a.name}
    hook = make_dict_structure_fn(cls, made, _cattrs_forbid_extra_keys=True, **renamed)  # type: ignore[arg-type,var-annotated]

    def checked(data: Any, target: Any) -> Any:
        if not isinstance(data, dict):
            raise _Wrong(f"expected a table, found {kind_of(data)}")
        return hook(data, target)

    return checked


def _is(kind: Any, candidate: Any) -> bool:
    return candidate is kind


def _leaf(kind: type, wanted: str) -> Callable[..., Any]:
    def hook(data: Any, _: Any) -> Any:
        if type(data) is not kind:
            raise _Wrong(f"expected {wanted}, found {kind_of(data)}", _quoting_hint(kind, data))
        return data

    return hook


def _quoting_hint(kind: type, data: Any) -> str | None:
    match kind, data:
        case (k, str()) if k is int and data.lstrip("-").isdecimal():
            return f"write {data} without quotes"
        case (k, str()) if k is bool and data in ("true", "false"):
            return f"write {data} without quotes"
        case (k, bool()) if k is str:
            return f'write "{str(data).lower()}" in quotes'
        case (k, int() | float()) if k is str:
            return f'write "{data}" in quotes'
        case _:
            return None


def _parsed(parse: Callable[[str], Any]) -> Callable[..., Any]:
    def hook(data: Any, _: Any) -> Any:
        if type(data) is not str:
            hint = (
                'write octal digits in quotes, such as "0755"'
                if parse in _MODES
                else _quoting_hint(str, data)
            )
            raise _Wrong(f"expected a string, found {kind_of(data)}", hint)
        return parse(data)

    return hook


_MODES = (values.mode, values.mode_change)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise Malformed("a string must not hold NUL: no argument and no text file can")
    return text


def _non_empty(data: Any, _: Any) -> str:
    if type(data) is not str:
        raise _Wrong(f"expected a string, found {kind_of(data)}")
    if not data.strip():
        raise _Wrong("expected a script, found an empty string")
    return _without_nul(data)


def _user_id(data: Any, _: Any) -> int:
    if type(data) is not int:
        raise _Wrong(f"expected an integer, found {kind_of(data)}", _quoting_hint(int, data))
    if not 0 <= data < 2**32 - 1:
        raise _Wrong(f"expected a number from 0 to {2**32 - 2}, found {data}")
    return data


def _table(key: Callable[[str], Any], value: Callable[[str], Any]) -> Callable[..., Any]:
    def hook(data: Any, _: Any) -> tuple[tuple[Any, Any], ...]:
        if not isinstance(data, dict):
            raise _Wrong(f"expected a table, found {kind_of(data)}")
        found: dict[Any, Any] = {}
        errors: list[Exception] = []
        for name, each in data.items():
            try:
                parsed = key(name)
                if parsed in found:
                    raise _Wrong(f"`{parsed}` is named twice")
                found[parsed] = _parsed(value)(each, None)
            except (Malformed, _Wrong) as error:
                error.__notes__ = [IterableValidationNote("", name, str)]
                errors.append(error)
        if errors:
            raise BaseValidationError("table", errors, dict)
        return tuple(found.items())

    return hook


def _is_literal(candidate: Any) -> bool:
    return (
        getattr(candidate, "__origin__", None) is not None and str(candidate.__origin__) == "typing.Literal"
    )


def _literal(data: Any, kind: Any) -> str:
    choices = kind.__args__
    if type(data) is not str:
        raise _Wrong(f"expected a string, found {kind_of(data)}")
    if data not in choices:
        listed = ", ".join(f"`{each}`" for each in choices)
        raise _Wrong(f"expected one of {listed}, found `{data}`", did_you_mean(data, choices))
    return str(data)


def _is_tuple(candidate: Any) -> bool:
    return getattr(candidate, "__origin__", None) is tuple


def _tuple(made: Converter, data: Any, kind: Any) -> tuple[Any, ...]:
    if not isinstance(data, list):
        hint = "put it in brackets: `[…]`" if isinstance(data, str) else None
        raise _Wrong(f"expected an array, found {kind_of(data)}", hint)
    (element, _) = kind.__args__
    found: list[Any] = []
    errors: list[Exception] = []
    for index, each in enumerate(data):
        try:
            found.append(made.structure(each, element))
        except (BaseValidationError, ValueError) as error:
            error.__notes__ = [IterableValidationNote("", index, element)]
            errors.append(error)
    if errors:
        raise BaseValidationError("array", errors, tuple)
    return tuple(found)


def _problems(error: Exception, path: TomlPath, cls: Any) -> Iterator[Problem]:
    match error:
        case BaseValidationError():
            for each in error.exceptions:
                yield from _problems(each, path + _step(each), error.cl)
        case ForbiddenExtraKeysError():
            known = [toml_name(a) for a in attrs.fields(error.cl)]
            for extra in sorted(error.extra_fields):
                yield Problem(
                    (*path, extra), f"unknown key `{extra}`", did_you_mean(extra, known), at_key=True
                )
        case KeyError():
            missing = path[-1] if path else error.args[0]
            yield Problem(path[:-1], f"the key `{missing}` is missing", at_key=True)
        case Malformed() | _Wrong():
            yield Problem(path, error.message, error.hint)
        case _:
            yield Problem(path, str(error))


def _step(error: BaseException) -> TomlPath:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (_RENAMED.get(note.name, note.name),)
        if isinstance(note, IterableValidationNote):
            return (note.index,)
    return ()


_RENAMED = {"origin": "from"}
