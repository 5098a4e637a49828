"""Raw steps to evaluated ones: `use` is replaced by the fragment's steps, references are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from attrs import evolve, field, frozen

from bic.errors import Fault, Span
from bic.spec.fragments import Fragment, Parameter
from bic.spec.interpolate import Scope, interpolate, references
from bic.spec.model import Copy, Step
from bic.spec.near import did_you_mean
from bic.spec.steps import step_of
from bic.spec.structure import kind_of, structure_value
from bic.spec.toml import Document, TomlPath
from bic.spec.values import PlatformGlob, Text

_USE_KEYS = ("use", "with", "title", "platforms")

MAX_DEPTH = 32
"""Fragments within each other."""

MAX_STEPS = 10_000
"""Steps of one spec: fragments that use each other several times grow without bound."""


@frozen(eq=False)
class Context:
    """What surrounds a list of steps: the scope, what may be named, and the `use`s it came through.

    `count` is the number of steps so far, over all nested contexts.
    """

    scope: Scope
    fragments: Mapping[str, Fragment]
    stages: frozenset[str] = frozenset()
    faults: list[Fault] = field(factory=list)
    used: tuple[tuple[str, Span], ...] = ()
    platforms: tuple[tuple[PlatformGlob, ...], ...] = ()
    count: list[int] = field(factory=lambda: [0])

    def report(
        self,
        document: Document,
        path: TomlPath,
        message: str,
        hint: str | None = None,
        *,
        at_key: bool = False,
    ) -> None:
        fault = document.fault(path, message, hint, at_key=at_key)
        notes = tuple(f"used at {span}" for _, span in reversed(self.used))
        self.faults.append(evolve(fault, notes=notes))


def expand(raw: Any, document: Document, path: TomlPath, context: Context) -> tuple[Step, ...]:
    """The evaluated steps of the array at `path`; what is wrong goes to `context.faults`."""
    if not isinstance(raw, list):
        context.report(document, path, f"expected `[[{path[-1]}]]`, found {kind_of(raw)}", at_key=True)
        return ()
    steps: list[Step] = []
    for index, data in enumerate(raw):
        place = (*path, index)
        if not isinstance(data, dict):
            context.report(document, place, f"expected a table, found {kind_of(data)}")
        elif "use" in data:
            steps.extend(_use(data, document, place, context))
        else:
            steps.extend(_step(data, document, place, context))
    return tuple(steps)


def _step(data: dict[str, Any], document: Document, place: TomlPath, context: Context) -> list[Step]:
    filled, faults = interpolate(data, context.scope, place)
    for path, wrong in faults:
        context.report(document, path, wrong.message, wrong.hint)
    if faults:
        return []
    step, problems = step_of(filled, header_span(document, place))
    for problem in problems:
        context.report(document, place + problem.path, problem.message, problem.hint, at_key=problem.at_key)
    if step is None or not _is_known(step, document, place, context):
        return []
    return [evolve(step, platforms=context.platforms + step.platforms)]


def _is_known(step: Step, document: Document, place: TomlPath, context: Context) -> bool:
    """Whether the stage that a copy names is there, and the spec has a sane number of steps."""
    context.count[0] += 1
    if context.count[0] == MAX_STEPS + 1:
        context.report(document, place, f"the spec has more than {MAX_STEPS} steps", at_key=True)
    if isinstance(step.kind, Copy) and step.kind.origin.kind == "stage":
        wanted = step.kind.origin.name
        if wanted not in context.stages:
            hint = did_you_mean(wanted, context.stages) or "stages are written `[stage.NAME]`"
            context.report(document, (*place, "copy", "from"), f"there is no stage called `{wanted}`", hint)
    return context.count[0] <= MAX_STEPS


def header_span(document: Document, place: TomlPath) -> Span:
    """Where a step begins; falls back to the exact map where steps are written as inline tables."""
    key = tuple(str(part) for part in place[:-1])
    headers = document.step_spans.get(key, [])
    index = place[-1]
    if isinstance(index, int) and index < len(headers):
        return headers[index]
    return document.span(place)


def _use(data: dict[str, Any], document: Document, place: TomlPath, context: Context) -> tuple[Step, ...]:
    for key in data:
        if key not in _USE_KEYS:
            hint = did_you_mean(key, _USE_KEYS)
            context.report(document, (*place, key), f"`{key}` cannot stand beside `use`", hint, at_key=True)
    _, problems = structure_value(data.get("title", ""), Text)
    for problem in problems:
        context.report(document, (*place, "title"), problem.message, problem.hint)
    name = data["use"]
    if not isinstance(name, str) or name not in context.fragments:
        hint = (
            did_you_mean(str(name), context.fragments) or "fragments come from the files named in `include`"
        )
        context.report(document, (*place, "use"), f"unknown fragment `{name}`", hint)
        return ()
    if name in (used for used, _ in context.used):
        cycle = " → ".join([*(used for used, _ in context.used), name])
        context.report(document, (*place, "use"), f"the fragments use each other: {cycle}")
        return ()
    if len(context.used) == MAX_DEPTH or context.count[0] > MAX_STEPS:
        if len(context.used) == MAX_DEPTH:
            context.report(document, (*place, "use"), f"more than {MAX_DEPTH} fragments use each other")
        return ()
    fragment = context.fragments[name]
    before = len(context.faults)
    table = _arguments(data.get("with", {}), fragment, document, place, context)
    if len(context.faults) > before:
        return ()
    inner = evolve(
        context,
        scope=context.scope.extended("with", table),
        used=(*context.used, (name, header_span(document, place))),
        platforms=context.platforms + _platforms(data, document, place, context),
    )
    return expand(fragment.steps, fragment.document, (*fragment.path, "step"), inner)


def _platforms(
    data: dict[str, Any], document: Document, place: TomlPath, context: Context
) -> tuple[tuple[PlatformGlob, ...], ...]:
    if "platforms" not in data:
        return ()
    globs, problems = structure_value(data["platforms"], tuple[PlatformGlob, ...])
    for problem in problems:
        context.report(document, (*place, "platforms", *problem.path), problem.message, problem.hint)
    return (globs,) if globs else ()


def _arguments(
    given: Any, fragment: Fragment, document: Document, place: TomlPath, context: Context
) -> dict[str, Any]:
    """The fragment's parameters: those given, checked, and the defaults of the others."""
    at = (*place, "with")
    if not isinstance(given, dict):
        context.report(document, at, f"expected a table, found {kind_of(given)}")
        return {}
    filled, faults = interpolate(given, context.scope, at)
    for path, wrong in faults:
        context.report(document, path, wrong.message, wrong.hint)
    for name in filled:
        if name not in fragment.parameters:
            hint = did_you_mean(name, fragment.parameters)
            context.report(
                document, (*at, name), f"`{fragment.name}` has no parameter `{name}`", hint, at_key=True
            )
    table: dict[str, Any] = {}
    for name, parameter in fragment.parameters.items():
        if name not in filled and parameter.is_required:
            context.report(document, (*place, "use"), f"`{fragment.name}` needs the parameter `{name}`")
        elif name not in filled:
            table[name] = _default(parameter, fragment, context)
        elif not parameter.accepts(filled[name]):
            found = kind_of(filled[name])
            context.report(document, (*at, name), f"expected {parameter.wanted}, found {found}")
        else:
            table[name] = filled[name]
    return table


