"""merge: neighbours of one kind become one: file changes with file changes, config with config.

What only its successor uses can be merged into it; nothing crosses an image boundary, so that a parent
has the same digest alone and inside its children.
"""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from bic.ir.definition import Definition, Vertex
from bic.ir.op import Action, Config, CopyFrom, Pairs, Tree
from bic.passes.rewrite import Rewriter

T = TypeVar("T")


def merge(definition: Definition) -> Definition:
    uses = _uses(definition)
    rewriter = Rewriter()
    for position, vertex in enumerate(definition.vertices):
        previous = vertex.inputs[0] if vertex.inputs else None
        if previous is not None and uses[previous] == 1:
            first = rewriter.vertices[rewriter.moved[previous]]
            inputs = tuple(rewriter.moved[each] for each in vertex.inputs)
            merged = _merged(first, evolve(vertex, inputs=inputs))
            if merged is not None:
                rewriter.moved[position] = rewriter.add(merged)
                continue
        rewriter.keep(position, vertex)
    return rewriter.result(definition)


def _uses(definition: Definition) -> list[int]:
    uses = [0] * len(definition.vertices)
    for vertex in definition.vertices:
        for position in vertex.inputs:
            uses[position] += 1
    return uses


def _merged(first: Vertex, second: Vertex) -> Vertex | None:
    match first.op, second.op:
        case Tree(actions=before), Tree(actions=after):
            return _trees(first, before, second, after)
        case Config() as before_config, Config() as after_config:
            op = _configs(before_config, after_config)
            return Vertex(op, first.inputs, first.origins + second.origins)
        case _:
            return None


def _trees(first: Vertex, before: tuple[Action, ...], second: Vertex, after: tuple[Action, ...]) -> Vertex:
    shift = len(first.inputs) - 1
    moved = tuple(
        evolve(each, input=each.input + shift) if isinstance(each, CopyFrom) else each for each in after
    )
    inputs = first.inputs + second.inputs[1:]
    return Vertex(Tree(before + moved), inputs, first.origins + second.origins)


def _configs(first: Config, second: Config) -> Config:
    """Both changes as one; what the second says wins."""
    return Config(
        env=_over(first.env, second.env),
        labels=_over(first.labels, second.labels),
        annotations=_over(first.annotations, second.annotations),
        user=_later(first.user, second.user),
        workdir=_later(first.workdir, second.workdir),
        entrypoint=_later(first.entrypoint, second.entrypoint),
        cmd=_later(first.cmd, second.cmd),
        ports=tuple(dict.fromkeys(first.ports + second.ports)),
        volumes=tuple(dict.fromkeys(first.volumes + second.volumes)),
        stop_signal=_later(first.stop_signal, second.stop_signal),
    )


def _later(first: T | None, second: T | None) -> T | None:
    return first if second is None else second


def _over(first: Pairs, second: Pairs) -> Pairs:
    return tuple({**dict(first), **dict(second)}.items())
