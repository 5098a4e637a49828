"""Suggestions: the known name that a wrong one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near(name: str, known: Iterable[str]) -> str | None:
    """The closest known name, if one is close enough to be a slip."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint for an unknown name: the near one, else the list of all when it is short."""
    names = sorted(known)
    match = near(name, names)
    if match is not None:
        return f"did you mean `{match}`?"
    if 0 < len(names) <= 24:
        return "known here: " + ", ".join(f"`{each}`" for each in names)
    return None
