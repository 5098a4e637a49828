"""The family of `everything`, built once for many tests."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from . import everything
from .accounts import Completed
from .tiny_base import TinyBase
from .workspace import Workspace


@frozen
class Family:
    """`runs` are the builds made so far, the first one first."""

    workspace: Workspace
    platforms: tuple[str, ...]
    base: TinyBase
    runs: list[Completed] = field(factory=list)

    @property
    def layout(self) -> Path:
        return self.workspace.layout(everything.NAME)

    @property
    def folder(self) -> Path:
        """Where the exports and logs lie."""
        return self.layout.parent

    def build(self, *words: str) -> Completed:
        """`bic build` of the family with its secret."""
        chosen = [word for each in self.platforms for word in ("--platform", each)]
        secret = ("--secret", "id=token,src=secret")
        done = self.workspace.bic("build", *everything.FAMILY, *chosen, *secret, *words).check()
        self.runs.append(done)
        return done
