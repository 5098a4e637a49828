"""The JSON Schema of spec files and of included files, derived from the model's classes.

It accepts whatever the loader accepts and refuses unknown keys. What only evaluation can tell (whether a
variable exists, which base a `spec` means) stays with the loader. Where a typed value stands, a lone
`${vars.x}` may stand too, since the variable keeps its type.
"""

from __future__ import annotations

from typing import Any

from bic.spec import described
from bic.spec.described import Key
from bic.spec.grammar import GRAMMAR, Grammar
from bic.spec.model import EXECUTING, KINDS, Base, Config, EnvTable, File, Image, Options, Permissions, Pip
from bic.spec.steps import beside
from bic.spec.values import PlatformGlob

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONE = r"^\$\{[A-Za-z_][A-Za-z0-9_-]*\.[^{}]*\}$"
WITHIN = r"\$\{"

_EITHER: dict[type, Schema] = {
    Base: {"oneOf": [{"required": [key]} for key in ("image", "spec", "debian", "scratch")]},
    File: {"oneOf": [{"required": ["content"]}, {"required": ["source"]}]},
    Permissions: {"anyOf": [{"required": ["mode"]}, {"required": ["owner"]}]},
    Pip: {"anyOf": [{"required": ["packages"]}, {"required": ["requirements"]}]},
}
"""What no single field shows."""

_PARAMETER_TYPES = ("string", "integer", "boolean", "array", "table")


def spec_schema() -> Schema:
    """The schema of specs/NAME.toml."""
    properties = {
        "bic": {"const": 1, "description": "Version of the language."},
        "include": _include(),
        "image": _or_reference(table(Image)),
        "base": _or_reference(table(Base)),
        "vars": _open("Values to refer to as `${vars.NAME}` in every string of the spec."),
        "env": {
            **value(EnvTable),
            "description": "Variables in force from the first step, and in the image.",
        },
        "config": _or_reference(table(Config)),
        "step": _steps("What is done to the base, in order."),
        "stage": _named(
            _stage(), "Helper images: only what is copied from them remains.", "^[A-Za-z0-9][A-Za-z0-9_.-]*$"
        ),
        "check": _open("What must be true of the image, one table a check."),
        "checks": _open("Settings of the checks, and suites to include."),
        "use": _open("Suites of checks with parameters."),
        "release": _open("Where and how the image is released."),
    }
    return _root("bic spec", properties, ["bic", "image", "base"])


def fragments_schema() -> Schema:
    """The schema of a file that specs name in `include`."""
    fragment = _closed(
        {
            "description": {"type": "string", "description": "What it is for."},
            "params": _named(_parameter(), "Parameters, referred to as `${with.NAME}`."),
            "step": _steps("What a `use` of the fragment stands for."),
        },
        description="A named list of steps.",
    )
    properties = {
        "bic": {"const": 1, "description": "Version of the language."},
        "include": _include(),
        "fragment": _named(fragment, "Lists of steps to `use` in specs."),
    }
    return _root("bic fragments", properties, [])


def value(kind: Any) -> Schema:
    """The schema of a value of a type of the model, references to variables included."""
    if choices := described.choices(kind):
        return {"anyOf": [{"type": "string", "enum": list(choices)}, {"type": "string", "pattern": WITHIN}]}
    if element := described.element(kind):
        return _or_reference({"type": "array", "items": value(element)})
    if kind in GRAMMAR:
        return _leaf(GRAMMAR[kind])
    return _or_reference(table(kind))


def table(cls: type) -> Schema:
    """The schema of a table that a class of the model describes."""
    found = described.keys(cls)
    required = [key.name for key in found if key.required]
    closed = _closed({key.name: _described(key) for key in found}, required, described.summary(cls))
    return closed | _EITHER.get(cls, {})


def _leaf(grammar: Grammar) -> Schema:
    match grammar.toml:
        case "string" if grammar.pattern:
            return {"type": "string", "pattern": f"{grammar.pattern}|{WITHIN}"}
        case "string":
            return {"type": "string"}
        case "integer":
            return _or_reference({"type": "integer", "minimum": 0, "maximum": 2**32 - 2})
        case "boolean":
            return _or_reference({"type": "boolean"})
        case "table":
            names = {"propertyNames": {"pattern": grammar.pattern}} if grammar.pattern else {}
            return _or_reference({"type": "object", "additionalProperties": {"type": "string"}, **names})


