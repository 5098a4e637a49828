"""The graph of specs as a picture: SVG that needs no fonts or programs, readable on light and dark ground."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from bic.spec.graph import Edge, Graph, Node
from bic.spec.layout import PADDING, Box, Layout, Slot, layout

STYLE = """
text { font: 13px ui-sans-serif, system-ui, 'DejaVu Sans', Arial, sans-serif; fill: #1f2933 }
.spec text:first-of-type { font-weight: 600 }
.detail, .part { font-size: 11px; fill: #616e7c }
.part { text-anchor: middle; paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
rect { stroke: #3e7cb1; fill: #eaf2f9; stroke-width: 1.2 }
.outside rect { stroke: #829ab1; fill: #f5f7fa; stroke-dasharray: 4 3 }
path.edge { fill: none; stroke: #829ab1; stroke-width: 1.4 }
path.stage { stroke-dasharray: 4 3 }
.head { fill: #829ab1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb }
  .detail, .part { fill: #9aa5b1 }
  .part { stroke: #0d1117 }
  rect { stroke: #62a0d8; fill: #1b2a3a }
  .outside rect { stroke: #7b8794; fill: #1f2630 }
}
"""

HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
)


def as_svg(graph: Graph) -> str:
    """The picture as a document of its own."""
    places = layout(graph)
    size = f'width="{places.width:.0f}" height="{places.height:.0f}"'
    view = f'viewBox="0 0 {places.width:.0f} {places.height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img">',
            "<title>Which spec builds on which</title>",
            f"<style>{STYLE}</style>",
            HEAD,
            *(line for edge in graph.edges for line in _edge(edge, places)),
            *(_node(node, places.places[node]) for node in graph.nodes),
            *(_label(edge, places) for edge in graph.edges if edge.part),
            "</svg>\n",
        ]
    )


def _node(node: Node, box: Box) -> str:
    left = f'x="{box.x + PADDING:.1f}"'
    return (
        f'<g class="{"spec" if node.kind == "spec" else "outside"}"><title>{escape(node.name)}</title>'
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>'
        f'<text {left} y="{box.y + 19:.1f}">{escape(node.name)}</text>'
        f'<text {left} y="{box.y + 34:.1f}" class="detail">{escape(node.detail)}</text></g>'
    )


def _edge(edge: Edge, places: Layout) -> Iterator[str]:
    kind = "edge stage" if edge.part else "edge"
    yield f'<path class={quoteattr(kind)} marker-end="url(#head)" d="{_line(places.ways[edge], places)}"/>'


def _line(way: tuple[Slot, ...], places: Layout) -> str:
    """A curve from the right side of the base to the left side of the child, through all bends between."""
    boxes = [places.places[slot] for slot in way]
    start = boxes[0]
    parts = [f"M{start.x + start.width:.1f} {start.middle:.1f}"]
    x, y = start.x + start.width, start.middle
    for box in boxes[1:]:
        half = (x + box.x) / 2
        parts.append(f"C{half:.1f} {y:.1f} {half:.1f} {box.middle:.1f} {box.x:.1f} {box.middle:.1f}")
        if box is not boxes[-1]:
            parts.append(f"H{box.x + box.width:.1f}")
        x, y = box.x + box.width, box.middle
    return "".join(parts)


def _label(edge: Edge, places: Layout) -> str:
    """The part's name: on the last level stretch of a long way, else halfway along the curve."""
    *_, before, last = (places.places[slot] for slot in places.ways[edge])
    if len(places.ways[edge]) > 2:
        x, y = before.x + before.width / 2, before.middle
    else:
        x, y = (before.x + before.width + last.x) / 2, (before.middle + last.middle) / 2
    return f'<text class="part" x="{x:.1f}" y="{y + 4:.1f}">{escape(edge.part)}</text>'