def _default(parameter: Parameter, fragment: Fragment, context: Context) -> Any:
    """A default may refer to variables of the spec, so its type is known only now."""
    place = (*fragment.path, "params", parameter.name, "default")
    outer = Scope({name: table for name, table in context.scope.tables.items() if name != "with"})
    value, faults = interpolate(parameter.default, outer, place)
    for path, wrong in faults:
        context.report(fragment.document, path, wrong.message, wrong.hint)
    if not faults and not parameter.accepts(value):
        context.report(fragment.document, place, f"expected {parameter.wanted}, found {kind_of(value)}")
    return value


def evaluated_vars(document: Document, faults: list[Fault]) -> dict[str, Any]:
    """`[vars]`, whose values may refer to each other."""
    raw = document.data.get("vars", {})
    if not isinstance(raw, dict):
        faults.append(document.fault(("vars",), f"expected a table, found {kind_of(raw)}"))
        return {}
    done: dict[str, Any] = {}
    for name in _in_order(raw, document, faults):
        value, wrong = interpolate(raw[name], Scope({"vars": {**raw, **done}}), ("vars", name))
        faults.extend(document.fault(path, each.message, each.hint) for path, each in wrong)
        done[name] = raw[name] if wrong else value
    return {name: done.get(name, value) for name, value in raw.items()}


def _in_order(raw: Mapping[str, Any], document: Document, faults: list[Fault]) -> list[str]:
    """The names of variables, each after those that it refers to; none when they form a cycle."""
    used = {
        name: sorted({key for scope, key in references(value) if scope == "vars" and key in raw})
        for name, value in raw.items()
    }
    try:
        return list(TopologicalSorter(used).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        message = "the variables refer to each other: " + " → ".join(cycle)
        faults.append(document.fault(("vars", cycle[0]), message))
        return []
