"""Places for the nodes of a graph, in columns from left to right: bases first, what is built on them after.

The steps are Sugiyama's: columns by the longest way, stand-ins where an edge passes a column, an order
within columns with few crossings, and heights near those of the neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import frozen

from bic.spec.graph import Edge, Graph, Node

SWEEPS = 8
CHARACTER = 7.6
"""Width of a character in pixels, generous for a font of 13 pixels."""

PADDING, HEIGHT, GAP_X, GAP_Y, MARGIN = 14.0, 44.0, 90.0, 18.0, 16.0


@frozen
class Bend:
    """Where an edge passes a column."""

    edge: Edge
    column: int


Slot = Node | Bend
Columns = list[list[Slot]]


@frozen
class Box:
    """A place: the left upper corner, and the size; all in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@frozen
class Layout:
    """All places, and the size of the whole; an edge passes its slots from the base to the child."""

    places: Mapping[Slot, Box]
    ways: Mapping[Edge, tuple[Slot, ...]]
    width: float
    height: float


def layout(graph: Graph) -> Layout:
    """The same places for the same graph."""
    ranks = _ranks(graph)
    ways = {edge: _way(edge, ranks) for edge in graph.edges}
    columns = _columns(graph, ranks, ways)
    near = _neighbours(ways)
    for sweep in range(SWEEPS):
        _reorder(columns, near, forward=sweep % 2 == 0)
    heights = _heights(columns, near)
    lowest = min(heights.values(), default=0.0)
    places: dict[Slot, Box] = {}
    x = MARGIN
    for column in columns:
        width = max((_width(slot) for slot in column), default=0.0)
        for slot in column:
            own = _width(slot) or width
            places[slot] = Box(x, heights[slot] - lowest + MARGIN, own, _height(slot))
        x += width + GAP_X
    bottom = max((box.y + box.height for box in places.values()), default=0.0)
    return Layout(places, ways, x - GAP_X + MARGIN, bottom + MARGIN)


def _ranks(graph: Graph) -> dict[Node, int]:
    """The column of each node: right of all its bases; what is outside just left of its first user."""
    ranks: dict[Node, int] = {}

    def rank(node: Node) -> int:
        if node not in ranks:
            ranks[node] = 1 + max((rank(edge.base) for edge in graph.bases(node)), default=-1)
        return ranks[node]

    for node in graph.nodes:
        rank(node)
    for node in graph.outside:
        ranks[node] = min(ranks[edge.child] for edge in graph.children(node)) - 1
    return ranks


def _way(edge: Edge, ranks: Mapping[Node, int]) -> tuple[Slot, ...]:
    between = (Bend(edge, column) for column in range(ranks[edge.base] + 1, ranks[edge.child]))
    return (edge.base, *between, edge.child)


def _columns(graph: Graph, ranks: Mapping[Node, int], ways: Mapping[Edge, tuple[Slot, ...]]) -> Columns:
    columns: Columns = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for node in graph.nodes:
        columns[ranks[node]].append(node)
    for way in ways.values():
        for slot in way:
            if isinstance(slot, Bend):
                columns[slot.column].append(slot)
    return columns


def _neighbours(ways: Mapping[Edge, tuple[Slot, ...]]) -> dict[Slot, tuple[list[Slot], list[Slot]]]:
    """For each slot those before it and those after it."""
    found: dict[Slot, tuple[list[Slot], list[Slot]]] = {}
    for way in ways.values():
        for left, right in pairwise(way):
            found.setdefault(left, ([], []))[1].append(right)
            found.setdefault(right, ([], []))[0].append(left)
    return found


def _reorder(columns: Columns, near: Mapping[Slot, tuple[list[Slot], list[Slot]]], *, forward: bool) -> None:
    """Sorts each column by the mean place of the neighbours in the column before (or after) it."""
    for column in columns if forward else reversed(columns):
        order = {slot: index for each in columns for index, slot in enumerate(each)}

        def mean(slot: Slot, order: dict[Slot, int] = order) -> float:
            others = near.get(slot, ([], []))[0 if forward else 1]
            return sum(order[each] for each in others) / len(others) if others else order[slot]

        column.sort(key=mean)


def _heights(columns: Columns, near: Mapping[Slot, tuple[list[Slot], list[Slot]]]) -> dict[Slot, float]:
    """The upper edge of each slot: without overlaps, near the mean of its neighbours."""
    tops: dict[Slot, float] = {}
    for column in columns:
        _stack(column, [0.0] * len(column), tops)
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = []
            for slot in column:
                before, after = near.get(slot, ([], []))
                others = (before if sweep % 2 == 0 else after) or [slot]
                middle = sum(tops[each] + _height(each) / 2 for each in others) / len(others)
                wanted.append(middle - _height(slot) / 2)
            _stack(column, wanted, tops)
    return tops


def _stack(column: Sequence[Slot], wanted: Sequence[float], tops: dict[Slot, float]) -> None:
    """Puts slots below each other, none above where it wants to be, then all up by what that cost."""
    free = float("-inf")
    placed = []
    for slot, top in zip(column, wanted, strict=True):
        placed.append(max(top, free))
        free = placed[-1] + _height(slot) + GAP_Y
    shift = sum(top - real for top, real in zip(wanted, placed, strict=True)) / max(len(placed), 1)
    tops.update({slot: top + shift for slot, top in zip(column, placed, strict=True)})


def _width(slot: Slot) -> float:
    """Bends are as wide as their column: 0 here."""
    if isinstance(slot, Bend):
        return 0.0
    return max(len(slot.name) * CHARACTER, len(slot.detail) * CHARACTER * 0.85) + 2 * PADDING


def _height(slot: Slot) -> float:
    return 2.0 if isinstance(slot, Bend) else HEIGHT
