"""TOML documents with positions: `tomli` reads the data, the syntax tree is asked only for places.

No TOML parser for Python gives positions, so a `Document` keeps its text and builds its map from
paths (`("step", 2, "apt", "packages", 0)`) to spans when somebody asks for one.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import tomli
from attrs import define

from bic.errors import Fault, InputInvalid, Position, Span

LANGUAGE = 1
"""The version of the spec language, as `bic = 1` names it."""

MAX_BYTES = 1 << 20
"""A spec is written by people; whatever is larger is not one."""

MAX_DEPTH = 32
"""Tables and arrays within each other; the language needs eight."""

TomlPath = tuple[str | int, ...]
"""Keys and indices from the root of a document to a value."""


@define(slots=False)
class Document:
    """One TOML file: `file` for people, `data` as tomli gives it, and spans on demand."""

    file: str
    text: str
    data: dict[str, Any]

    def span(self, path: TomlPath) -> Span:
        """Where `path` is defined: the key for a table's entry, else its parent, at last the file's start."""
        while path not in self._places and path:
            path = path[:-1]
        start = Position(1, 1)
        return self._places.get(path) or Span(self.file, start, start)

    def value_span(self, path: TomlPath) -> Span:
        """Where the value at `path` stands, or the nearest enclosing place."""
        return self._values.get(path) or self.span(path)

    def fault(self, path: TomlPath, message: str, hint: str | None = None, *, at_key: bool = False) -> Fault:
        span = self.span(path) if at_key else self.value_span(path)
        return Fault(message, span, hint, excerpt=self.excerpt(span))

    def excerpt(self, span: Span) -> str | None:
        return excerpt(self.text, span.start.line)

    @cached_property
    def step_spans(self) -> dict[tuple[str, ...], list[Span]]:
        """The span of each `[[…]]` header by its dotted key: cheap, from the top level alone."""
        return _headers(self)

    @cached_property
    def _maps(self) -> tuple[dict[TomlPath, Span], dict[TomlPath, Span]]:
        from bic.spec.places import places

        return places(self.file, self.text)

    @property
    def _places(self) -> dict[TomlPath, Span]:
        return self._maps[0]

    @property
    def _values(self) -> dict[TomlPath, Span]:
        return self._maps[1]


def excerpt(text: str, line: int, limit: int = 200) -> str | None:
    """Line `line` (from 1) of `text`, cut at `limit` characters."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return None
    found = lines[line - 1].rstrip("\r")
    return found if len(found) <= limit else found[: limit - 1] + "…"


def read(path: Path, file: str) -> Document:
    """Read and parse `path`, called `file` in messages; every failure is an `InputInvalid`."""
    try:
        if not path.is_file():
            raise InputInvalid(f"`{file}` is a directory" if path.is_dir() else f"there is no file `{file}`")
        if path.stat().st_size > MAX_BYTES:
            size = path.stat().st_size / 1e6
            raise InputInvalid(
                f"`{file}` is {size:.1f} MB, larger than {MAX_BYTES >> 20} MiB",
                hint="keep data in files beside the spec and name them in `file` or `copy` steps",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise InputInvalid(f"cannot read `{file}`: {error.strerror}") from error
    return parse(raw, file)


def parse(raw: bytes, file: str) -> Document:
    """Parse the bytes of a TOML file; a byte order mark and CRLF are accepted."""
    text = _decode(raw, file)
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise InputInvalid(_syntax_fault(file, text, error)) from error
    except RecursionError as error:
        raise InputInvalid(f"`{file}` is nested too deeply") from error
    except ValueError as error:
        raise InputInvalid(f"`{file}` holds a number that is too large") from error
    if _is_deeper(data, MAX_DEPTH):
        raise InputInvalid(f"`{file}` is nested too deeply", hint=f"at most {MAX_DEPTH} levels")
    return Document(file, text.replace("\r\n", "\n"), data)


def _is_deeper(data: dict[str, Any], limit: int) -> bool:
    """Level by level, so that the check itself cannot exhaust the stack."""
    level: list[Any] = [data]
    for _ in range(limit):
        values = (value for each in level for value in (each.values() if isinstance(each, dict) else each))
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        place = Position(line, column)
        fault = Fault(
            f"the file is not UTF-8: byte 0x{raw[error.start]:02x}",
            Span(file, place, place),
            hint="save the file as UTF-8",
        )
        raise InputInvalid(fault) from error


def _syntax_fault(file: str, text: str, error: tomli.TOMLDecodeError) -> Fault:
    place = Position(error.lineno, error.colno)
    message = f"not valid TOML: {error.msg[:1].lower()}{error.msg[1:]}"
    return Fault(message, Span(file, place, place), excerpt=excerpt(text, error.lineno))


def _headers(document: Document) -> dict[tuple[str, ...], list[Span]]:
    from bic.spec.places import header_spans

    return header_spans(document.file, document.text)
