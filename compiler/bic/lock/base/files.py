"""Files of a root file system, by absolute path: what package managers leave there, and links."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Protocol

from attrs import evolve, field, frozen

MAX_LINKS = 40


class Files(Protocol):
    """What resolvers ask of a base."""

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, symbolic links followed; None where there is none."""

    def names(self, directory: str) -> tuple[str, ...]:
        """The names in a directory, sorted; () where there is none."""

    def link(self, path: str) -> str | None:
        """The target of a symbolic link, as it stands; None for everything else."""


@frozen
class Tree:
    """`Files` in memory: contents and targets of links by path; directories are what paths tell."""

    contents: Mapping[str, bytes] = field(factory=dict)
    links: Mapping[str, str] = field(factory=dict)

    def read(self, path: str) -> bytes | None:
        real = self.resolved(path)
        return self.contents.get(real) if real else None

    def names(self, directory: str) -> tuple[str, ...]:
        real = self.resolved(directory)
        prefix = f"{real.rstrip('/')}/" if real else "\0"
        return tuple(sorted({each.removeprefix(prefix).split("/")[0] for each in self._below(prefix)}))

    def link(self, path: str) -> str | None:
        return self.links.get(f"{self.resolved(posixpath.dirname(path)) or ''}/{posixpath.basename(path)}")

    def with_file(self, path: str, content: bytes) -> Tree:
        return evolve(self, contents={**self.contents, path: content})

    def resolved(self, path: str) -> str | None:
        """The path with all links followed inside the tree; None for a loop."""
        waiting = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        followed = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                del done[-1:]
                continue
            done.append(part)
            target = self.links.get("/" + "/".join(done))
            if target is None:
                continue
            followed += 1
            if followed > MAX_LINKS:
                return None
            done = [] if target.startswith("/") else done[:-1]
            waiting += [each for each in reversed(target.split("/")) if each not in ("", ".")]
        return "/" + "/".join(done)

    def _below(self, prefix: str) -> Iterator[str]:
        for table in (self.contents, self.links):
            yield from (path for path in table if path.startswith(prefix))
