"""scrub: remove, at the end of an image, what its package managers leave behind.

The rules are data (`scrub_rules`). An image that executed nothing is left alone.
"""

from __future__ import annotations

from attrs import evolve

from bic.ir.definition import Definition, Origin, Vertex
from bic.ir.op import Bootstrap, Exec, Image, Install, Remove, Tree
from bic.passes.rewrite import Rewriter
from bic.passes.scrub_rules import RULES


def scrub(definition: Definition) -> Definition:
    rewriter = Rewriter()
    for position, vertex in enumerate(definition.vertices):
        if isinstance(vertex.op, Image):
            _image(definition, rewriter, position, vertex)
        else:
            rewriter.keep(position, vertex)
    return rewriter.result(definition)


def _image(definition: Definition, rewriter: Rewriter, position: int, vertex: Vertex) -> None:
    state = vertex.inputs[0]
    paths = _paths(definition, state)
    before = definition.vertices[state].op
    removal = Remove(paths, force=True)
    done = isinstance(before, Tree) and removal in before.actions
    if not paths or done:
        rewriter.keep(position, vertex)
        return
    origin = Origin(title="clean up")
    added = rewriter.add(Vertex(Tree((removal,)), (rewriter.moved[state],), (origin,)))
    rewriter.moved[position] = rewriter.add(evolve(vertex, inputs=(added,)))


def _paths(definition: Definition, state: int) -> tuple[str, ...]:
    """What the changes since the last image boundary leave behind, sorted."""
    managers: set[str] = set()
    while True:
        vertex = definition.vertices[state]
        match vertex.op:
            case Exec():
                managers.add("any")
            case Install(manager=manager):
                managers |= {"any", manager}
            case Bootstrap():
                managers |= {"any", "apt"}
            case _:
                pass
        if isinstance(vertex.op, Image) or not vertex.inputs:
            return tuple(sorted({path for each in managers for path in RULES[each]}))
        state = vertex.inputs[0]
