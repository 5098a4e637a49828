"""A spec as the rules see it: evaluated, and its source beside it for places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from bic.errors import Fault, Span
from bic.spec.expand import header_span
from bic.spec.fragments import Fragment, fragments_of
from bic.spec.model import Spec, Step
from bic.spec.toml import Document, TomlPath, read
from bic.spec.workspace import Workspace


@frozen(eq=False)
class Place:
    """A table of a source file."""

    document: Document
    path: TomlPath

    def raw(self, *keys: str | int) -> Any:
        """What is written there, before references are filled in; None where nothing is."""
        found: Any = self.document.data
        for key in (*self.path, *keys):
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def fault(self, message: str, *keys: str | int, hint: str | None = None, at_key: bool = False) -> Fault:
        """A fault at the value below the table, or at the nearest thing around it."""
        return self.document.fault((*self.path, *keys), message, hint, at_key=at_key)


@frozen(eq=False)
class Subject:
    """One spec of those that are linted; `specs` holds it and all that it builds on."""

    spec: Spec
    specs: Mapping[str, Spec]
    document: Document
    fragments: Mapping[str, Fragment]
    steps_at: Mapping[Span, Place] = field(repr=False)

    @classmethod
    def of(cls, workspace: Workspace, spec: Spec, specs: Mapping[str, Spec]) -> Subject:
        """Reads the sources again: a spec that loaded has no faults to meet."""
        path = workspace.root / spec.file
        document = read(path, spec.file)
        fragments, _ = fragments_of(document, path.parent, workspace.root)
        return cls(spec, specs, document, fragments, dict(_steps(document, fragments)))

    @property
    def top(self) -> Place:
        return Place(self.document, ())

    @property
    def steps(self) -> Iterator[tuple[Step, Place]]:
        """All steps of the image and its stages, each with its place in the source."""
        for step in (*self.spec.steps, *(each for stage in self.spec.stages for each in stage.steps)):
            yield step, self.steps_at[step.span]

    @property
    def parents(self) -> Iterator[Spec]:
        """The specs that this one builds on, the nearest first."""
        base = self.spec.base
        while base.spec is not None:
            yield self.specs[base.spec]
            base = self.specs[base.spec].base

    @property
    def sources(self) -> Iterator[Any]:
        """The plain data of the spec and of all fragments that it includes."""
        yield self.document.data
        for fragment in self.fragments.values():
            yield fragment.steps


def _steps(document: Document, fragments: Mapping[str, Fragment]) -> Iterator[tuple[Span, Place]]:
    stages: dict[str, Any] = document.data.get("stage", {})
    arrays: list[tuple[Document, TomlPath, list[Any]]] = [
        (document, ("step",), document.data.get("step", []))
    ]
    arrays += [(document, ("stage", name, "step"), table.get("step", [])) for name, table in stages.items()]
    arrays += [(each.document, (*each.path, "step"), each.steps) for each in fragments.values()]
    for source, path, steps in arrays:
        for index in range(len(steps)):
            place = (*path, index)
            yield header_span(source, place), Place(source, place)
