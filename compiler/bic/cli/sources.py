"""What most verbs begin with: the workspace, the selected specs, their locks and definitions."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from bic.cli.locking import ensure_locked
from bic.errors import Fault, InputInvalid, Malformed, NothingSelected
from bic.ir.build import Sources, define
from bic.ir.definition import Definition
from bic.lock.inputs import scan
from bic.oci.platform import Platform
from bic.passes import pipeline
from bic.spec.load import load_all
from bic.spec.model import Spec
from bic.spec.settings import settings
from bic.spec.workspace import Workspace, find


@frozen
class Compiled:
    """The selected specs with one definition for each platform, in the order of the specs' platforms."""

    workspace: Workspace
    selected: tuple[str, ...]
    specs: dict[str, Spec]
    definitions: dict[str, dict[Platform, Definition]]


def workspace() -> Workspace:
    """The workspace around the current folder, its bic.toml read and found sound."""
    place = find(Path.cwd())
    settings(place)
    return place


def compiled(
    wanted: tuple[str, ...], platforms: tuple[str, ...], *, locked: bool, after: str | None = None
) -> Compiled:
    """Load, lock and compile; every fault of every spec is reported before anything is made."""
    place = workspace()
    selected = place.select(wanted, Path.cwd())
    specs = load_all(place, selected)
    chosen = {name: chosen_platforms(specs[name], platforms) for name in selected}
    inputs = scan(place, specs.values())
    sources = Sources(specs, ensure_locked(place, specs.values(), locked=locked), inputs)
    definitions: dict[str, dict[Platform, Definition]] = {}
    faults: list[Fault] = []
    for name in selected:
        definitions[name] = {}
        for platform in chosen[name]:
            try:
                definitions[name][platform] = pipeline.run(define(name, sources, platform), after)
            except InputInvalid as error:
                faults.extend(error.faults)
    if faults:
        raise InputInvalid(*dict.fromkeys(faults))
    return Compiled(place, selected, specs, definitions)


def chosen_platforms(spec: Spec, wanted: tuple[str, ...]) -> tuple[Platform, ...]:
    """The spec's platforms, or those of them that were asked for."""
    if not wanted:
        return spec.image.platforms
    chosen = tuple(dict.fromkeys(parsed_platform(each) for each in wanted))
    missing = [str(each) for each in chosen if each not in spec.image.platforms]
    if missing:
        there = ", ".join(str(each) for each in spec.image.platforms)
        raise NothingSelected(
            f"`{spec.name}` is not built for {', '.join(missing)}", hint=f"its platforms: {there}"
        )
    return chosen


def parsed_platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except Malformed as error:
        raise InputInvalid(Fault(error.message, hint=error.hint)) from error
