"""The best wheel of a package for a target."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from attrs import frozen
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename


@frozen
class Wheel:
    """A wheel that an index offers; `size` in bytes is None where the index does not tell."""

    url: str
    sha256: str
    size: int | None = None

    @property
    def filename(self) -> str:
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


@frozen
class Chosen:
    """A wheel and the tag by which it serves."""

    wheel: Wheel
    tag: Tag


def choose(wheels: Iterable[Wheel], tags: tuple[Tag, ...]) -> Chosen | None:
    """The wheel with the first of the tags, which are best first; of equals the highest build; or None.

    Whatever order the wheels come in, the same one is chosen.
    """
    rank = {tag: number for number, tag in enumerate(tags)}
    candidates = [found for wheel in wheels if (found := _ranked(wheel, rank)) is not None]
    if not candidates:
        return None
    best = max(candidates, key=lambda each: (-each.rank, each.build, each.wheel.filename, each.wheel.url))
    return Chosen(best.wheel, tags[best.rank])


@frozen
class _Ranked:
    """A wheel that serves: the number of its best tag, and its build, of which the highest is best."""

    rank: int
    build: tuple[int, str]
    wheel: Wheel


def _ranked(wheel: Wheel, rank: dict[Tag, int]) -> _Ranked | None:
    try:
        _, _, build, offered = parse_wheel_filename(wheel.filename)
    except InvalidWheelFilename:
        return None
    ranks = [rank[tag] for tag in offered if tag in rank]
    if not ranks:
        return None
    return _Ranked(min(ranks), build or (-1, ""), wheel)
