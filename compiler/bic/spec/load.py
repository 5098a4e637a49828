"""Specs from their files: read, expanded, evaluated, structured, and checked against each other.

Loading reports all faults of all files in one `InputInvalid`; after it, nothing in a spec can be wrong
that the files alone can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from bic.errors import Fault, InputInvalid, Malformed
from bic.spec import debian, family
from bic.spec.expand import Context, evaluated_vars, expand
from bic.spec.fragments import fragments_of
from bic.spec.interpolate import Scope, interpolate
from bic.spec.model import Base, Config, Copy, EnvTable, Image, Spec, Stage
from bic.spec.near import did_you_mean
from bic.spec.structure import Problem, kind_of, structure, structure_value
from bic.spec.toml import LANGUAGE, Document, TomlPath, read
from bic.spec.values import word
from bic.spec.workspace import Workspace, refuse_name

TABLES = ("bic", "include", "image", "base", "vars", "env", "config", "step", "stage")
LATER = ("check", "checks", "use", "release")
"""Tables of the language that this version reads as data and does not act on yet."""


def load_all(workspace: Workspace, names: Iterable[str]) -> dict[str, Spec]:
    """The named specs and all that they build on, parents before children."""
    loaded: dict[str, Spec] = {}
    faults: list[Fault] = []
    failed: set[str] = set()
    for name in names:
        _load_family(workspace, name, (), loaded, failed, faults)
    faults.extend(family.check(loaded))
    if faults:
        raise InputInvalid(*dict.fromkeys(faults))
    return loaded


def _load_family(
    workspace: Workspace,
    name: str,
    children: tuple[str, ...],
    loaded: dict[str, Spec],
    failed: set[str],
    faults: list[Fault],
) -> None:
    if name in loaded or name in failed:
        return
    try:
        spec = load(workspace, name)
    except InputInvalid as error:
        failed.add(name)
        faults.extend(error.faults)
        return
    chain = (*children, name)
    for base, span in family.bases(spec):
        parent = base.spec
        if parent is None:
            continue
        if parent in chain:
            cycle = " → ".join([*chain[chain.index(parent) :], parent])
            faults.append(Fault(f"the specs build on each other: {cycle}", span))
            failed.add(name)
        elif not workspace.has(parent):
            hint = did_you_mean(parent, workspace.names())
            faults.append(Fault(f"there is no spec called `{parent}`", span, hint))
            failed.add(name)
        else:
            _load_family(workspace, parent, chain, loaded, failed, faults)
    if name not in failed:
        loaded[name] = spec


def load(workspace: Workspace, name: str) -> Spec:
    """One spec by its name in the workspace; `InputInvalid` carries everything that is wrong with it."""
    path = workspace.path_of(name)
    file = path.relative_to(workspace.root).as_posix()
    refuse_name(name, file)
    document = read(path, file)
    fragments, faults = fragments_of(document, path.parent, workspace.root)
    variables = evaluated_vars(document, faults)
    stages = document.data.get("stage")
    names = frozenset(stages if isinstance(stages, dict) else ())
    context = Context(Scope({"vars": variables}), fragments, names, faults)
    spec = _Loader(name, document, context).spec()
    if faults:
        raise InputInvalid(*_ordered(faults))
    assert spec is not None
    return spec


def _ordered(faults: list[Fault]) -> list[Fault]:
    def key(fault: Fault) -> tuple[str, int, int]:
        span = fault.span
        return (span.file, span.start.line, span.start.column) if span else ("", 0, 0)

    return sorted(dict.fromkeys(faults), key=key)


@attrs.frozen(eq=False)
class _Loader:
    name: str
    document: Document
    context: Context

    def spec(self) -> Spec | None:
        self._top_level()
        image = self._table("image", Image, required=True)
        base = self._base(self.document.data.get("base"), ("base",))
        env = self._env(("env",), self.document.data.get("env", {}))
        config = self._table("config", Config) or Config()
        steps = expand(self.document.data.get("step", []), self.document, ("step",), self.context)
        stages = self._stages()
        self._check_image(image, any(each and each.debian for each in (base, *(s.base for s in stages))))
        self._check_copies(stages)
        if self.context.faults or image is None or base is None:
            return None
        later = tuple((key, self.document.data[key]) for key in LATER if key in self.document.data)
        image_span, base_span = self.document.span(("image", "name")), self.document.span(("base",))
        return Spec(
            self.name,
            self.document.file,
            image,
            image_span,
            base,
            base_span,
            env,
            config,
            steps,
            tuple(sorted(stages, key=lambda stage: stage.name)),
            self.document.span(("env",)) if env else None,
            later,
        )

    def _report(self, path: TomlPath, message: str, hint: str | None = None, *, at_key: bool = False) -> None:
        self.context.report(self.document, path, message, hint, at_key=at_key)

    def _problems(self, path: TomlPath, problems: list[Problem]) -> None:
        for each in problems:
            self._report(path + each.path, each.message, each.hint, at_key=each.at_key)

    def _top_level(self) -> None:
        data = self.document.data
        if not data:
            hint = "`bic init` writes a spec to start from"
            self.context.faults.append(Fault(f"`{self.document.file}` is empty", hint=hint))
            return
        version = data.get("bic")
        if version is None:
            self._report((), "the key `bic` is missing", hint=f"begin the file with `bic = {LANGUAGE}`")
        elif type(version) is not int or version != LANGUAGE:
            self._report(
                ("bic",), f"unknown language version `{version}`", hint=f"this bic reads `bic = {LANGUAGE}`"
            )
        for key in data:
            if key not in TABLES + LATER:
                included = "fragments are defined in a file named in `include`" if key == "fragment" else None
                near_key = included or did_you_mean(key, TABLES + LATER)
                self._report((key,), f"unknown key `{key}`", near_key, at_key=True)
            elif key in LATER and not isinstance(data[key], dict):
                self._report((key,), f"expected a table, found {kind_of(data[key])}")

    def _filled(self, value: Any, path: TomlPath) -> Any:
        filled, faults = interpolate(value, self.context.scope, path)
        for place, wrong in faults:
            self._report(place, wrong.message, wrong.hint)
        return filled

    def _table(self, key: str, cls: type[Any], *, required: bool = False) -> Any:
        if key not in self.document.data:
            if required and self.document.data:
                self._report((), f"the table `[{key}]` is missing")
            return None
        value, problems = structure(self._filled(self.document.data[key], (key,)), cls)
        self._problems((key,), problems)
        return value

    def _base(self, data: Any, path: TomlPath) -> Base | None:
        if data is None:
            if self.document.data:
                hint = 'for example `[base]` with `debian = { suite = "bookworm" }`'
                self._report(path[:-1], f"the table `[{'.'.join(map(str, path))}]` is missing", hint)
            return None
        value, problems = structure(self._filled(data, path), Base)
        self._problems(path, problems)
        if value is not None:
            self._check_base(value, path)
        return value

    def _check_base(self, base: Base, path: TomlPath) -> None:
        kinds = ("image", "spec", "debian", "scratch")
        given = [key for key in kinds if getattr(base, key) is not None]
        if len(given) != 1:
            listed = ", ".join(f"`{key}`" for key in kinds)
            found = " and ".join(f"`{key}`" for key in given) or "none"
            self._report(path, f"a base has exactly one of {listed}, found {found}", at_key=True)
        elif base.scratch is False:
            self._report((*path, "scratch"), "`scratch` can only be `true`")

    def _env(self, path: TomlPath, data: Any) -> EnvTable:
        value, problems = structure_value(self._filled(data, path), EnvTable)
        self._problems(path, problems)
        return value or EnvTable(())

    def _stages(self) -> tuple[Stage, ...]:
        tables = self.document.data.get("stage", {})
        if not isinstance(tables, dict):
            self._report(("stage",), "a stage has a name: `[stage.NAME]`", at_key=True)
            return ()
        return tuple(filter(None, (self._stage(name, data) for name, data in tables.items())))

    def _stage(self, name: str, data: Any) -> Stage | None:
        path: TomlPath = ("stage", name)
        if not isinstance(data, dict):
            self._report(path, f"expected a table, found {kind_of(data)}")
            return None
        try:
            word(name)
        except Malformed as wrong:
            self._report(path, wrong.message, wrong.hint, at_key=True)
        for key in data:
            if key not in ("base", "env", "step"):
                self._report(
                    (*path, key),
                    f"unknown key `{key}`",
                    did_you_mean(key, ("base", "env", "step")),
                    at_key=True,
                )
        base = self._base(data.get("base"), (*path, "base"))
        env = self._env((*path, "env"), data.get("env", {}))
        steps = expand(data.get("step", []), self.document, (*path, "step"), self.context)
        return Stage(name, base, env, steps, self.document.span((*path, "base"))) if base else None

    def _check_image(self, image: Image | None, is_debian: bool) -> None:
        if image is None:
            return
        if not image.platforms:
            self._report(("image", "platforms"), "an image has at least one platform", '["linux/amd64"]')
        for index, platform in enumerate(image.platforms):
            if platform in image.platforms[:index]:
                self._report(("image", "platforms", index), f"the platform `{platform}` is named twice")
            if is_debian and debian.architecture(platform) is None:
                self._report(("image", "platforms", index), f"Debian has no packages for `{platform}`")

    def _check_copies(self, stages: tuple[Stage, ...]) -> None:
        cycle = _cycle({stage.name: set(_copied_stages(stage)) for stage in stages})
        if cycle:
            self._report(
                ("stage", cycle[0]), "the stages copy from each other: " + " → ".join(cycle), at_key=True
            )


def _copied_stages(stage: Stage) -> Iterator[str]:
    for step in stage.steps:
        if isinstance(step.kind, Copy) and step.kind.origin.kind == "stage":
            yield step.kind.origin.name


def _cycle(graph: Mapping[str, set[str]]) -> list[str] | None:
    import graphlib

    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return None
