"""What most verbs begin with: the workspace, the selected specs, their locks and definitions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click
from attrs import frozen

from bic.errors import Fault, InputInvalid, Malformed, NothingSelected
from bic.ir.build import Sources, define
from bic.ir.definition import Definition
from bic.lock import file as lock_file
from bic.lock.inputs import scan
from bic.lock.model import Lock
from bic.lock.needs import is_current, needs
from bic.oci.platform import Platform
from bic.passes import pipeline
from bic.spec.load import load_all
from bic.spec.model import Spec
from bic.spec.workspace import Workspace, find


@frozen
class Compiled:
    """The selected specs with one definition for each platform, in the order of the specs' platforms."""

    workspace: Workspace
    selected: tuple[str, ...]
    specs: dict[str, Spec]
    definitions: dict[str, dict[Platform, Definition]]


def workspace() -> Workspace:
    return find(Path.cwd())


def compiled(
    wanted: tuple[str, ...], platforms: tuple[str, ...], *, locked: bool, after: str | None = None
) -> Compiled:
    """Load, lock and compile; every fault of every spec is reported before anything is made."""
    place = workspace()
    selected = place.select(wanted, Path.cwd())
    specs = load_all(place, selected)
    chosen = {name: chosen_platforms(specs[name], platforms) for name in selected}
    locks = ensure_locked(place, specs.values(), locked=locked)
    sources = Sources(specs, locks, scan(place, specs.values()))
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


def ensure_locked(place: Workspace, specs: Iterable[Spec], *, locked: bool) -> dict[str, Lock]:
    """The locks of all specs. A missing or stale one is made now, or refused where nothing may change."""
    found: dict[str, Lock] = {}
    stale: list[Spec] = []
    for spec in specs:
        lock = read_lock(place, spec)
        if lock is not None:
            found[spec.name] = lock
        if not needs(spec).is_empty and not is_current(spec, lock):
            stale.append(spec)
    if stale and (locked or os.environ.get("CI")):
        raise InputInvalid(*(_not_current(spec, found.get(spec.name)) for spec in stale))
    for spec in stale:
        from bic.cli.lock import relock

        click.echo(f"locking {spec.name}: {'stale' if spec.name in found else 'no'} lock", err=True)
        found[spec.name] = relock(place, spec, found.get(spec.name))
    return found


def read_lock(place: Workspace, spec: Spec) -> Lock | None:
    path = lock_file.path_of(place.path_of(spec.name))
    return lock_file.read(path, path.relative_to(place.root).as_posix())


def _not_current(spec: Spec, lock: Lock | None) -> Fault:
    if lock is None:
        return Fault(f"`{spec.name}` has no lock", spec.base_span, "run `bic lock` and commit what it writes")
    missing = [str(reference) for reference, _ in needs(spec).images if lock.image(reference) is None]
    missing += [url for url, _ in needs(spec).files if lock.file(url) is None]
    notes = tuple(f"not locked: {each}" for each in missing) or ("the spec was edited after it was locked",)
    return Fault(
        f"the lock of `{spec.name}` is stale", None, "run `bic lock` and commit what it writes", notes
    )
