"""What only several specs together show: platforms that a parent lacks, and names taken twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bic.errors import Fault, Span
from bic.spec.model import Base, Spec


def check(specs: Mapping[str, Spec]) -> Iterator[Fault]:
    """The faults of specs that are each sound alone; parents are among them."""
    for spec in specs.values():
        yield from _platforms(specs, spec)
    yield from _names(specs)


def bases(spec: Spec) -> Iterator[tuple[Base, Span | None]]:
    """The base of the image and those of its stages, with their places."""
    yield spec.base, spec.base_span
    for stage in spec.stages:
        yield stage.base, stage.span


def _platforms(specs: Mapping[str, Spec], spec: Spec) -> Iterator[Fault]:
    for base, span in bases(spec):
        if base.spec is None or base.spec not in specs:
            continue
        there = specs[base.spec].image.platforms
        missing = [str(each) for each in spec.image.platforms if each not in there]
        if missing:
            message = f"`{base.spec}` is not built for {', '.join(f'`{each}`' for each in missing)}"
            yield Fault(message, span, "its platforms: " + ", ".join(str(each) for each in there))


def _names(specs: Mapping[str, Spec]) -> Iterator[Fault]:
    first: dict[str, Spec] = {}
    for spec in specs.values():
        other = first.setdefault(spec.image.name, spec)
        if other is not spec:
            message = f"`{spec.image.name}` is the name of two images"
            yield Fault(message, spec.image_span, f"the other one is made by `{other.file}`")
