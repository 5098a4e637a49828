"""Raw steps to evaluated ones: `use` is replaced by the fragment's steps, references are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from bic.errors import Fault, Malformed, Position, Span
from bic.spec.fragments import Fragment
from bic.spec.interpolate import Scope, interpolate, references
from bic.spec.model import Step
from bic.spec.near import did_you_mean
from bic.spec.steps import step_of
from bic.spec.structure import kind_of, structure_value
from bic.spec.toml import Document, TomlPath
from bic.spec.values import PlatformGlob

_USE_KEYS = ("use", "with", "title", "platforms")


@frozen(eq=False)
class Context:
    """What surrounds a list of steps: the scope, the known fragments, and the `use`s it came through."""

    scope: Scope
    fragments: Mapping[str, Fragment]
    faults: list[Fault] = field(factory=list)
    used: tuple[tuple[str, Span | None], ...] = ()
    platforms: tuple[tuple[PlatformGlob, ...], ...] = ()

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
        notes = tuple(f"used at {span}" for _, span in reversed(self.used) if span is not None)
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
    return [evolve(step, platforms=context.platforms + step.platforms)] if step else []


def header_span(document: Document, place: TomlPath) -> Span:
    """Where a step begins; falls back to the exact map where steps are written as inline tables."""
    key = tuple(str(part) for part in place[:-1])
    headers = document.step_spans.get(key, [])
    index = place[-1]
    if isinstance(index, int) and index < len(headers):
        return headers[index]
    start = Position(1, 1)
    return document.span(place) or Span(document.file, start, start)


def _use(data: dict[str, Any], document: Document, place: TomlPath, context: Context) -> tuple[Step, ...]:
    for key in data:
        if key not in _USE_KEYS:
            hint = did_you_mean(key, _USE_KEYS)
            context.report(document, (*place, key), f"`{key}` cannot stand beside `use`", hint, at_key=True)
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
        elif name in filled and not parameter.accepts(filled[name]):
            found = kind_of(filled[name])
            context.report(document, (*at, name), f"expected {parameter.wanted}, found {found}")
        table[name] = filled.get(name, parameter.default)
    return table


def evaluated_vars(document: Document, faults: list[Fault]) -> dict[str, Any]:
    """`[vars]`, whose values may refer to each other."""
    raw = document.data.get("vars", {})
    if not isinstance(raw, dict):
        faults.append(document.fault(("vars",), f"expected a table, found {kind_of(raw)}"))
        return {}
    done: dict[str, Any] = {}
    for name in raw:
        try:
            _evaluate(name, raw, done, ())
        except Malformed as wrong:
            faults.append(document.fault(("vars", name), wrong.message, wrong.hint))
            done[name] = raw[name]
    return done


def _evaluate(name: str, raw: Mapping[str, Any], done: dict[str, Any], chain: tuple[str, ...]) -> Any:
    if name in done:
        return done[name]
    if name in chain:
        raise Malformed("the variables refer to each other: " + " → ".join([*chain, name]))
    for scope, key in references(raw[name]):
        if scope == "vars" and key in raw:
            _evaluate(key, raw, done, (*chain, name))
    value, faults = interpolate(raw[name], Scope({"vars": done}))
    if faults:
        raise faults[0][1]
    done[name] = value
    return value
