"""Definitions as a Dockerfile that truly builds, with `buildah build` or BuildKit.

One text serves all platforms: where they differ, each has stages of its own and the last line chooses.
The build context is the folder of the Dockerfile; files come from its `context` directory.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

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
    Remove,
    RemoveMatching,
    Scratch,
    Source,
    Tree,
)
from bic.lower import calls, shell
from bic.lower.context import bootstrap_stem, entry_name
from bic.lower.environment import Known, fixed, known
from bic.lower.functions import function
from bic.lower.script import CONTEXT, Function
from bic.oci.platform import Platform

LIBRARY = "tree.sh"
MOUNT = "/run/bic/context"
TOOLS = "BIC_TOOLS"
DEFAULT_TOOLS = "docker.io/library/busybox:stable"

MOUNTS = "/run/bic"
STUBS = f"{MOUNTS}/stubs"
_REMEMBER = """\
mkdir -p "${0%/*}"
for each; do
  [ -e "$each" ] || [ -L "$each" ] || echo "$each"
done > "$0"
"""
_TIDY = """\
while read -r each; do
  if [ -d "$each" ] && [ ! -L "$each" ]; then
    rmdir "$each" 2>/dev/null || :
  elif [ -f "$each" ] && [ ! -s "$each" ]; then
    rm -f "$each"
  fi
done < "$0"
rm -rf "${0%/*}"
"""

_HEADER = """\
# {name}: made by `bic compile`; needs nothing of bic.
#
#   {prepare}buildah build --platform {platform} --isolation chroot --format oci \\
#     --identity-label=false --tag {name} {folder}
#
# Secrets are given as --secret id=ID,src=FILE{annotations}. A network that intercepts TLS needs
#   --volume CA-BUNDLE:/run/bic/ca.crt:ro --build-arg SSL_CERT_FILE=/run/bic/ca.crt
"""


def text(definitions: Sequence[Definition]) -> str:
    """The Dockerfile of one spec; all definitions are of that spec, one a platform."""
    rendered = [_Renderer(each, known(each)).stages() for each in definitions]
    head = _header(definitions)
    if all(each == rendered[0] for each in rendered):
        return head + "\n" + _stages(rendered[0], "")
    blocks = []
    for definition, stages in zip(definitions, rendered, strict=True):
        prefix = f"{definition.platform.slug}-"
        blocks.append(_stages(stages, prefix, result=f"result-{definition.platform.slug}"))
    chosen = "result-${TARGETOS}-${TARGETARCH}${TARGETVARIANT:+-${TARGETVARIANT}}"
    return head + "\n" + "\n".join(blocks) + f"\nFROM {chosen}\n"


def _header(definitions: Sequence[Definition]) -> str:
    first = definitions[0]
    bootstraps = any(isinstance(v.op, Bootstrap | Download) for d in definitions for v in d.vertices)
    prepare = f"sh {first.platform.slug}.sh --prepare && " if bootstraps else ""
    annotations = {
        pair for d in definitions for v in d.vertices if isinstance(v.op, Config) for pair in v.op.annotations
    }
    given = "".join(
        f"\n#   --annotation {shell.word(f'{name}={value}')}" for name, value in sorted(annotations)
    )
    told = f", annotations as{given}\n#" if given else ""
    head = _HEADER.format(
        name=first.name, prepare=prepare, platform=first.platform, folder=".", annotations=told
    )
    return head + f"ARG {TOOLS}={DEFAULT_TOOLS}\nARG TARGETOS\nARG TARGETARCH\nARG TARGETVARIANT\n"


@define
class _Stage:
    """A stage while it is written: `lines` are its instructions, `user` and `workdir` what RUN would have.

    `points` are paths of the image that were mounted over since line `begun`.
    """

    name: str
    user: str
    workdir: str
    lines: list[str] = field(factory=list)
    needs: list[str] = field(factory=list)
    points: set[str] = field(factory=set)
    begun: int = 0


Rendered = tuple[tuple[str, tuple[str, ...]], ...]
"""Stages in order: name and instructions, the names of other stages written `{name}`."""


def _stages(rendered: Rendered, prefix: str, result: str = "") -> str:
    names = {name: f"{prefix}{name}" for name, _ in rendered}
    if result:
        names[rendered[-1][0]] = result
    blocks = []
    for _, lines in rendered:
        blocks.append("\n".join(_STAGE.sub(lambda match: names[match[1]], line) for line in lines))
    return "\n\n".join(blocks) + "\n"


_STAGE = re.compile(r"\x00([a-z0-9-]+)\x00")


def _mark(name: str) -> str:
    """A stage's name in an instruction, until its final name is known."""
    return f"\x00{name}\x00"


