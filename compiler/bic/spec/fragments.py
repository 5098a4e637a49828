"""Included files and the fragments they define: named lists of steps with typed parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from bic.errors import Fault, InputInvalid
from bic.spec.interpolate import references
from bic.spec.near import did_you_mean
from bic.spec.structure import kind_of
from bic.spec.toml import LANGUAGE, Document, TomlPath, read

_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "a boolean",
    "array": "an array",
    "table": "a table",
}
_MISSING = object()

MAX_DEPTH = 32
"""Files that include each other, one after the other."""


@frozen
class Parameter:
    """A parameter of a fragment; `default` is `MISSING` where it must be given."""

    name: str
    type: str
    default: Any = _MISSING

    @property
    def is_required(self) -> bool:
        return self.default is _MISSING

    def accepts(self, value: Any) -> bool:
        return kind_of(value) == _TYPES[self.type]

    @property
    def wanted(self) -> str:
        return _TYPES[self.type]


@frozen(eq=False)
class Fragment:
    """A list of raw steps and where they stand."""

    name: str
    document: Document
    path: TomlPath
    parameters: Mapping[str, Parameter]
    steps: list[Any] = field(factory=list)


def fragments_of(document: Document, directory: Path, root: Path) -> tuple[dict[str, Fragment], list[Fault]]:
    """All fragments that `document` includes, directly or not, and what is wrong with the files."""
    included = _Included(root)
    _include(document, directory, (document.file,), included)
    return included.fragments, included.faults


@frozen(eq=False)
class _Included:
    """What the files included so far define; each is read once, however often it is named."""

    root: Path
    fragments: dict[str, Fragment] = field(factory=dict)
    faults: list[Fault] = field(factory=list)
    files: set[str] = field(factory=set)


def _include(document: Document, directory: Path, chain: tuple[str, ...], included: _Included) -> None:
    entries = document.data.get("include", [])
    if not isinstance(entries, list):
        fault = document.fault(("include",), f"expected an array, found {kind_of(entries)}")
        included.faults.append(fault)
        return
    for index, entry in enumerate(entries):
        place: TomlPath = ("include", index)
        try:
            path = _inside(entry, directory, included.root)
            file = path.relative_to(included.root).as_posix()
            _refuse_cycle(file, chain)
            if file in included.files:
                continue
            included.files.add(file)
            inner = read(path, file)
        except InputInvalid as error:
            included.faults.extend(_at(document, place, fault) for fault in error.faults)
            continue
        _include(inner, path.parent, (*chain, file), included)
        _define(inner, included.fragments, included.faults)


def _refuse_cycle(file: str, chain: tuple[str, ...]) -> None:
    if file in chain:
        cycle = " → ".join([*chain[chain.index(file) :], file])
        raise InputInvalid(f"the files include each other: {cycle}")
    if len(chain) > MAX_DEPTH:
        raise InputInvalid(f"more than {MAX_DEPTH} files include each other")


def _inside(entry: Any, directory: Path, root: Path) -> Path:
    if not isinstance(entry, str) or not entry:
        raise InputInvalid(f"expected the path of a file, found {kind_of(entry)}")
    try:
        path = (directory / entry).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputInvalid(f"cannot read `{entry}`: {error}") from error
    if not path.is_relative_to(root):
        raise InputInvalid(Fault(f"a path must not leave the workspace: `{entry}`"))
    return path


def _at(document: Document, place: TomlPath, fault: Fault) -> Fault:
    """A fault of an included file stands where it is; one without a place stands at the include."""
    if fault.span is not None:
        return fault
    return document.fault(place, fault.message, fault.hint)


def _define(document: Document, found: dict[str, Fragment], faults: list[Fault]) -> None:
    version = document.data.get("bic", LANGUAGE)
    if type(version) is not int or version != LANGUAGE:
        hint = f"this bic reads `bic = {LANGUAGE}`"
        faults.append(document.fault(("bic",), f"unknown language version `{version}`", hint))
    for key in document.data:
        if key not in ("fragment", "include", "bic"):
            hint = "an included file defines fragments: `[[fragment.NAME.step]]`"
            faults.append(
                document.fault((key,), f"`{key}` cannot stand in an included file", hint, at_key=True)
            )
    fragments = document.data.get("fragment", {})
    if not isinstance(fragments, dict):
        faults.append(document.fault(("fragment",), f"expected a table, found {kind_of(fragments)}"))
        return
    for name, data in fragments.items():
        path: TomlPath = ("fragment", name)
        if name in found and found[name].document is not document:
            other = found[name].document.file
            faults.append(
                document.fault(path, f"the fragment `{name}` is defined in `{other}` already", at_key=True)
            )
            continue
        fragment = _fragment(name, data, document, path, faults)
        if fragment is not None:
            found[name] = fragment


def _fragment(
    name: str, data: Any, document: Document, path: TomlPath, faults: list[Fault]
) -> Fragment | None:
    if not isinstance(data, dict):
        faults.append(document.fault(path, f"expected a table, found {kind_of(data)}"))
        return None
    for key in data:
        if key not in ("params", "step", "description"):
            hint = did_you_mean(key, ("params", "step", "description"))
            faults.append(document.fault((*path, key), f"unknown key `{key}`", hint, at_key=True))
    steps = data.get("step", [])
    if not isinstance(steps, list):
        faults.append(
            document.fault((*path, "step"), "steps are written `[[fragment.NAME.step]]`", at_key=True)
        )
        steps = []
    return Fragment(name, document, path, _parameters(data, document, path, faults), steps)


def _parameters(
    data: dict[str, Any], document: Document, path: TomlPath, faults: list[Fault]
) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    tables = data.get("params", {})
    if not isinstance(tables, dict):
        faults.append(document.fault((*path, "params"), f"expected a table, found {kind_of(tables)}"))
        return found
    for name, table in tables.items():
        parameter = _parameter(name, table, document, (*path, "params", name), faults)
        if parameter is not None:
            found[name] = parameter
    return found


def _parameter(
    name: str, table: Any, document: Document, place: TomlPath, faults: list[Fault]
) -> Parameter | None:
    kind = table.get("type") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(kind, str) or kind not in _TYPES:
        example = 'for example `{ type = "string" }`; types: ' + ", ".join(_TYPES)
        faults.append(document.fault(place, f"the parameter `{name}` needs a type", example))
        return None
    for key in table:
        if key not in ("type", "default", "description"):
            hint = did_you_mean(key, ("type", "default", "description"))
            faults.append(document.fault((*place, key), f"unknown key `{key}`", hint, at_key=True))
    parameter = Parameter(name, kind, table.get("default", _MISSING))
    is_known = not parameter.is_required and not any(references(parameter.default))
    if is_known and not parameter.accepts(parameter.default):
        found = kind_of(parameter.default)
        faults.append(document.fault((*place, "default"), f"expected {parameter.wanted}, found {found}"))
    return parameter
