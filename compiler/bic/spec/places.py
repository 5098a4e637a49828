"""Where each key and value of a TOML text stands, from tree-sitter's syntax tree.

The tree is concrete syntax: headers, dotted keys and inline tables are walked here into the paths
that the parsed data has. A file that tomli accepted has exactly one place for each path.
"""

from __future__ import annotations

import tomli
from attrs import define, field
from tree_sitter import Language, Node, Parser
from tree_sitter_toml import language

from bic.errors import Position, Span

TomlPath = tuple[str | int, ...]

_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_PUNCTUATION = frozenset({"[", "]", "[[", "]]", "{", "}", ",", "=", ".", "comment"})


def places(file: str, text: str) -> tuple[dict[TomlPath, Span], dict[TomlPath, Span]]:
    """The spans of keys (headers for tables) and of values, each by path."""
    walk = _Walk(file, text.split("\n"))
    walk.document(_parse(text))
    return walk.keys, walk.values


def header_spans(file: str, text: str) -> dict[tuple[str, ...], list[Span]]:
    """The spans of all `[[a.b]]` headers in order, by `("a", "b")`; nothing below them is visited."""
    lines = text.split("\n")
    found: dict[tuple[str, ...], list[Span]] = {}
    for node in _parse(text).children:
        if node.type == "table_array_element":
            head = next(child for child in node.children if child.type in _KEYS)
            found.setdefault(tuple(_key(head)), []).append(_span(file, lines, head))
    return found


def _parse(text: str) -> Node:
    return Parser(Language(language())).parse(text.encode()).root_node


@define
class _Walk:
    file: str
    lines: list[str]
    keys: dict[TomlPath, Span] = field(factory=dict)
    values: dict[TomlPath, Span] = field(factory=dict)
    counts: dict[TomlPath, int] = field(factory=dict)

    def document(self, root: Node) -> None:
        for node in root.children:
            if node.type == "pair":
                self.pair((), node)
            elif node.type in ("table", "table_array_element"):
                self.table(node)

    def table(self, node: Node) -> None:
        head = next(child for child in node.children if child.type in _KEYS)
        span = _span(self.file, self.lines, head)
        path = self._header_path(_key(head), span, is_array=node.type == "table_array_element")
        self.keys[path] = self.values[path] = span
        for child in node.children:
            if child.type == "pair":
                self.pair(path, child)

    def _header_path(self, key: list[str], span: Span, *, is_array: bool) -> TomlPath:
        """The path of a header: arrays of tables on the way mean their last element so far."""
        path: TomlPath = ()
        for part in key[:-1]:
            path = (*path, part)
            self.keys.setdefault(path, span)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        path = (*path, key[-1])
        if not is_array:
            return path
        self.keys.setdefault(path, span)
        self.counts[path] = self.counts.get(path, 0) + 1
        return (*path, self.counts[path] - 1)

    def pair(self, base: TomlPath, node: Node) -> None:
        parts = [child for child in node.children if child.type not in _PUNCTUATION]
        head, value = parts[0], parts[1]
        path = base
        for part in _key(head):
            path = (*path, part)
            self.keys.setdefault(path, _span(self.file, self.lines, head))
        self.value(path, value)

    def value(self, path: TomlPath, node: Node) -> None:
        self.values[path] = _span(self.file, self.lines, node)
        if node.type == "inline_table":
            for child in node.children:
                if child.type == "pair":
                    self.pair(path, child)
        elif node.type == "array":
            items = [child for child in node.children if child.type not in _PUNCTUATION]
            for index, child in enumerate(items):
                self.keys[(*path, index)] = _span(self.file, self.lines, child)
                self.value((*path, index), child)


def _key(node: Node) -> list[str]:
    if node.type == "dotted_key":
        return [part for child in node.children if child.type in _KEYS for part in _key(child)]
    text = (node.text or b"").decode()
    if node.type == "quoted_key":
        return [str(tomli.loads(f"x = {text}")["x"])]
    return [text]


def _span(file: str, lines: list[str], node: Node) -> Span:
    return Span(file, _position(lines, node.start_point), _position(lines, node.end_point))


def _position(lines: list[str], point: tuple[int, int]) -> Position:
    row, byte = point
    line = lines[row] if row < len(lines) else ""
    column = byte if line.isascii() else len(line.encode()[:byte].decode("utf-8", "replace"))
    return Position(row + 1, column + 1)
