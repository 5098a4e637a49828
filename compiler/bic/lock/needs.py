"""What of a spec has to be pinned: image references and downloads without a hash."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from bic.errors import Span
from bic.lock.model import Lock
from bic.oci.digest import Digest
from bic.oci.reference import Reference
from bic.spec.model import Copy, Fetch, Spec, Step
from bic.spec.plain import digest_of


@frozen
class Needs:
    """References and addresses, each with the first place that asks for it, in order of appearance."""

    images: tuple[tuple[Reference, Span | None], ...]
    files: tuple[tuple[str, Span], ...]

    @property
    def is_empty(self) -> bool:
        return not self.images and not self.files


def needs(spec: Spec) -> Needs:
    images: dict[Reference, Span | None] = {}
    for base, span in [(spec.base, spec.base_span), *((s.base, s.span) for s in spec.stages)]:
        if base.image is not None:
            images.setdefault(base.image, span)
    files: dict[str, Span] = {}
    for step in _steps(spec):
        match step.kind:
            case Copy(origin=origin) if origin.kind == "image":
                images.setdefault(Reference.parse(origin.name), step.span)
            case Fetch(sha256=None, unpinned=False, url=url):
                files.setdefault(url, step.span)
            case _:
                pass
    return Needs(tuple(images.items()), tuple(files.items()))


def _steps(spec: Spec) -> Iterator[Step]:
    yield from spec.steps
    for stage in spec.stages:
        yield from stage.steps


def spec_digest(spec: Spec) -> Digest:
    """The digest of the evaluated spec: comments, order of tables and titles of steps do not change it."""
    return digest_of(spec)


def is_current(spec: Spec, lock: Lock | None) -> bool:
    """Whether the lock was made from this very spec, or nothing needs one."""
    if lock is None:
        return needs(spec).is_empty
    return lock.spec == spec_digest(spec)
