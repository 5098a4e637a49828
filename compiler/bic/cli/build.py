"""`bic build`: specs into OCI images."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bic.cli.sources import Compiled
    from bic.engine.build import Request
    from bic.engine.host import Driver, HostFacts
    from bic.engine.places import Places
    from bic.engine.session import Session
    from bic.oci.reference import Reference


@click.command("build")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--platform", "platforms", multiple=True, metavar="P", help="One of the spec's platforms.")
@click.option("--push", metavar="REF", help="Push the image of the one SPEC to this reference.")
@click.option(
    "--secret", "secrets", multiple=True, metavar="id=ID,src=FILE|env=NAME", help="A secret for steps."
)
@click.option("--no-cache", is_flag=True, help="Build anew what is there already.")
@click.option("--locked", is_flag=True, help="Fail if a lock is missing or stale.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Images built at the same time.")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def command(
    specs: tuple[str, ...],
    platforms: tuple[str, ...],
    push: str | None,
    secrets: tuple[str, ...],
    no_cache: bool,
    locked: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Build SPECs (paths or names; all without one) for all their platforms, rootless.

    Leaves an OCI layout with one index in out/build/NAME/image. Platforms and independent specs are built
    in parallel, parents before their children.
    """
    from bic.cli.sources import compiled
    from bic.process import inside

    target = _reference(push)
    done = compiled(specs, platforms, locked=locked)
    if target is not None and len(done.selected) != 1:
        raise click.UsageError("--push needs exactly one SPEC")
    given = _secrets(done, secrets)
    places = _places()
    with _request(done, places, jobs or os.cpu_count() or 1, not no_cache) as request:
        from bic.engine.build import pending

        if pending(request) and not inside.is_inside():
            code = inside.enter((sys.executable, "-m", "bic", *sys.argv[1:]), request.facts.buildah)
            raise click.exceptions.Exit(code)
        _build(done, request, given, target, as_json)


def _reference(text: str | None) -> Reference | None:
    from bic.errors import Fault, InputInvalid, Malformed
    from bic.oci.reference import Reference

    if text is None:
        return None
    try:
        return Reference.parse(text)
    except Malformed as error:
        raise InputInvalid(Fault(error.message, hint=error.hint)) from error


def _places() -> Places:
    from bic.engine.places import places

    return places(os.environ)


@contextmanager
def _request(done: Compiled, places: Places, jobs: int, reuse: bool) -> Iterator[Request]:
    from bic.engine.build import Request

    definitions = tuple(each for found in done.definitions.values() for each in found.values())
    yield Request(done.workspace, definitions, places, _facts(places), _epoch(), jobs=jobs, reuse=reuse)


def _facts(places: Places) -> HostFacts:
    from attrs import evolve

    from bic.engine.host import Host, probe_host

    facts = probe_host(Host.here(os.environ), store=str(places.state))
    return evolve(facts, driver=_driver(facts.driver))


def _driver(probed: Driver) -> Driver:
    """The storage driver that works here, unless the user chose one as for any of the containers tools."""
    from bic.errors import InputInvalid

    match os.environ.get("STORAGE_DRIVER") or probed:
        case "overlay" | "fuse-overlayfs" | "vfs" as chosen:
            return chosen
        case other:
            raise InputInvalid(
                f"no storage driver that bic knows: `{other}`", hint="overlay, fuse-overlayfs or vfs"
            )


def _epoch() -> int:
    from bic.errors import InputInvalid

    text = os.environ.get("SOURCE_DATE_EPOCH") or "0"
    if not text.isdecimal():
        raise InputInvalid(f"SOURCE_DATE_EPOCH is no number of seconds: `{text}`")
    return int(text)


def _secrets(done: Compiled, given: tuple[str, ...]) -> dict[str, bytes]:
    """The secrets by id; all that steps need must be given before anything starts."""
    from bic.errors import Fault, InputInvalid
    from bic.ir.op import Exec, Install

    found = dict(_secret(each) for each in given)
    faults = []
    for definitions in done.definitions.values():
        for definition in definitions.values():
            for vertex in definition.vertices:
                run = vertex.op.run if isinstance(vertex.op, Install) else vertex.op
                missing = [each for each in run.secrets if each not in found] if isinstance(run, Exec) else []
                for each in missing:
                    hint = f"--secret id={each},src=FILE or --secret id={each},env=NAME"
                    faults.append(Fault(f"the secret `{each}` is not given", vertex.origin.span, hint))
    if faults:
        raise InputInvalid(*dict.fromkeys(faults))
    return found


def _secret(text: str) -> tuple[str, bytes]:
    from bic.errors import InputInvalid

    parts = dict(part.partition("=")[::2] for part in text.split(","))
    try:
        if set(parts) == {"id", "src"}:
            return parts["id"], Path(parts["src"]).read_bytes()
        if set(parts) == {"id", "env"}:
            return parts["id"], os.environ[parts["env"]].encode()
    except OSError as error:
        raise InputInvalid(f"cannot read the secret `{parts['src']}`: {error.strerror}") from error
    except KeyError as error:
        raise InputInvalid(f"the variable of the secret is not set: `{parts['env']}`") from error
    raise InputInvalid(f"not a secret: `{text}`", hint="write `id=ID,src=FILE` or `id=ID,env=NAME`")


def _build(
    done: Compiled, request: Request, secrets: dict[str, bytes], target: Reference | None, as_json: bool
) -> None:
    from attrs import evolve

    from bic.cli.built import collect, show
    from bic.cli.progress import progress
    from bic.engine.build import build
    from bic.engine.push import push

    with _session(request) as session, progress() as report:
        folder = session.work / "secrets"
        folder.mkdir(mode=0o700)
        for name, content in secrets.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o444)
        outcome = build(evolve(request, secrets=folder), session, report)
        images = collect(done, request.places, outcome.manifests)
        pushed = push(Path(images[0].layout), target, session) if target and images else None
    show(images, pushed, as_json)
    if outcome.failure is not None:
        raise outcome.failure


@contextmanager
def _session(request: Request) -> Iterator[Session]:
    """A session whose latch is triggered by signals, or by the process that started this one."""
    import signal

    from bic.engine.session import session
    from bic.process import Cancel, inside

    cancel = Cancel()
    if inside.is_inside():
        inside.watch(cancel.trigger)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: cancel.trigger())
    with session(request.places, request.facts.driver, cancel) as opened:
        yield opened
