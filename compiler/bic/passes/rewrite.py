"""Rewriting a definition: rebuild the vertices in order, then keep what the result needs."""

from __future__ import annotations

from attrs import evolve, field, frozen

from bic.ir.definition import Definition, Vertex


@frozen(eq=False)
class Rewriter:
    """Collects new vertices while old ones are visited in order; `moved` maps old positions to new."""

    vertices: list[Vertex] = field(factory=list)
    moved: dict[int, int] = field(factory=dict)

    def add(self, vertex: Vertex) -> int:
        self.vertices.append(vertex)
        return len(self.vertices) - 1

    def keep(self, position: int, vertex: Vertex) -> None:
        """Take over the vertex of an old position, its inputs renumbered."""
        inputs = tuple(self.moved[each] for each in vertex.inputs)
        self.moved[position] = self.add(evolve(vertex, inputs=inputs))

    def result(self, definition: Definition) -> Definition:
        """The rewritten definition, without vertices that its result does not need."""
        return reachable(evolve(definition, vertices=tuple(self.vertices)), self.moved[definition.result])


def reachable(definition: Definition, result: int) -> Definition:
    """The part of the graph that `result` needs, in the old order."""
    needed = {result}
    for position in range(result, -1, -1):
        if position in needed:
            needed.update(definition.vertices[position].inputs)
    order = sorted(needed)
    moved = {old: new for new, old in enumerate(order)}
    vertices = (definition.vertices[old] for old in order)
    renumbered = (evolve(each, inputs=tuple(moved[i] for i in each.inputs)) for each in vertices)
    return evolve(definition, vertices=tuple(renumbered))
