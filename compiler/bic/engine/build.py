"""Building: tasks in parallel, parents before children; a failing one stops its dependants only."""

from __future__ import annotations

import graphlib
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Lock

from attrs import evolve, field, frozen

from bic.engine import context
from bic.engine.canonical import canonical
from bic.engine.events import Failed, Finished, Reporter, Started
from bic.engine.execute import Executor
from bic.engine.host import HostFacts
from bic.engine.places import Places
from bic.engine.plan import Make, plan
from bic.engine.session import Session
from bic.errors import BicError, Fault, HostLacking, InputInvalid, Interrupted, WorkFailed
from bic.ir.definition import Definition
from bic.lock.exclusive import exclusive
from bic.lower.lower import lower
from bic.lower.script import Var
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.layout import Layout
from bic.process import run
from bic.spec.workspace import Workspace


@frozen
class Request:
    """What to build, and the surroundings: `epoch` in seconds, `secrets` as a directory with a file each."""

    workspace: Workspace
    definitions: tuple[Definition, ...]
    places: Places
    facts: HostFacts
    epoch: int = 0
    secrets: Path | None = None
    jobs: int = 2
    reuse: bool = True


def stored(places: Places, digest: Digest) -> Layout | None:
    """The image of a definition, if it has been built before."""
    path = places.images / digest.hex
    return Layout.open(path) if (path / "index.json").is_file() else None


def pending(request: Request) -> bool:
    """Whether anything has to be executed: if not, no container and no namespace is needed."""
    makes = plan(request.definitions).values()
    return any(not _is_there(request, make) for make in makes)


def _is_there(request: Request, make: Make) -> bool:
    return request.reuse and make.is_pinned and stored(request.places, make.digest) is not None


@frozen
class Outcome:
    """The manifests that were made, by definition digest, and what kept the others from it."""

    manifests: Mapping[Digest, Descriptor]
    failure: BicError | None = None


def build(request: Request, session: Session, report: Reporter) -> Outcome:
    """Make every image of the request that can be made."""
    _check_paths(request)
    _check_platforms(request)
    builder = _Builder(request, session, report, plan(request.definitions))
    return builder.run()


def _check_paths(request: Request) -> None:
    """buildah splits the arguments that name mounts and images at colons, and knows no way to quote one."""
    places = (request.workspace.root, request.places.state, request.places.cache)
    faults = [
        Fault(
            f"nothing can be built in a folder with `:` in its path: `{path}`", hint="BIC_HOME moves caches"
        )
        for path in map(str, places)
        if ":" in path
    ]
    if faults:
        raise InputInvalid(*faults)


def _check_platforms(request: Request) -> None:
    faults = []
    for make in plan(request.definitions).values():
        platform = make.task.platform
        if make.executes and not _is_there(request, make) and not request.facts.runs(platform.architecture):
            hint = "`bic doctor` shows how to enable emulation; `--platform` builds for others only"
            faults.append(
                Fault(f"{make.task.name}: programs for `{platform}` do not run on this host", hint=hint)
            )
    if faults:
        raise HostLacking(*faults)