@frozen(eq=False)
class _Renderer:
    definition: Definition
    known: tuple[Known, ...]
    made: dict[str, _Stage] = field(factory=dict)
    at: dict[int, _Stage] = field(factory=dict)

    def stages(self) -> Rendered:
        for position, vertex in enumerate(self.definition.vertices):
            self.vertex(position, vertex)
        last = self.at[self.definition.result]
        self.leave(last, self.known[self.definition.result])
        return tuple((each.name, tuple(each.lines)) for each in self.ordered(last))

    def ordered(self, last: _Stage) -> list[_Stage]:
        """The stages that the last one needs, each after those that it needs."""
        order: list[_Stage] = []

        def visit(stage: _Stage) -> None:
            for name in stage.needs:
                visit(self.made[name])
            if stage not in order:
                order.append(stage)

        visit(last)
        return order

    def vertex(self, position: int, vertex: Vertex) -> None:
        match vertex.op:
            case Local() | Inline() | Download():
                pass
            case Scratch() | Source() | Bootstrap():
                self.at[position] = self.root(vertex.op, vertex.origin, position)
            case Image():
                self.at[position] = self.at[vertex.inputs[0]]
            case _:
                self.at[position] = self.change(position, vertex)

    def open(self, base: str, at: Known, needs: tuple[str, ...] = ()) -> _Stage:
        stage = _Stage(f"s{len(self.made)}", at.user, at.workdir, needs=list(needs))
        stage.lines.append(f"FROM {base} AS {_mark(stage.name)}")
        self.made[stage.name] = stage
        return stage

    def root(self, op: Scratch | Source | Bootstrap, origin: Origin, position: int) -> _Stage:
        match op:
            case Scratch():
                stage = self.open("scratch", Known())
            case Source() as source:
                exact = source.reference.with_tag(None)
                stage = self.open(str(exact), self.known[position])
                self.comment(stage, origin, str(source.reference.with_digest(None)))
            case _:
                stage = self.open("scratch", Known())
                self.comment(stage, origin)
                stage.lines += ["ARG TARGETOS", "ARG TARGETARCH", "ARG TARGETVARIANT"]
                suffix = "${TARGETOS}-${TARGETARCH}${TARGETVARIANT:+-${TARGETVARIANT}}"
                stage.lines.append(f"ADD context/{bootstrap_stem(op)}-{suffix}.tar /")
        self.declare(stage, self.known[position])
        return stage

    def declare(self, stage: _Stage, at: Known) -> None:
        """The fixed environment of steps, as build arguments: nothing of it stays in the image."""
        for name, value in (*fixed(at.env), ("SOURCE_DATE_EPOCH", "0")):
            stage.lines.append(f"ARG {name}={value}")
        stage.lines.append("ARG SSL_CERT_FILE")

    def change(self, position: int, vertex: Vertex) -> _Stage:
        state = vertex.inputs[0]
        stage = self.at[state]
        if not self.is_only_user(state):
            before = self.known[state]
            self.leave(stage, before)
            stage = self.open(_mark(stage.name), before, (stage.name,))
            self.declare(stage, before)
        match vertex.op:
            case Exec() as run:
                self.run(stage, vertex, run, run.argv, state)
            case Install() as install:
                run, argv = calls.installation(install)
                cache = f"--mount=type=cache,id=bic-{install.manager},sharing=locked"
                cache += f",target={calls.package_mount(install)}"
                self.run(stage, vertex, run, argv, state, (cache,))
            case Tree() as tree:
                stage = self.tree(stage, vertex, tree, state)
            case Config() as config:
                self.config(stage, config, vertex.origin)
            case _:
                raise AssertionError(f"not a change: {vertex.op!r}")
        return stage

    def is_only_user(self, state: int) -> bool:
        """Images pass their state on, so what counts is who changes or copies it after them."""
        users = list(self.definition.users(state))
        vertex = self.definition.vertices[state]
        if isinstance(vertex.op, Image):
            return len(users) == 1 and self.is_only_user_of_chain(vertex.inputs[0], state)
        return len(users) == 1

    def is_only_user_of_chain(self, state: int, image: int) -> bool:
        return [user for user, _ in self.definition.users(state)] == [image]

    def comment(self, stage: _Stage, origin: Origin, more: str = "") -> None:
        words = " ".join(filter(None, [shell.describe(origin), more]))
        if words:
            stage.lines.append(f"# {words}")

    def become(self, stage: _Stage, user: str) -> None:
        if (stage.user or "0:0") != user:
            stage.lines.append(f"USER {user}")
            stage.user = user

    def enter(self, stage: _Stage, workdir: str) -> None:
        if (stage.workdir or "/") != workdir:
            stage.lines.append(f"WORKDIR {_quoted(workdir)}")
            stage.workdir = workdir

    def leave(self, stage: _Stage, at: Known) -> None:
        """Clear away what mounts left, and go back to the config's user and directory, or root's."""
        if stage.points and at.has_shell:
            self.become(stage, "0:0")
            self.enter(stage, "/")
            paths = sorted(stage.points | _above(stage.points), key=lambda path: (-path.count("/"), path))
            stage.lines.insert(stage.begun, _run([], ("/bin/sh", "-euc", _REMEMBER, STUBS, *paths)))
            stage.lines += ["# What mounts left behind.", _run([], ("/bin/sh", "-euc", _TIDY, STUBS))]
            stage.points.clear()
        self.become(stage, at.user or "0:0")
        self.enter(stage, at.workdir or "/")

    def mounts(self, stage: _Stage, points: Iterable[str]) -> None:
        """Note what the next RUN mounts over; the user of the stage is root by then."""
        if not stage.points:
            stage.begun = len(stage.lines)
        stage.points.update(points)

    def run(
        self,
        stage: _Stage,
        vertex: Vertex,
        run: Exec,
        argv: tuple[str, ...],
        state: int,
        mounts: tuple[str, ...] = (),
    ) -> None:
        points = _points(run.caches, run.secrets, [path for path, _ in run.binds])
        if points or mounts:
            self.become(stage, "0:0")
            self.mounts(stage, points | {MOUNTS})
        self.comment(stage, vertex.origin, "(without network under bic)" if run.network == "none" else "")
        self.become(stage, run.user)
        self.enter(stage, run.workdir)
        options = [*mounts, *(_cache(path, self.definition.platform) for path in run.caches)]
        options += [f"--mount=type=secret,id={each},mode=0444,required=true" for each in run.secrets]
        for path, slot in run.binds:
            op = self.definition.vertices[vertex.inputs[slot]].op
            assert isinstance(op, Local | Inline | Download)
            options.append(f"--mount=type=bind,source=context/{entry_name(op)},target={path}")
        stage.lines.append(_run(options, _in_place(run, argv)))

    def tree(self, stage: _Stage, vertex: Vertex, tree: Tree, state: int) -> _Stage:
        pending: list[Function] = []
        removes = any(isinstance(each, Remove | RemoveMatching) for each in tree.actions)
        for action, origin in zip(tree.actions, vertex.origins, strict=True):
            source = vertex.inputs[action.input] if isinstance(action, CopyFrom) else 0
            content = self.definition.vertices[source].op
            if not isinstance(action, CopyFrom):
                pending += function(action, origin)
            elif isinstance(content, Local | Inline | Download):
                pending += function(action, origin, content)
            else:
                pending.append(Function(("parents", action.path), origin))
                stage = self.flush(stage, pending, state, removes)
                self.copy(stage, action, source, origin)
        return self.flush(stage, pending, state, removes)

    def flush(self, stage: _Stage, pending: list[Function], state: int, removes: bool) -> _Stage:
        if not pending:
            return stage
        functions = tuple(pending)
        pending.clear()
        if self.known[state].has_shell:
            self.functions(stage, functions, "")
            return stage
        return self.beside(stage, functions, state, removes)

    def functions(self, stage: _Stage, functions: tuple[Function, ...], root: str) -> None:
        for origin in dict.fromkeys(each.origin for each in functions):
            self.comment(stage, origin)
        self.become(stage, "0:0")
        self.mounts(stage, {MOUNTS})
        lines = [f". {MOUNT}/{LIBRARY}", f"R={root}", *(_line(each) for each in functions)]
        option = f"--mount=type=bind,source=context,target={MOUNT}"
        stage.lines.append(_run([option], ("/bin/sh", "-euc", "\n".join(lines))))

    def beside(self, stage: _Stage, functions: tuple[Function, ...], state: int, removes: bool) -> _Stage:
        """File changes of an image without a shell: made on a copy in a stage that has one."""
        before = self.known[state]
        self.leave(stage, before)
        tools = self.open(f"${{{TOOLS}}}", Known(), (stage.name,))
        if not self.is_empty(state):
            tools.lines.append(f"COPY --from={_mark(stage.name)} / /rootfs/")
        tools.lines.append('RUN ["/bin/sh", "-c", "mkdir -p /rootfs"]')
        self.functions(tools, functions, "/rootfs")
        base = _mark(stage.name)
        if removes and not self.is_empty(state):
            # A copy on top of the state would bring back what was removed.
            base = "scratch"
        after = self.open(base, before, (stage.name, tools.name))
        self.declare(after, before)
        after.lines.append(f"COPY --from={_mark(tools.name)} /rootfs/ /")
        return after

    def is_empty(self, state: int) -> bool:
        vertex = self.definition.vertices[state]
        if isinstance(vertex.op, Config | Image):
            return self.is_empty(vertex.inputs[0])
        return isinstance(vertex.op, Scratch)

    def copy(self, stage: _Stage, action: CopyFrom, source: int, origin: Origin) -> None:
        self.comment(stage, origin)
        owner = f" --chown={str(action.owner).rstrip(':')}" if action.owner else ""
        paths = json.dumps([_literal(action.source), _literal(action.path)], ensure_ascii=False)
        provider = self.at[source]
        self.leave(provider, self.known[source])
        stage.needs.append(provider.name)
        stage.lines.append(f"COPY --from={_mark(provider.name)}{owner} {paths}")

    def config(self, stage: _Stage, config: Config, origin: Origin) -> None:
        self.comment(stage, origin)
        for word, table in (("ENV", config.env), ("LABEL", config.labels)):
            if table:
                pairs = " \\\n    ".join(f"{_key(name)}={_quoted(value)}" for name, value in table)
                stage.lines.append(f"{word} {pairs}")
        if config.workdir is not None:
            stage.lines.append(f"WORKDIR {_quoted(config.workdir)}")
            stage.workdir = config.workdir
        stage.lines += [f"EXPOSE {port}" for port in config.ports]
        if config.volumes:
            stage.lines.append(f"VOLUME {_json(config.volumes)}")
        if config.stop_signal is not None:
            stage.lines.append(f"STOPSIGNAL {config.stop_signal}")
        if config.entrypoint is not None:
            stage.lines.append(f"ENTRYPOINT {_json(config.entrypoint)}")
        if config.cmd is not None:
            stage.lines.append(f"CMD {_json(config.cmd)}")


