"""Definition to script: the graph laid out as one sequence of commands.

Each root file system that is changed gets a working container. A vertex that several others continue
from is committed to a temporary image, from which each gets a container of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from bic.ir.definition import Definition, Origin, Vertex
from bic.ir.op import (
    Bootstrap,
    Config,
    CopyFrom,
    Download,
    Exec,
    Image,
    Inline,
    Install,
    Local,
    Scratch,
    Source,
    Tree,
)
from bic.lower import calls, packages
from bic.lower.context import entry_name
from bic.lower.environment import Known, known
from bic.lower.functions import function
from bic.lower.script import (
    CONTEXT,
    TARGET,
    UNIQUE,
    WORK,
    Changes,
    Command,
    Function,
    Prepare,
    Scratchpad,
    Script,
    Var,
    Word,
    join,
    root_of,
)
from bic.oci.platform import Platform
from bic.spec import debian


def lower(definition: Definition, built: Mapping[int, Var] | None = None) -> Script:
    """The script of a definition. `built` names the image boundaries that are there already, by position."""
    lowering = _Lowering(definition, dict(built or {}), known(definition))
    lowering.run()
    containers = tuple(lowering.created)
    cleanup: list[Command] = [calls.remove_container(each) for each in reversed(containers)]
    cleanup += [calls.remove_image(each) for each in reversed(lowering.temporary)]
    return Script(
        definition.name,
        definition.platform,
        tuple(lowering.prepare),
        tuple(lowering.body),
        tuple(cleanup),
        containers,
        tuple(sorted(lowering.secrets)),
        lowering.layers[definition.result],
    )


@frozen(eq=False)
class _Lowering:
    definition: Definition
    built: dict[int, Var]
    known: tuple[Known, ...]
    prepare: list[Command] = field(factory=list)
    body: list[Command] = field(factory=list)
    created: list[Var] = field(factory=list)
    temporary: list[Word] = field(factory=list)
    containers: dict[int, Var] = field(factory=dict)
    images: dict[int, Word] = field(factory=dict)
    secrets: set[str] = field(factory=set)
    below: dict[Var, int] = field(factory=dict)
    layers: dict[int, int] = field(factory=dict)

    @property
    def platform(self) -> Platform:
        return self.definition.platform

    def run(self) -> None:
        needed = self.needed()
        for position in sorted(needed):
            self.vertex(position, self.definition.vertices[position])

    def needed(self) -> set[int]:
        """Positions that the result needs, given what is built already."""
        found: set[int] = set()
        waiting = [self.definition.result]
        while waiting:
            position = waiting.pop()
            if position in found:
                continue
            found.add(position)
            if position not in self.built:
                waiting.extend(self.definition.vertices[position].inputs)
        return found

    def vertex(self, position: int, vertex: Vertex) -> None:
        if position in self.built:
            self.images[position] = (self.built[position],)
            return
        match vertex.op:
            case Scratch() | Source() | Bootstrap():
                self.prepare_root(vertex)
            case Local() | Inline():
                pass
            case Download() as download:
                self.prepare_download(download, vertex.origin)
            case _:
                self.change(position, vertex)

    def prepare_root(self, vertex: Vertex) -> None:
        if isinstance(vertex.op, Bootstrap):
            self.prepare.append(Prepare(_bootstrap(vertex.op, vertex.origin)))

    def prepare_download(self, download: Download, origin: Origin) -> None:
        name = entry_name(download)
        archive = join(CONTEXT, "/", name, ".archive") if download.extract else join(CONTEXT, "/", name)
        fetch: tuple[Word, ...] = ("fetch", archive, download.url, download.sha256 or "-")
        self.prepare.append(Prepare(Function(fetch, origin)))
        if download.extract:
            words: tuple[Word, ...] = ("extract", join(CONTEXT, "/", name), archive, str(download.strip))
            self.prepare.append(Prepare(Function(words, origin)))

    def change(self, position: int, vertex: Vertex) -> None:
        """Apply a change to the container of its state, which from then on is this vertex's."""
        if isinstance(vertex.op, Image):
            self.boundary(position, vertex)
            return
        container = self.container(vertex.inputs[0], position)
        match vertex.op:
            case Exec() as run:
                self.execute(container, vertex, run, run.argv)
            case Install() as install:
                self.install(container, vertex, install)
            case Tree() as tree:
                self.tree(container, vertex, tree)
            case Config() as config:
                self.body.extend(calls.configure(container, config, vertex.origin))
            case _:
                raise AssertionError(f"not a change: {vertex.op!r}")
        self.containers[position] = container

    def container(self, state: int, user: int) -> Var:
        """A container holding `state` that vertex `user` may change."""
        if state in self.containers and self.is_last_change(state, user):
            return self.containers[state]
        if state in self.containers:
            self.commit_temporary(state)
        return self.create(state)

    def is_last_change(self, state: int, user: int) -> bool:
        """Whether no later vertex needs the state as it is now."""
        return not any(each > user for each, _ in self.definition.users(state))

    def commit_temporary(self, state: int) -> None:
        if state in self.images:
            return
        name = join("localhost/bic/", UNIQUE, f":{state}")
        self.body.append(calls.tidy(self.containers[state]))
        self.body.append(calls.commit(self.containers[state], name))
        self.images[state] = name
        self.layers[state] = self.below[self.containers[state]] + 1
        self.temporary.append(name)

    def create(self, state: int) -> Var:
        container = Var(f"c{len(self.created)}")
        vertex = self.definition.vertices[state]
        origin = vertex.origin
        match vertex.op:
            case Scratch():
                self.body.append(calls.from_scratch(container, self.platform, origin))
            case Bootstrap() as bootstrap:
                self.body.append(calls.from_scratch(container, self.platform, origin))
                archive = join(CONTEXT, "/", entry_name(bootstrap))
                self.body.append(calls.unpack(container, archive, origin))
            case Source() as source:
                self.body.append(calls.from_source(container, source, origin))
            case _:
                self.body.append(calls.from_image(container, self.images[state], self.platform, origin))
        self.created.append(container)
        self.below[container] = self.layers.get(state, 0)
        self.body.append(calls.mount(container))
        self.body.append(Changes(container, (self.remember(container, state),)))
        return container

    def remember(self, container: Var, state: int) -> Function:
        """Note which mount points are missing, so that stubs of them can be told from content."""
        paths = stubs(self.definition, state)
        return Function(("remember", join(WORK, "/", container, ".stubs"), *paths))

    def boundary(self, position: int, vertex: Vertex) -> None:
        state = vertex.inputs[0]
        container = self.container(state, position)
        self.body.append(calls.tidy(container))
        self.body.extend(
            calls.describe(container, self.known[state].base, position == self.definition.result)
        )
        self.layers[position] = self.below[container] + 1
        if position == self.definition.result:
            self.body.append(calls.commit(container, (TARGET,)))
        else:
            name = join("localhost/bic/", UNIQUE, f":{position}")
            self.body.append(calls.commit(container, name))
            self.images[position] = name
            self.temporary.append(name)

    def execute(
        self,
        container: Var,
        vertex: Vertex,
        run: Exec,
        argv: tuple[str, ...],
        mounts: calls.Mounts = (),
        label: str = "",
    ) -> None:
        contents = tuple(self.bind(vertex, path, slot) for path, slot in run.binds)
        caches = tuple((calls.cache(path, self.platform), path) for path in run.caches)
        self.body.extend(Scratchpad(source) for source, _ in caches)
        self.secrets.update(run.secrets)
        env = self.known[vertex.inputs[0]].env
        call = calls.run(container, run, argv, env, contents, caches + mounts, vertex.origin)
        self.body.append(evolve(call, label=label))

    def bind(self, vertex: Vertex, path: str, slot: int) -> tuple[Word, str]:
        op = self.definition.vertices[vertex.inputs[slot]].op
        assert isinstance(op, Local | Inline | Download)
        return join(CONTEXT, "/", entry_name(op)), path

    def install(self, container: Var, vertex: Vertex, install: Install) -> None:
        source, path = calls.package_cache(install, self.platform)
        self.body.append(Scratchpad(source))
        run, argv = calls.installation(install)
        self.execute(container, vertex, run, argv, ((source, path),), packages.label(install))

    def tree(self, container: Var, vertex: Vertex, tree: Tree) -> None:
        functions: list[Function] = []
        for action, origin in zip(tree.actions, vertex.origins, strict=True):
            if not isinstance(action, CopyFrom):
                functions.extend(function(action, origin))
                continue
            content = self.definition.vertices[vertex.inputs[action.input]].op
            if isinstance(content, Local | Inline | Download):
                functions.extend(function(action, origin, content))
            else:
                functions.append(self.copy_from(vertex, action, origin))
        self.body.append(Changes(container, tuple(functions)))

    def copy_from(self, vertex: Vertex, action: CopyFrom, origin: Origin) -> Function:
        """A copy from the file system of another container, made if it is not there yet."""
        state = vertex.inputs[action.input]
        source = self.containers.get(state)
        if source is None:
            source = self.containers[state] = self.create(state)
        self.body.append(calls.tidy(source))
        owner = str(action.owner) if action.owner else "-"
        return Function(("copy_in", (root_of(source),), action.source, action.path, owner), origin)