def _described(key: Key) -> Schema:
    found = dict(value(key.type))
    found["description"] = f"{key.meaning[:1].upper()}{key.meaning[1:]}."
    if key.default is not None:
        found["default"] = key.default
    return found


def _step(kind: type) -> Schema:
    """A step of one kind: its subject, what stands beside it, and the common keys."""
    subject = str(kind.SUBJECT)  # type: ignore[attr-defined]
    keys = {key.name: key for key in described.keys(kind)}
    own = (subject, *beside(kind))
    if subject in keys and beside(kind) == tuple(list(keys)[1:]):
        properties = {name: _described(keys[name]) for name in own}
    else:
        properties = {subject: _or_reference(table(kind))}
    properties |= _common()
    if kind in EXECUTING:
        properties |= {key.name: _described(key) for key in described.keys(Options)}
    return _closed(properties, [subject], described.summary(kind))


def _common() -> dict[str, Schema]:
    return {
        "title": {"type": "string", "description": "What the step is for, shown while it runs."},
        "platforms": {
            **value(tuple[PlatformGlob, ...]),
            "description": "Patterns of the platforms that the step is for; all without it.",
        },
    }


def _use() -> Schema:
    properties = {
        "use": {"type": "string", "description": "Name of a fragment from a file named in `include`."},
        "with": _open("The fragment's parameters."),
        **_common(),
    }
    return _closed(properties, ["use"], "Stands for the steps of a fragment.")


def _steps(description: str) -> Schema:
    return {"type": "array", "items": {"$ref": "#/$defs/step"}, "description": description}


def _definitions() -> dict[str, Schema]:
    steps = {f"step-{kind.SUBJECT}": _step(kind) for kind in KINDS}  # type: ignore[attr-defined]
    steps["step-use"] = _use()
    return {"step": _any_step(), **steps}


def _any_step() -> Schema:
    """A step of any kind, told by its subject key, so that a fault is shown where it is.

    `user` and `env` are subjects only where no kind that executes takes them as options. Editors complete
    from `anyOf`, whose last alternative lets everything through: conditions are what validates.
    """
    executing = [str(kind.SUBJECT) for kind in KINDS if kind in EXECUTING]  # type: ignore[attr-defined]
    subjects = [*(str(kind.SUBJECT) for kind in KINDS), "use"]  # type: ignore[attr-defined]
    none_executes = {"not": {"anyOf": [{"required": [key]} for key in (*executing, "use")]}}
    conditions: list[Schema] = []
    for subject in subjects:
        when = {"required": [subject]} | ({} if subject in (*executing, "use") else none_executes)
        conditions.append({"if": when, "then": {"$ref": f"#/$defs/step-{subject}"}})
    conditions.append({"anyOf": [{"required": [key]} for key in subjects]})
    return {
        "type": "object",
        "anyOf": [*({"$ref": f"#/$defs/step-{subject}"} for subject in subjects), True],
        "allOf": conditions,
    }


def _stage() -> Schema:
    properties = {
        "base": _or_reference(table(Base)),
        "env": {**value(EnvTable), "description": "Variables in force in the stage's steps."},
        "step": _steps("What is done to the stage's base, in order."),
    }
    return _closed(properties, ["base"], "A helper image.")


def _parameter() -> Schema:
    properties = {
        "type": {"enum": list(_PARAMETER_TYPES), "description": "What a `use` must give."},
        "default": {"description": "Taken when a `use` gives none."},
        "description": {"type": "string", "description": "What it means."},
    }
    return _closed(properties, ["type"], "A parameter of the fragment.")


def _include() -> Schema:
    description = "Files that define fragments, relative to this one."
    return {"type": "array", "items": {"type": "string", "minLength": 1}, "description": description}


def _or_reference(schema: Schema) -> Schema:
    """The schema with a lone reference beside it; keywords of the other type do not apply to strings."""
    return {**schema, "type": [schema["type"], "string"], "pattern": LONE}


def _open(description: str) -> Schema:
    return {"type": "object", "description": description}


def _named(schema: Schema, description: str, pattern: str | None = None) -> Schema:
    names = {"propertyNames": {"pattern": pattern}} if pattern else {}
    return {"type": "object", "additionalProperties": schema, "description": description, **names}


def _closed(properties: dict[str, Any], required: list[str] | None = None, description: str = "") -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {}) | {"description": description}


def _root(title: str, properties: dict[str, Any], required: list[str]) -> Schema:
    head = {"$schema": DIALECT, "title": title}
    return {**head, **_closed(properties, required, f"{title}, language version 1"), "$defs": _definitions()}
