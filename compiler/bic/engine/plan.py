"""What has to be made for a request: one task for each image boundary, and which wait for which."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from bic.engine.events import Task
from bic.ir.definition import Definition, Vertex, digests
from bic.ir.op import Bootstrap, Download, Exec, Image, Install
from bic.oci.digest import Digest
from bic.passes.rewrite import reachable


@frozen
class Make:
    """One image for one platform; `parents` are the boundaries in its graph, by position."""

    task: Task
    digest: Digest
    definition: Definition
    parents: tuple[tuple[int, Digest], ...]

    @property
    def executes(self) -> bool:
        """Whether making it runs programs of its platform."""
        return any(isinstance(each.op, Exec | Install | Bootstrap) for each in self._own())

    @property
    def is_pinned(self) -> bool:
        """Whether the same definition always means the same image."""
        return not any(
            isinstance(each.op, Download) and each.op.sha256 is None for each in self.definition.vertices
        )

    def _own(self) -> Iterable[Vertex]:
        """The vertices that no parent has made."""
        made: set[int] = set()
        for position, _ in self.parents:
            made |= _ancestors(self.definition, position)
        return (each for index, each in enumerate(self.definition.vertices) if index not in made)


def _ancestors(definition: Definition, position: int) -> set[int]:
    found = {position}
    for index in range(position, -1, -1):
        if index in found:
            found.update(definition.vertices[index].inputs)
    return found


def plan(definitions: Iterable[Definition]) -> dict[Digest, Make]:
    """Everything that the definitions need, parents included; each image boundary once."""
    wanted = tuple(definitions)
    names = {each.digest: each.name for each in wanted}
    made: dict[Digest, Make] = {}
    for definition in wanted:
        all_digests = digests(definition)
        for position, vertex in enumerate(definition.vertices):
            if isinstance(vertex.op, Image) and all_digests[position] not in made:
                digest = all_digests[position]
                part = evolve(reachable(definition, position), name=names.get(digest, vertex.op.name))
                made[digest] = _make(part, digest)
    return made


def _make(definition: Definition, digest: Digest) -> Make:
    all_digests = digests(definition)
    parents = tuple(
        (position, all_digests[position])
        for position, vertex in enumerate(definition.vertices)
        if isinstance(vertex.op, Image) and position != definition.result
    )
    return Make(Task(definition.name, definition.platform), digest, definition, parents)
