"""Spec and lock to a definition: the front half of the compiler.

Everything that a definition needs comes in as an argument; nothing is read, asked or executed here.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from bic.errors import Fault, InputInvalid, Malformed, Span
from bic.ir.definition import Definition, Origin, Vertex
from bic.ir.op import (
    Bootstrap,
    Config,
    CopyFrom,
    Download,
    EnsureDirectory,
    Exec,
    Image,
    Inline,
    Install,
    Local,
    Op,
    Pairs,
    RemoveMatching,
    Scratch,
    SetFileModes,
    Source,
    Tree,
)
from bic.ir.translate import action, config_of, entry_of, fill
from bic.lock.inputs import InputKey, Inputs, copy_key
from bic.lock.model import Lock
from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.spec import model

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked up in images whose base does not say."""


@frozen
class State:
    """A root file system on its way: the vertex that yields it, and what is known of its config."""

    position: int
    env: Pairs
    has_shell: bool


@frozen
class Sources:
    """What definitions are made from: evaluated specs, their locks, and the files that they use."""

    specs: Mapping[str, model.Spec]
    locks: Mapping[str, Lock]
    inputs: Inputs


def define(name: str, sources: Sources, platform: Platform) -> Definition:
    """The definition of spec `name` for one platform, with its parents as part of the graph.

    `InputInvalid` carries everything that is wrong with it: what the lock lacks, what is not set.
    """
    builder = _Builder(sources, platform)
    builder.image(name)
    if builder.faults:
        raise InputInvalid(*dict.fromkeys(builder.faults))
    return Definition(name, platform, tuple(builder.vertices))