@frozen(eq=False)
class _Builder:
    request: Request
    session: Session
    report: Reporter
    makes: Mapping[Digest, Make]
    done: dict[Digest, Descriptor] = field(factory=dict)
    imported: dict[Digest, str] = field(factory=dict)
    importing: Lock = field(factory=Lock)

    def run(self) -> Outcome:
        sorter = graphlib.TopologicalSorter(
            {digest: [parent for _, parent in make.parents] for digest, make in self.makes.items()}
        )
        sorter.prepare()
        failures: list[BicError] = []
        running: dict[Future[Descriptor], Digest] = {}
        with ThreadPoolExecutor(max(1, self.request.jobs)) as pool:
            while True:
                for digest in sorter.get_ready():
                    running[pool.submit(self.make, self.makes[digest])] = digest
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self.collect(future, running.pop(future), sorter, failures)
        return Outcome(self.done, _together(failures) if failures else None)

    def collect(
        self,
        future: Future[Descriptor],
        digest: Digest,
        sorter: graphlib.TopologicalSorter[Digest],
        failures: list[BicError],
    ) -> None:
        try:
            self.done[digest] = future.result()
            sorter.done(digest)
        except BicError as error:
            failures.append(error)
            self.report(Failed(self.makes[digest].task, error.faults[0].message if error.faults else ""))

    def make(self, make: Make) -> Descriptor:
        started = time.monotonic()
        self.session.cancel.check()
        layout = stored(self.request.places, make.digest) if _is_there(self.request, make) else None
        cached = layout is not None
        if layout is None:
            layout = self.execute(make)
        manifest = layout.resolve(make.task.platform)
        self.report(Finished(make.task, manifest.digest, time.monotonic() - started, cached))
        return manifest

    def execute(self, make: Make) -> Layout:
        request = self.request
        built = {position: Var(f"base{position}") for position, _ in make.parents}
        script = lower(make.definition, built)
        folder = request.workspace.build_dir(make.task.name)
        context.stage([make.definition], request.workspace.root, folder / "context", prune=False)
        if not request.reuse:
            context.forget(make.definition, folder / "context")
        log_path = folder / f"{make.task.platform.slug}.log"
        target = self.session.work / f"image-{make.digest.short}"
        values = self.values(make, folder / "context", target)
        with log_path.open("wb") as log:
            steps = sum(1 for _ in (*script.prepare, *script.body))
            self.report(Started(make.task, steps, log_path))
            executor = Executor(
                make.task, self.session, values, log, log_path, self.report, self.secret_values()
            )
            executor.execute(script)
        parents = (self.request.places.images / parent.hex for _, parent in make.parents)
        canonical(Layout.open(target), make.task.platform, script.layers, map(Layout.open, parents))
        return self.keep(make.digest, target)

    def values(self, make: Make, context_dir: Path, target: Path) -> dict[str, str]:
        request = self.request
        values = {
            "context": str(context_dir),
            "cache": str(request.places.packages),
            "secrets": str(request.secrets or ""),
            "ca": request.facts.ca_bundle or "",
            "epoch": str(request.epoch),
            "work": str(self.session.work),
            "unique": f"{self.session.unique}-{make.digest.short}",
            "target": f"oci:{target}",
        }
        for position, digest in make.parents:
            values[f"base{position}"] = self.parent(digest)
        return values

    def parent(self, digest: Digest) -> str:
        """The id of a parent in the container store, brought there once."""
        with self.importing:
            if digest not in self.imported:
                # By a relative path: buildah makes a name of it, and not every path is one.
                command = self.session.command("buildah", "pull", "--quiet", f"oci:{digest.hex}")
                command = evolve(command, cwd=str(self.request.places.images))
                done = run(command, cancel=self.session.cancel)
                self.imported[digest] = done.stdout.decode().strip()
            return self.imported[digest]

    def secret_values(self) -> tuple[str, ...]:
        """The contents of the secrets, to be masked in everything that is shown or logged."""
        folder = self.request.secrets
        if folder is None:
            return ()
        texts = (path.read_bytes().decode("utf-8", "replace").strip() for path in sorted(folder.iterdir()))
        return tuple(text for text in texts if text)

    def keep(self, digest: Digest, target: Path) -> Layout:
        """Move a finished layout to where later builds look for it, unless another run has just done so."""
        final = self.request.places.images / digest.hex
        made = Layout.open(target).index()
        final.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(final.parent):
            there = stored(self.request.places, digest)
            if there is not None and there.index() == made:
                return there
            if final.exists():
                # Out of the way at once: whoever reads meanwhile misses it for an instant at most.
                os.rename(final, self.session.work / f"replaced-{digest.short}")  # noqa: PTH104
            os.rename(target, final)  # noqa: PTH104
        return Layout.open(final)


def _together(failures: Iterable[BicError]) -> BicError:
    """All failures as one; an interruption outweighs the failures that it caused."""
    found = list(failures)
    interrupted = next((each for each in found if isinstance(each, Interrupted)), None)
    if interrupted is not None:
        return interrupted
    lacking = all(isinstance(each, HostLacking) for each in found)
    faults = tuple(fault for each in found for fault in each.faults)
    return HostLacking(*faults) if lacking else WorkFailed(*faults)