def stubs(definition: Definition, state: int) -> tuple[str, ...]:
    """Paths that running steps on top of `state` may leave as empty stubs, the deepest first."""
    paths = {"/dev", "/proc", "/sys", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"}
    paths |= {"/run/.containerenv", "/run/secrets", "/run/bic", "/run/bic/ca.crt"}
    for vertex in definition.vertices[state:]:
        match vertex.op:
            case Exec() as run:
                paths |= _mount_points(run)
            case Install() as install:
                run, _ = calls.installation(install)
                paths |= _mount_points(run) | {calls.package_mount(install)}
            case _:
                pass
    above = {"/".join(path.split("/")[:end]) for path in paths for end in range(2, path.count("/") + 1)}
    return tuple(sorted(paths | above, key=lambda path: (-path.count("/"), path)))


def _mount_points(run: Exec) -> set[str]:
    return {*run.caches, *(path for path, _ in run.binds), *(f"/run/secrets/{each}" for each in run.secrets)}


def _bootstrap(op: Bootstrap, origin: Origin) -> Function:
    architecture = debian.architecture(op.platform)
    assert architecture is not None, "verified when the spec was loaded"
    words: tuple[Word, ...] = (
        "bootstrap",
        join(CONTEXT, "/", entry_name(op)),
        op.suite,
        op.variant,
        architecture,
        ",".join(op.components),
        *((op.mirror,) if op.mirror else ()),
    )
    return Function(words, origin)
