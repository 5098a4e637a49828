"""The pipeline: every pass in its order, with `verify` after each.

A pass is a pure function from definition to definition, one a file, and idempotent. `--after PASS`
shows the definition at any moment.
"""

from __future__ import annotations

from collections.abc import Callable

from bic.ir.definition import Definition
from bic.passes.merge import merge
from bic.passes.normalise import normalise
from bic.passes.prune import prune
from bic.passes.scrub import scrub
from bic.passes.verify import verify

Pass = Callable[[Definition], Definition]

PIPELINE: tuple[tuple[str, Pass], ...] = (
    ("prune", prune),
    ("normalise", normalise),
    ("scrub", scrub),
    ("merge", merge),
)
"""Name and function of each pass, in the order in which they run."""

START = "build"
"""The name of the moment before the first pass."""

NAMES = (START, *(name for name, _ in PIPELINE))


def run(definition: Definition, after: str | None = None) -> Definition:
    """The definition after all passes, or after the one called `after`."""
    verify(definition)
    if after == START:
        return definition
    for name, each in PIPELINE:
        definition = each(definition)
        verify(definition)
        if name == after:
            break
    return definition
