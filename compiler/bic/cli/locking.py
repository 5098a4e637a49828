"""The locks of specs: read, judged, and made anew where that is allowed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from bic.errors import Fault, InputInvalid
from bic.lock import file as lock_file
from bic.lock.model import Lock
from bic.lock.needs import is_current, needs
from bic.spec.model import Spec
from bic.spec.workspace import Workspace


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


def relock(place: Workspace, spec: Spec, previous: Lock | None, resolver: str | None = None) -> Lock:
    """Resolve what the spec needs, and write its lock; registries are asked through `resolver`, by name."""
    from bic.lock.registry import Skopeo, choose
    from bic.lock.resolve import resolve

    # Who has no image to ask for needs no tool to ask with.
    registry = choose(resolver) if needs(spec).images else Skopeo()
    made = resolve(spec, registry, _sha256_of, previous)
    lock_file.write(lock_file.path_of(place.path_of(spec.name)), made)
    return made


def _sha256_of(url: str) -> str:
    from bic.lock.download import download

    with tempfile.TemporaryDirectory(prefix="bic-") as folder:
        return download(url, Path(folder) / "file", None)
