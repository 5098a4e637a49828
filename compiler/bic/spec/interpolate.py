"""`${vars.x}` and `${with.x}` in string values.

Only bic's own scopes are touched: `${HOME}` and `$1` in a script are the shell's, `${project.version}` in
a file is somebody else's. A scope that looks like a slip (`${var.x}`) is a fault. A value that is one lone
reference keeps the type of what it refers to. `$${vars.x}` stands for `${vars.x}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from bic.errors import Malformed
from bic.spec.near import did_you_mean, near
from bic.spec.structure import kind_of
from bic.spec.toml import TomlPath

_REFERENCE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_-]*)\.([^{}]*)\}")

PASSED_ON = frozenset({"env"})
"""Scopes that `env` values may refer to: resolved when the base is known."""

SCOPES = frozenset({"vars", "with"}) | PASSED_ON
"""The names before the dot that are bic's."""

MAX_LENGTH = 1 << 20
"""Characters of a string after filling in: variables that repeat each other grow without bound."""


@frozen
class Scope:
    """The values that may be referred to: `vars` of the spec and, inside a fragment, `with`."""

    tables: Mapping[str, Mapping[str, Any]] = field(factory=dict)

    def extended(self, name: str, table: Mapping[str, Any]) -> Scope:
        return Scope({**self.tables, name: table})

    def lookup(self, scope: str, key: str) -> Any:
        if scope not in self.tables:
            escaped = f"`$${{{scope}.{key}}}` stands for the text itself"
            if scope in PASSED_ON:
                raise Malformed(f"`${{{scope}.{key}}}` can be used in `env` values only", escaped)
            meant = near(scope, SCOPES) if scope not in SCOPES else None
            raise Malformed(
                f"there is no `{scope}` to refer to here: `${{{scope}.{key}}}`",
                f"did you mean `{meant}`? {escaped}" if meant else "parameters are known in fragments alone",
            )
        table = self.tables[scope]
        if key not in table:
            what = "variable" if scope == "vars" else "parameter"
            raise Malformed(f"unknown {what} `{scope}.{key}`", did_you_mean(key, table))
        return table[key]


def interpolate(
    value: Any, scope: Scope, path: TomlPath = ()
) -> tuple[Any, list[tuple[TomlPath, Malformed]]]:
    """The value with all references filled in, and what is wrong with them, each at its path."""
    faults: list[tuple[TomlPath, Malformed]] = []
    return _fill(value, scope, path, faults), faults


def _fill(value: Any, scope: Scope, path: TomlPath, faults: list[tuple[TomlPath, Malformed]]) -> Any:
    if isinstance(value, str):
        if "${" not in value:
            return value
        later = PASSED_ON if path[-2:-1] == ("env",) else frozenset[str]()
        try:
            return _fill_text(value, scope, later)
        except Malformed as fault:
            faults.append((path, fault))
            return value
    if isinstance(value, dict):
        return {key: _fill(each, scope, (*path, key), faults) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, scope, (*path, index), faults) for index, each in enumerate(value)]
    return value


def _fill_text(text: str, scope: Scope, later: frozenset[str]) -> Any:
    lone = _REFERENCE.fullmatch(text)
    if lone and not lone[1] and lone[2] not in later and is_ours(lone[2]):
        return scope.lookup(lone[2], lone[3])
    filled = _REFERENCE.sub(lambda match: _replace(match, scope, later), text)
    if len(filled) > max(MAX_LENGTH, len(text)):
        raise Malformed(f"the value has more than {MAX_LENGTH} characters")
    return filled


def is_ours(scope: str) -> bool:
    """Whether a name before the dot is bic's, or looks as if it was meant to be."""
    return scope in SCOPES or near(scope, SCOPES) is not None


def _replace(match: re.Match[str], scope: Scope, later: frozenset[str]) -> str:
    if match[2] in later or not is_ours(match[2]):
        return match[0]
    if match[1]:
        return match[0][1:]
    return as_text(scope.lookup(match[2], match[3]))


def as_text(value: Any) -> str:
    """A variable inside a longer string: text as it is, numbers in decimal, booleans as in TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
        case float():
            raise Malformed("a float cannot stand inside a longer string", "write the variable in quotes")
        case _:
            raise Malformed(
                f"{kind_of(value)} cannot stand inside a longer string",
                hint="refer to it alone: the value then keeps its type",
            )


def references(value: Any) -> Iterator[tuple[str, str]]:
    """All (scope, key) pairs that a value refers to."""
    if isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            if not match[1]:
                yield match[2], match[3]
    elif isinstance(value, dict):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)
