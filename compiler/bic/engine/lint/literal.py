"""Strings of a TOML source with the place of each of their characters (TOML 1.0, section String)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from bic.errors import Position, Span
from bic.spec.toml import Document

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_UNICODE = {"x": 2, "u": 4, "U": 8}
_FOLD = re.compile(r"\\[ \t]*\n[ \t\n]*")


@frozen
class Located:
    """A text and the position of each of its characters; `places` has one more, for its end."""

    text: str
    places: tuple[Position, ...]

    def at(self, line: int, column: int) -> Position:
        """Where the character at a line and column (from 1) of the text stands in the source."""
        lines = self.text.split("\n")
        line = min(max(line, 1), len(lines))
        offset = sum(len(each) + 1 for each in lines[: line - 1])
        return self.places[offset + min(max(column, 1) - 1, len(lines[line - 1]))]

    def position(self, offset: int) -> Position:
        return self.places[offset]


def located(document: Document, span: Span, value: str) -> Located:
    """The string whose literal stands at `span`.

    Where the literal is not read as `value`, all characters are said to stand at its beginning.
    """
    source = _between(document.text, span)
    starts = [*_positions(source, span.start)]
    pieces = list(_characters(source))
    text = "".join(piece for piece, _ in pieces)
    if text != value:
        return Located(value, (span.start,) * (len(value) + 1))
    end = len(source) - _fence(source)
    return Located(text, tuple(starts[offset] for offset in (*(at for _, at in pieces), end)))


def _between(text: str, span: Span) -> str:
    lines = text.split("\n")[span.start.line - 1 : span.end.line]
    lines[-1] = lines[-1][: span.end.column - 1]
    lines[0] = lines[0][span.start.column - 1 :]
    return "\n".join(lines)


def _positions(source: str, start: Position) -> Iterator[Position]:
    line, column = start.line, start.column
    for char in source:
        yield Position(line, column)
        line, column = (line + 1, 1) if char == "\n" else (line, column + 1)
    yield Position(line, column)


def _fence(source: str) -> int:
    """The length of the quotes on either side."""
    return 3 if source[:3] in ('"""', "'''") and len(source) >= 6 else 1


def _characters(source: str) -> Iterator[tuple[str, int]]:
    """The characters that a literal means, each with the offset in the source that it comes from."""
    fence = _fence(source)
    index, end = fence, len(source) - fence
    if fence == 3 and source[index : index + 1] == "\n":
        index += 1
    while index < end:
        char, width = (source[index], 1) if source[0] == "'" else _character(source, index)
        if char:
            yield char, index
        index += width


def _character(source: str, index: int) -> tuple[str, int]:
    """The character at an offset of a basic string and its width; nothing for a folded line end."""
    if source[index] != "\\":
        return source[index], 1
    if fold := _FOLD.match(source, index):
        return "", len(fold[0])
    letter = source[index + 1]
    digits = _UNICODE.get(letter)
    if digits is None:
        return _ESCAPES.get(letter, letter), 2
    return chr(int(source[index + 2 : index + 2 + digits], 16)), 2 + digits
