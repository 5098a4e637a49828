"""How a refused value is shown: quoted, on one line, never longer than a terminal's."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 120


def quote(value: object) -> str:
    """The value in backticks, control characters escaped, cut to `LONGEST` characters."""
    text = value if isinstance(value, str) else _plain(value)
    cut = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "`" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + "`"


def near(word: str, known: Iterable[str]) -> str | None:
    """A hint with the known name nearest to `word`, if any is near."""
    from difflib import get_close_matches

    matches = get_close_matches(word[:LONGEST].lower(), sorted(known), n=1, cutoff=0.6)
    return f"did you mean `{matches[0]}`?" if matches else None


def _plain(value: object) -> str:
    """A scalar as JSON has it; containers by their kind alone, since they may be huge."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case dict():
            return "{…}" if value else "{}"
        case list() | tuple():
            return "[…]" if value else "[]"
        case int() if value.bit_length() > 256:
            return "a huge number"
        case _:
            return str(value)
