"""The page docs/spec.md: a tutorial, and the reference of the language from the model's classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

from bic.spec import described
from bic.spec.described import Key
from bic.spec.grammar import GRAMMAR
from bic.spec.model import EXECUTING, KINDS, Base, Config, DebianBase, Image, Options
from bic.spec.steps import beside

FILE = (
    ("bic", "version of the language: `1`; required"),
    ("include", "[files with fragments](#included-files), relative to this one"),
    ("[image]", "[name and platforms](#image); required"),
    ("[base]", "[what the image is built on](#base); required"),
    ("[vars]", "values of any type, for [references](#references)"),
    ("[env]", "[variables](#values) in force from the first step, and in the image"),
    ("[config]", "[user, working directory, command](#config) and the like"),
    ("[[step]]", "[what is done to the base](#steps), in order"),
    ("[stage.NAME]", "[helper images](#stages)"),
    ("[check.NAME], [checks], [use.NAME]", "checks; this version reads them and does not evaluate them yet"),
    ("[release]", "where the image is released; this version reads it and does not act on it yet"),
)

COMMON = (
    ("title", "line", "what the step is for, shown while it runs"),
    ("platforms", "array of platform patterns", "platforms that the step is for; all without it"),
)

DERIVED = {
    ("User", "group"): "the name",
    ("User", "gid"): "the uid",
    ("User", "home"): "`/home/NAME`; `/nonexistent` for system users",
}
"""Defaults that depend on other keys."""


_STAGES = """
`[stage.NAME]` is a helper image with a `base` (as [`[base]`](#base), required), `env` and
`[[stage.NAME.step]]`. A `copy` step takes files from it with `from = "stage:NAME"`, in the image or in
another stage; stages may not copy from each other in a circle. A stage starts with neither the spec's `[env]`
nor its steps.
"""


def reference() -> str:
    """The whole page as Markdown."""
    parts = (
        _page("tutorial.md"),
        "## Reference",
        *_tables(),
        *_steps(),
        *_stages(),
        _page("rules.md"),
        *_values(),
    )
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _page(name: str) -> str:
    return files("bic.spec").joinpath("pages", name).read_text("utf-8")


def _tables() -> Iterator[str]:
    yield "### The file"
    yield _table(("key", "meaning"), ((f"`{key}`", meaning) for key, meaning in FILE))
    for title, cls in (
        ("[image]", Image),
        ("[base]", Base),
        ("[base] debian", DebianBase),
        ("[config]", Config),
    ):
        yield f"### `{title}`"
        yield described.summary(cls)
        yield _keys(cls, described.keys(cls))


def _steps() -> Iterator[str]:
    kinds = ", ".join(f"[`{_subject(kind)}`](#{_subject(kind)})" for kind in KINDS)
    yield "### Steps"
    yield f"A step has exactly one kind, told by its key: {kinds}, or [`use`](#included-files)."
    yield "Beside the kind may stand:"
    yield _table(
        ("key", "[type](#values)", "meaning"), ((f"`{key}`", kind, meaning) for key, kind, meaning in COMMON)
    )
    executing = ", ".join(f"`{_subject(kind)}`" for kind in KINDS if kind in EXECUTING)
    yield f"Steps that run a program of the image ({executing}) also take:"
    yield _keys(Options, described.keys(Options))
    examples = _examples()
    for kind in KINDS:
        yield from _step(kind, examples[_subject(kind)])


def _step(kind: type, example: str) -> Iterator[str]:
    subject = _subject(kind)
    yield f"#### `{subject}`"
    yield described.summary(kind)
    if around := beside(kind):
        names = ", ".join(f"`{name}`" for name in around)
        yield f"`{subject}` holds the value itself; beside it stands {names}."
    yield _keys(kind, described.keys(kind))
    yield f"```toml\n{example}\n```"


def _examples() -> dict[str, str]:
    """The example of each kind, by subject key."""
    found = ("[[step]]" + text.rstrip() for text in _page("examples.toml").split("[[step]]")[1:])
    return {text.splitlines()[1].split(" ")[0]: text for text in found}


def _stages() -> Iterator[str]:
    yield "### Stages"
    yield _STAGES


def _values() -> Iterator[str]:
    yield "### Values"
    yield "A value that does not look as its type says is refused where it stands."
    rows = (
        (grammar.name, grammar.toml, grammar.meaning, ", ".join(_example(each) for each in grammar.examples))
        for grammar in GRAMMAR.values()
    )
    yield _table(("type", "TOML", "what it is", "examples"), rows)


def _example(value: Any) -> str:
    if isinstance(value, dict):
        ((key, text),) = value.items()
        return f"`{{ {key if key.isidentifier() else _toml(key)} = {_toml(text)} }}`"
    return f"`{_toml(value)}`"


def _keys(cls: type, keys: Iterable[Key]) -> str:
    rows = ((f"`{key.name}`", type_name(key.type), _default(cls, key), key.meaning) for key in keys)
    return _table(("key", "[type](#values)", "default", "meaning"), rows)


def _default(cls: type, key: Key) -> str:
    if key.required:
        return "*required*"
    if derived := DERIVED.get((cls.__name__, key.name)):
        return derived
    return "" if key.default is None else f"`{_toml(key.default)}`"


def type_name(kind: Any) -> str:
    """The type of a value for people, plural inside arrays."""
    if choices := described.choices(kind):
        return ", ".join(f'`"{choice}"`' for choice in choices)
    if element := described.element(kind):
        return f"array of {type_name(element)}s"
    return GRAMMAR[kind].name if kind in GRAMMAR else "table, see below"


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{escaped}"'
        case _:
            return str(value)


def _subject(kind: type) -> str:
    return str(kind.SUBJECT)  # type: ignore[attr-defined]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
