"""A definition: the graph of operations that makes one image for one platform.

Vertices stand in topological order, inputs before users, the result last. The digest of a vertex is a
Merkle digest over its operation and the digests of its inputs; it is derived, never stored, and no
name, title, span or host path enters it.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from bic import COMPATIBILITY
from bic.errors import Span
from bic.ir.op import Op
from bic.oci.digest import Digest
from bic.oci.json import canonical
from bic.oci.platform import Platform
from bic.spec.plain import OUTSIDE, plain


@frozen
class Origin:
    """Where an operation comes from, for people: the step's place and its title."""

    span: Span | None = None
    title: str = ""


@frozen
class Vertex:
    """An operation, the positions of its inputs, and the steps that went into it.

    A `Tree` has one origin for each of its actions.
    """

    op: Op
    inputs: tuple[int, ...] = ()
    origins: tuple[Origin, ...] = field(default=(), metadata=OUTSIDE)

    @property
    def origin(self) -> Origin:
        return self.origins[0] if self.origins else Origin()


@frozen
class Definition:
    """`vertices[-1]` is the result; `name` is the spec's, for people."""

    name: str = field(metadata=OUTSIDE)
    platform: Platform
    vertices: tuple[Vertex, ...]

    @property
    def result(self) -> int:
        return len(self.vertices) - 1

    @property
    def digest(self) -> Digest:
        """The identity of what is built: the digest of the result."""
        return digests(self)[-1]

    def users(self, position: int) -> Iterator[tuple[int, int]]:
        """The (vertex, input index) pairs that use a vertex."""
        for index, vertex in enumerate(self.vertices):
            for slot, used in enumerate(vertex.inputs):
                if used == position:
                    yield index, slot


def digests(definition: Definition) -> tuple[Digest, ...]:
    """The Merkle digest of each vertex, by position."""
    found: list[Digest] = []
    for vertex in definition.vertices:
        data = {
            "compatibility": COMPATIBILITY,
            "inputs": [str(found[each]) for each in vertex.inputs],
            "op": plain(vertex.op),
        }
        found.append(Digest.of(canonical(data)))
    return tuple(found)
