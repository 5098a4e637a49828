"""Locks from specs: tags become digests, addresses become hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from attrs import evolve, frozen

from bic.errors import BicError, InputInvalid, Span, WorkFailed
from bic.lock.model import FilePin, ImagePin, Lock, PlatformPin
from bic.lock.needs import needs, spec_digest
from bic.lock.registry import Registry
from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.manifest import Manifest
from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.spec.model import Spec

Pin = TypeVar("Pin", ImagePin, FilePin)

PARALLEL = 8

Hasher = Callable[[str], str]
"""Downloads an address and gives the sha256 of what came."""


def resolve(spec: Spec, registry: Registry, hasher: Hasher, previous: Lock | None = None) -> Lock:
    """Pin everything that the spec takes from outside; pins of `previous` are kept where they still serve.

    Registries are asked in parallel. All failures are reported together.
    """
    wanted = needs(spec)
    kept = previous or Lock(spec_digest(spec))
    failures: list[BicError] = []
    with ThreadPoolExecutor(PARALLEL) as pool:
        images = [
            (span, pool.submit(_image, reference, spec, registry, kept)) for reference, span in wanted.images
        ]
        files = [(span, pool.submit(_file, url, hasher, kept)) for url, span in wanted.files]
    pins = _results(images, failures)
    hashes = _results(files, failures)
    if failures:
        worst = InputInvalid if any(isinstance(each, InputInvalid) for each in failures) else WorkFailed
        raise worst(*(fault for each in failures for fault in each.faults))
    return Lock(
        spec_digest(spec),
        tuple(sorted(pins, key=lambda pin: str(pin.reference))),
        tuple(sorted(hashes, key=lambda pin: pin.url)),
    )


def _results(jobs: Iterable[tuple[Span | None, Future[Pin]]], failures: list[BicError]) -> list[Pin]:
    found = []
    for span, job in jobs:
        try:
            found.append(job.result())
        except BicError as error:
            faults = (evolve(fault, span=fault.span or span) for fault in error.faults)
            failures.append(type(error)(*faults))
    return found


def _image(reference: Reference, spec: Spec, registry: Registry, kept: Lock) -> ImagePin:
    pin = kept.image(reference)
    if pin is not None and all(pin.platform(each) for each in spec.image.platforms):
        return pin
    digest, document = registry.document(reference)
    answer = _Answer(reference, digest, document)
    pins = tuple(_manifest(answer, each, spec, registry) for each in sorted(spec.image.platforms))
    return ImagePin(reference, digest, pins)


@frozen
class _Answer:
    """What a registry said a reference means."""

    reference: Reference
    digest: Digest
    document: Manifest | Index


def _manifest(answer: _Answer, platform: Platform, spec: Spec, registry: Registry) -> PlatformPin:
    reference, document = answer.reference, answer.document
    if isinstance(document, Index):
        entry = document.for_platform(platform)
        if entry is None:
            there = ", ".join(str(each) for each in document.platforms) or "none"
            raise InputInvalid(f"`{reference}` is not there for `{platform}`", hint=f"its platforms: {there}")
        manifest = entry.digest
        config = registry.config(reference.with_digest(manifest))
    else:
        manifest = answer.digest
        config = registry.config(reference.with_digest(manifest))
        _check_single(reference, config, platform, spec)
    return PlatformPin(
        platform, manifest, config.config.env, config.config.user or "", config.config.working_dir or ""
    )


def _check_single(reference: Reference, config: ImageConfig, platform: Platform, spec: Spec) -> None:
    """A single manifest serves one platform, its own: it is no stand-in for an index."""
    there = Platform.of(config.os, config.architecture, config.variant)
    if len(spec.image.platforms) > 1 or there != platform:
        wanted = ", ".join(str(each) for each in spec.image.platforms)
        raise InputInvalid(
            f"`{reference}` is a single image for `{there}`, wanted: {wanted}",
            hint="name an image with an index of all platforms, or build for that platform only",
        )


def _file(url: str, hasher: Hasher, kept: Lock) -> FilePin:
    return kept.file(url) or FilePin(url, hasher(url))
