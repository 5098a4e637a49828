"""`bic graph`: the family as text, DOT and SVG."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bic.cli.graph import command
from bic.spec.graph import Edge, Graph, Node
from bic.spec.layout import Box, layout
from bic.spec.svg import as_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def write(name: str, base: str, more: str = "") -> None:
        head = f'bic = 1\n[image]\nname = "team/{name}"\nplatforms = ["linux/amd64"]\n'
        (tmp_path / "specs" / f"{name}.toml").write_text(f"{head}[base]\n{base}\n{more}")

    (tmp_path / "specs").mkdir()
    write("debian", 'debian = { suite = "bookworm" }')
    write("python", 'spec = "debian"')
    write("app", 'spec = "python"', '[stage.build]\nbase = { spec = "debian" }\n')
    write("tool", "scratch = true", '[stage.go]\nbase = { image = "docker.io/library/golang:1.22" }\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _output(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_text_is_a_tree_for_each_base_from_outside(family: Path) -> None:
    assert _output() == (
        "debian bookworm\n"
        "└── debian  [linux/amd64]\n"
        "    ├── app  (stage build)\n"
        "    └── python  [linux/amd64]\n"
        "        └── app  [linux/amd64]\n"
        "docker.io/library/golang:1.22\n"
        "└── tool  (stage go)\n"
        "scratch\n"
        "└── tool  [linux/amd64]\n"
    )


def test_a_spec_brings_what_it_builds_on_and_nothing_else(family: Path) -> None:
    assert _output("python") == (
        "debian bookworm\n└── debian  [linux/amd64]\n    └── python  [linux/amd64]\n"
    )


def test_two_stages_on_one_base_are_one_edge(family: Path) -> None:
    path = family / "specs/tool.toml"
    path.write_text(path.read_text() + path.read_text().partition("[stage.go]")[1].replace("go", "lint"))
    path.write_text(path.read_text() + '\nbase = { image = "docker.io/library/golang:1.22" }\n')
    assert "└── tool  (stage go, stage lint)\n" in _output("tool")


def test_dot_has_each_node_and_edge_once(family: Path) -> None:
    dot = _output("--format", "dot")
    assert dot.startswith("digraph bic {\n") and dot.endswith("}\n")
    assert dot.count('"spec python" [label="python\\nlinux/amd64", style=rounded];') == 1
    assert dot.count('  "spec debian" -> "spec app" [label="stage build", style=dashed];\n') == 1
    assert dot.count(" -> ") == 6


def test_svg_is_well_formed_and_names_everything(family: Path) -> None:
    root = ElementTree.fromstring(_output("--format", "svg"))
    assert root.tag == f"{SVG}svg"
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"app", "debian bookworm", "docker.io/library/golang:1.22", "stage build"} <= texts
    assert len(root.findall(f"{SVG}path")) == 6


def test_svg_follows_the_scheme_of_the_reader_and_loads_nothing(family: Path) -> None:
    svg = _output("--format", "svg")
    assert "prefers-color-scheme: dark" in svg
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]


def test_odd_characters_are_escaped() -> None:
    node = Node("image", 'a<b>&"c"')
    svg = as_svg(Graph((node, Node("spec", "x")), (Edge(node, Node("spec", "x"), "<&>"),)))
    assert {text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")} >= {node.name, "<&>"}


def test_an_empty_graph_is_a_picture() -> None:
    ElementTree.fromstring(as_svg(Graph((), ())))


@st.composite
def _graphs(draw: st.DrawFn) -> Graph:
    """Specs that each build on an earlier one or on something from outside, with stages."""
    outside = [Node("image", f"image-{number}") for number in range(3)]
    nodes = list(outside)
    edges = set()
    for number in range(draw(st.integers(1, 8))):
        spec = Node("spec", f"spec-{number}", "linux/amd64")
        edges.add(Edge(draw(st.sampled_from(nodes)), spec))
        for base in draw(st.lists(st.sampled_from(nodes), max_size=2, unique=True)):
            edges.add(Edge(base, spec, "stage s"))
        nodes.append(spec)
    used = {end for edge in edges for end in (edge.base, edge.child)}
    return Graph(tuple(sorted(used)), tuple(sorted(edges)))


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@given(_graphs())
def test_no_two_places_overlap_and_all_are_in_the_picture(graph: Graph) -> None:
    found = layout(graph)
    assert not [pair for pair in combinations(found.places.values(), 2) if _overlap(*pair)]
    for box in found.places.values():
        assert box.x >= 0 and box.x + box.width <= found.width
        assert box.y >= 0 and box.y + box.height <= found.height


@given(_graphs())
def test_all_edges_lead_to_the_right(graph: Graph) -> None:
    found = layout(graph)
    for edge in graph.edges:
        base, child = found.places[edge.base], found.places[edge.child]
        assert base.x + base.width < child.x
