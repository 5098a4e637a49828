"""normalise: one spelling for what means the same: package lists sorted, each package once."""

from __future__ import annotations

from attrs import evolve

from bic.ir.definition import Definition, Vertex
from bic.ir.op import Exec, Install


def normalise(definition: Definition) -> Definition:
    return evolve(definition, vertices=tuple(_vertex(each) for each in definition.vertices))


def _vertex(vertex: Vertex) -> Vertex:
    match vertex.op:
        case Install() as install:
            packages = tuple(sorted(set(install.packages)))
            return evolve(vertex, op=evolve(install, packages=packages, run=_exec(install.run)))
        case Exec() as run:
            return evolve(vertex, op=_exec(run))
        case _:
            return vertex


def _exec(run: Exec) -> Exec:
    """Mounts are sets: their order means nothing."""
    return evolve(
        run,
        caches=tuple(sorted(set(run.caches))),
        secrets=tuple(sorted(set(run.secrets))),
        env=tuple(dict(run.env).items()),
    )
