"""Which spec builds on which, as a graph, a tree of text, and a DOT file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from attrs import frozen

from bic.spec.model import Base, Copy, Spec

Kind = Literal["spec", "image", "debian", "scratch"]


@frozen(order=True)
class Node:
    """A spec, or something from outside that specs are built on; `detail` is for people."""

    kind: Kind
    name: str
    detail: str = ""


@frozen(order=True)
class Edge:
    """`child` takes what it needs from `base`: as its base, or for the `part`s that are named."""

    base: Node
    child: Node
    part: str = ""


@frozen
class Graph:
    """Nodes and edges, sorted; an edge's ends are among the nodes. There are no circles."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def children(self, node: Node) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.base == node)

    def bases(self, node: Node) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.child == node)

    @property
    def outside(self) -> tuple[Node, ...]:
        """What no spec makes."""
        return tuple(node for node in self.nodes if node.kind != "spec")


def graph(specs: Mapping[str, Spec]) -> Graph:
    """The graph of specs that were loaded with all that they build on."""
    edges = sorted({edge for spec in specs.values() for edge in _joined(_edges(spec, specs))})
    nodes = {_node(spec) for spec in specs.values()} | {edge.base for edge in edges}
    return Graph(tuple(sorted(nodes)), tuple(edges))


def _node(spec: Spec) -> Node:
    return Node("spec", spec.name, ", ".join(str(platform) for platform in spec.image.platforms))


def _edges(spec: Spec, specs: Mapping[str, Spec]) -> Iterator[Edge]:
    node = _node(spec)
    yield Edge(_base(spec.base, specs), node)
    for stage in spec.stages:
        yield Edge(_base(stage.base, specs), node, f"stage {stage.name}")
    for step in (*spec.steps, *(each for stage in spec.stages for each in stage.steps)):
        if isinstance(step.kind, Copy) and step.kind.origin.kind == "image":
            yield Edge(Node("image", step.kind.origin.name, "image"), node, "copy")


def _joined(edges: Iterable[Edge]) -> Iterator[Edge]:
    """The edges with the parts that one base gives to one spec in one edge."""
    parts: dict[tuple[Node, Node], list[str]] = {}
    for edge in edges:
        if edge.part:
            parts.setdefault((edge.base, edge.child), []).append(edge.part)
        else:
            yield edge
    for (base, child), names in parts.items():
        yield Edge(base, child, ", ".join(dict.fromkeys(names)))


def _base(base: Base, specs: Mapping[str, Spec]) -> Node:
    if base.spec is not None:
        return _node(specs[base.spec])
    if base.debian is not None:
        return Node("debian", f"debian {base.debian.suite}", f"packages, {base.debian.variant}")
    if base.image is not None:
        return Node("image", str(base.image), "image")
    return Node("scratch", "scratch", "empty")


def as_text(found: Graph) -> str:
    """A tree for each base from outside; what only takes a part of a base is a leaf below it."""
    return "".join(f"{line}\n" for root in found.outside for line in (root.name, *_branches(found, root, "")))


def _branches(found: Graph, node: Node, margin: str) -> Iterator[str]:
    edges = found.children(node)
    for index, edge in enumerate(edges):
        is_last = index == len(edges) - 1
        part = f"({edge.part})" if edge.part else f"[{edge.child.detail}]"
        yield f"{margin}{'└── ' if is_last else '├── '}{edge.child.name}  {part}"
        if not edge.part:
            yield from _branches(found, edge.child, margin + ("    " if is_last else "│   "))


def as_dot(found: Graph) -> str:
    """The graph for Graphviz; edges lead from a base to what is built on it."""
    lines = ["digraph bic {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for node in found.nodes:
        style = ", style=rounded" if node.kind == "spec" else ", style=dashed"
        lines.append(f"  {_id(node)} [label={_quoted(f'{node.name}{chr(10)}{node.detail}')}{style}];")
    for edge in found.edges:
        note = f" [label={_quoted(edge.part)}, style=dashed]" if edge.part else ""
        lines.append(f"  {_id(edge.base)} -> {_id(edge.child)}{note};")
    return "\n".join([*lines, "}"]) + "\n"


def _id(node: Node) -> str:
    return _quoted(
        f"{node.kind} {node.name} {node.detail}" if node.kind == "debian" else f"{node.kind} {node.name}"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