@frozen(eq=False)
class _Builder:
    sources: Sources
    platform: Platform
    vertices: list[Vertex] = field(factory=list)
    images: dict[str, State] = field(factory=dict)
    stages: dict[tuple[str, str], State] = field(factory=dict)
    shared: dict[Op, int] = field(factory=dict)
    faults: list[Fault] = field(factory=list)

    def add(self, op: Op, inputs: tuple[int, ...] = (), span: Span | None = None, title: str = "") -> int:
        self.vertices.append(Vertex(op, inputs, (Origin(span, title),)))
        return len(self.vertices) - 1

    def add_shared(self, op: Op, span: Span | None) -> int:
        """A vertex without inputs; the same operation twice is one vertex."""
        if op not in self.shared:
            self.shared[op] = self.add(op, (), span)
        return self.shared[op]

    def image(self, name: str) -> State:
        if name not in self.images:
            spec = self.sources.specs[name]
            state = self.base(spec, spec.base, spec.base_span)
            state = self.env(state, spec.env, spec.env_span)
            for step in spec.steps:
                state = self.step(spec, state, step)
            # As WORKDIR and VOLUME do: a container must be able to start there.
            for path in (*filter(None, [spec.config.workdir]), *(spec.config.volumes or ())):
                ensure = Tree((EnsureDirectory(path),))
                state = evolve(state, position=self.add(ensure, (state.position,)))
            config = config_of(spec)
            position = self.add(config, (state.position,)) if config != Config() else state.position
            self.images[name] = evolve(state, position=self.add(Image(spec.image.name), (position,)))
        return self.images[name]

    def stage(self, spec: model.Spec, name: str) -> State:
        key = (spec.name, name)
        if key not in self.stages:
            stage = next(each for each in spec.stages if each.name == name)
            state = self.env(self.base(spec, stage.base, stage.span), stage.env, stage.span)
            for step in stage.steps:
                state = self.step(spec, state, step)
            self.stages[key] = state
        return self.stages[key]

    def base(self, spec: model.Spec, base: model.Base, span: Span | None) -> State:
        if base.spec is not None:
            return self.image(base.spec)
        if base.image is not None:
            return self.pulled(spec, base.image, span, has_shell=base.shell)
        if base.debian is not None:
            debian = base.debian
            op = Bootstrap(debian.suite, debian.variant, debian.components, debian.mirror, self.platform)
            return self.with_path(State(self.add_shared(op, span), (), has_shell=True))
        return self.with_path(State(self.add_shared(Scratch(), span), (), has_shell=False))

    def with_path(self, state: State) -> State:
        env = (("PATH", PATH),)
        return evolve(state, position=self.add(Config(env=env), (state.position,)), env=env)

    def pulled(
        self, spec: model.Spec, reference: Reference, span: Span | None, *, has_shell: bool = True
    ) -> State:
        lock = self.sources.locks.get(spec.name)
        pin = lock.image(reference) if lock else None
        platform_pin = pin.platform(self.platform) if pin else None
        if pin is None or platform_pin is None:
            fault = Fault(f"`{reference}` is not locked for `{self.platform}`", span, "run `bic lock`")
            self.faults.append(fault)
            return State(self.add_shared(Scratch(), span), (), has_shell)
        env = tuple(_pair(entry) for entry in platform_pin.env if "=" in entry)
        op = Source(
            reference.with_digest(pin.digest),
            platform_pin.manifest,
            self.platform,
            env,
            platform_pin.user,
            platform_pin.workdir,
            has_shell,
        )
        return State(self.add_shared(op, span), env, has_shell)

    def step(self, spec: model.Spec, state: State, step: model.Step) -> State:
        if not step.runs_on(self.platform):
            return state
        if isinstance(step.kind, model.Env):
            return self.env(state, step.kind.env, step.span)
        op, inputs = self.operation(spec, state, step)
        position = self.add(op, (state.position, *inputs), step.span, step.title)
        return evolve(state, position=position)

    def env(self, state: State, table: Pairs, span: Span | None) -> State:
        if not table:
            return state
        filled = self.filled(state, table, span)
        position = self.add(Config(env=filled), (state.position,), span)
        return evolve(state, position=position, env=tuple({**dict(state.env), **dict(filled)}.items()))

    def filled(self, state: State, table: Pairs, span: Span | None) -> Pairs:
        """Variables with `${env.NAME}` filled in: from the table itself, above, and from what is in force."""
        known = dict(state.env)
        found: list[tuple[str, str]] = []
        for name, value in table:
            try:
                known[name] = fill(value, known)
            except Malformed as wrong:
                self.faults.append(Fault(wrong.message, span, wrong.hint))
                known[name] = value
            found.append((name, known[name]))
        return tuple(found)

    def operation(self, spec: model.Spec, state: State, step: model.Step) -> tuple[Op, tuple[int, ...]]:
        """The operation of a step, and its inputs after the state."""
        match step.kind:
            case model.Run(run=argv):
                return self.execution(state, step, argv)
            case model.Shell(shell=script, interpreter=interpreter):
                return self.execution(state, step, (*interpreter, script))
            case model.Apt() | model.Apk() | model.Dnf() | model.Pip():
                return self.install(state, step)
            case model.File() | model.Copy() | model.Fetch():
                copy, position = self.copy(spec, step)
                return Tree((copy,)), (position,)
            case model.Env():
                raise AssertionError("environment steps become configs")
            case kind:
                return Tree((action(kind),)), ()

    def execution(
        self, state: State, step: model.Step, argv: tuple[str, ...]
    ) -> tuple[Exec, tuple[int, ...]]:
        options = step.options
        contents = [self.local(InputKey(source), None, step.span) for _, source in options.bind]
        run = Exec(
            argv,
            options.user,
            options.workdir,
            self.filled(state, options.env, step.span),
            options.network,
            options.cache,
            options.secrets,
            tuple((path, index) for index, (path, _) in enumerate(options.bind, start=1)),
        )
        return run, tuple(contents)

    def install(self, state: State, step: model.Step) -> tuple[Install, tuple[int, ...]]:
        run, inputs = self.execution(state, step, ())
        match step.kind:
            case model.Apt() as apt:
                return Install("apt", apt.packages, apt.upgrade, run, recommends=apt.recommends), inputs
            case model.Apk() as apk:
                return Install("apk", apk.packages, apk.upgrade, run), inputs
            case model.Dnf() as dnf:
                return Install("dnf", dnf.packages, dnf.upgrade, run), inputs
            case model.Pip() as pip:
                return self.pip(pip, run, inputs, step.span)
            case _:
                raise AssertionError("not a package step")

    def pip(
        self, pip: model.Pip, run: Exec, inputs: tuple[int, ...], span: Span
    ) -> tuple[Install, tuple[int, ...]]:
        requirements = None
        if pip.requirements is not None:
            position = self.local(InputKey(pip.requirements), None, span)
            self.refuse_directory(position, pip.requirements, span)
            inputs = (*inputs, position)
            requirements = len(inputs)
        op = Install(
            "pip",
            pip.packages,
            "full" if pip.upgrade else "none",
            run,
            python=pip.python,
            break_system_packages=pip.break_system_packages,
            requirements=requirements,
        )
        return op, inputs

    def copy(self, spec: model.Spec, step: model.Step) -> tuple[CopyFrom, int]:
        match step.kind:
            case model.File(content=str(content)) as file:
                position = self.add_shared(Inline(content, file.mode), step.span)
                return CopyFrom(1, "", file.path, file.owner, None, is_directory=False), position
            case model.File(source=str(source)) as file:
                position = self.local(InputKey(source), file.mode, step.span)
                self.refuse_directory(position, source, step.span)
                return CopyFrom(1, "", file.path, file.owner, None, is_directory=False), position
            case model.Fetch() as fetch:
                op = Download(
                    fetch.url, self.sha256(spec, fetch, step), fetch.mode, fetch.extract, fetch.strip
                )
                position = self.add_shared(op, step.span)
                return CopyFrom(1, "", fetch.path, fetch.owner, None, is_directory=fetch.extract), position
            case model.Copy() as copy:
                return self.copied(spec, copy, step)
            case _:
                raise AssertionError("not a step that copies")

    def copied(self, spec: model.Spec, copy: model.Copy, step: model.Step) -> tuple[CopyFrom, int]:
        if copy.origin.kind == "workspace":
            position = self.local(copy_key(copy), copy.mode, step.span)
            is_directory = not self.local_at(position).is_file
            owner = copy.owner or model.ROOT
            return CopyFrom(1, "", copy.path, owner, None, is_directory), position
        if copy.origin.kind == "stage":
            position = self.stage(spec, copy.origin.name).position
        else:
            position = self.pulled(spec, Reference.parse(copy.origin.name), step.span).position
        if copy.exclude:
            position = self.add(Tree((RemoveMatching(copy.source, copy.exclude),)), (position,), step.span)
        if copy.mode is not None:
            position = self.add(Tree((SetFileModes(copy.source, copy.mode),)), (position,), step.span)
        return CopyFrom(1, copy.source, copy.path, copy.owner, None, is_directory=None), position

    def local(self, key: InputKey, mode: str | None, span: Span) -> int:
        entries = tuple(entry_of(each, mode) for each in self.sources.inputs[key])
        return self.add_shared(Local(entries, key.source), span)

    def local_at(self, position: int) -> Local:
        op = self.vertices[position].op
        assert isinstance(op, Local)
        return op

    def refuse_directory(self, position: int, source: str, span: Span) -> None:
        if not self.local_at(position).is_file:
            self.faults.append(Fault(f"`{source}` is a directory", span, "use a `copy` step"))

    def sha256(self, spec: model.Spec, fetch: model.Fetch, step: model.Step) -> str | None:
        if fetch.sha256 is not None or fetch.unpinned:
            return fetch.sha256
        lock = self.sources.locks.get(spec.name)
        pin = lock.file(fetch.url) if lock else None
        if pin is None:
            hint = "run `bic lock`, give its `sha256`, or accept whatever is there with `unpinned = true`"
            message = f"the content of this address is not pinned: `{fetch.url}`"
            self.faults.append(Fault(message, step.span, hint))
            return None
        return pin.sha256


def _pair(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value