def _line(function: Function) -> str:
    """A function call inside a RUN, the context where it is mounted."""
    words = []
    for word in function.words:
        pieces = (word,) if isinstance(word, str) else word
        words.append("".join(MOUNT if piece == CONTEXT else str(piece) for piece in pieces))
    return shell.call(Function(tuple(words)))


def _cache(path: str, platform: Platform) -> str:
    """A cache of one platform: what a step keeps there may be programs."""
    name = hashlib.sha256(path.encode()).hexdigest()[:12]
    return f"--mount=type=cache,id=bic-{name}-{platform.slug},target={path}"


def _points(caches: Iterable[str], secrets: Iterable[str], binds: Iterable[str]) -> set[str]:
    """Paths of the image that a step mounts over, but for those below /run/bic."""
    return {*caches, *binds, *(f"/run/secrets/{each}" for each in secrets)}


def _above(paths: Iterable[str]) -> set[str]:
    return {"/".join(path.split("/")[:end]) for path in paths for end in range(2, path.count("/") + 1)}


def _in_place(run: Exec, argv: tuple[str, ...]) -> tuple[str, ...]:
    """The argument list with the step's own variables, which no instruction can set for it alone."""
    if not run.env:
        return argv
    lines = [f"export {name}={shell.word(value)}" for name, value in run.env]
    return ("/bin/sh", "-euc", "\n".join([*lines, 'exec "$0" "$@"']), *argv)


def _run(options: Sequence[str], argv: tuple[str, ...]) -> str:
    return " ".join(["RUN", *options, _json(argv)])


def _json(words: Sequence[str]) -> str:
    return json.dumps(list(words), ensure_ascii=False)


def _literal(path: str) -> str:
    return path.replace("\\", "\\\\").replace("$", "\\$")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_.-]+", name) else _quoted(name)


def _quoted(value: str) -> str:
    """A value in double quotes: backslash, quote and dollar sign stand for themselves."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
