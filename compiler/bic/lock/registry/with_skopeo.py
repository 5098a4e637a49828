"""A `Registry` by skopeo, which finds logins, mirrors and certificates where the container tools do."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attrs import evolve, field, frozen

from bic.lock.registry import conf, documents, mirrors
from bic.lock.registry.asking import asked, in_turn, once
from bic.lock.registry.busy import SkopeoLog
from bic.lock.registry.failure import Failed
from bic.lock.registry.mirrors import Endpoint
from bic.lock.registry.pulled import PULL_S, from_blobs, whole
from bic.lock.registry.retry import Clock, Policy
from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference
from bic.process import Cancel, Command, environment

T = TypeVar("T")

_FATAL = re.compile(r'level=fatal msg="(?P<message>.*)"$')


def skopeo() -> tuple[str, ...]:
    """skopeo, told of the registries.conf that the user chose: skopeo 1.9 does not read the variable."""
    chosen = environment().get("CONTAINERS_REGISTRIES_CONF")
    return ("skopeo", "--registries-conf", chosen) if chosen else ("skopeo",)


@frozen
class Skopeo:
    """Starts one skopeo for every question.

    `digest` is a GET of the whole manifest: skopeo has no question that is a HEAD.
    """

    cancel: Cancel | None = None
    policy: Policy = Policy()
    clock: Clock | None = field(default=None, repr=False)

    def raw(self, reference: Reference) -> bytes:
        argv = ("inspect", "--raw", _source(reference))
        return self._asked(
            reference, lambda s: documents.verified(reference, self._run(reference.name, argv, s))
        )

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        return documents.document(reference, self.raw(reference))

    def raw_config(self, reference: Reference) -> bytes:
        argv = ("inspect", "--config", "--raw", _source(reference))
        return self._asked(reference, lambda s: self._run(reference.name, argv, s))

    def config(self, reference: Reference) -> ImageConfig:
        return documents.config(reference, self.raw_config(reference))

    def digest(self, reference: Reference) -> Digest:
        return reference.digest or Digest.of(self.raw(reference))

    def tags(self, repository: Reference) -> tuple[str, ...]:
        # Unlike its other commands, skopeo's `list-tags` knows neither mirrors nor locations.
        bare = repository.with_tag(None).with_digest(None)
        places = mirrors.endpoints(bare, conf.load(environment()))
        answer = self._asked(bare, lambda s: in_turn(places, self._list, s))
        return tuple(sorted(set(answer)))

    def _list(self, place: Endpoint, seconds: float) -> list[str]:
        options = ("--tls-verify=false",) if place.insecure else ()
        return _tags(self._run(place.name, ("list-tags", *options, f"docker://{place}"), seconds))

    def pull(self, reference: Reference, layout: Path) -> None:
        policy = evolve(self.policy, total_s=PULL_S, each_s=PULL_S)
        self._asked(reference, lambda s: whole(layout, lambda made: self._pull(reference, made, s)), policy)

    def _pull(self, reference: Reference, made: Path, seconds: float) -> None:
        # skopeo's own `oci:` would turn Docker's media types into OCI's, and so change digests.
        with tempfile.TemporaryDirectory(dir=made.parent) as scratch:
            argv = ("copy", "--quiet", "--preserve-digests", _source(reference), f"dir:{scratch}")
            self._run(reference.name, argv, seconds)
            raw = (Path(scratch) / "manifest.json").read_bytes()
            from_blobs(reference, raw, lambda digest: Path(scratch) / digest.hex, made)

    def _asked(self, reference: Reference, ask: Callable[[float], T], policy: Policy | None = None) -> T:
        return asked(reference, ask, policy or self.policy, self.clock or Clock.real(self.cancel))

    def _run(self, name: str, argv: tuple[str, ...], seconds: float) -> bytes:
        command = Command((*skopeo(), "--debug", *argv))
        names = (name, f"/v2/{name.partition('/')[2]}/")
        return once(command, names, SkopeoLog(), _last_words, self.cancel, seconds)


def _source(reference: Reference) -> str:
    """The image as skopeo takes it: it refuses a tag beside a digest."""
    return f"docker://{reference.with_tag(None) if reference.digest else reference}"


def _tags(answer: bytes) -> list[str]:
    try:
        return [str(tag) for tag in json.loads(answer)["Tags"] or ()]
    except (ValueError, KeyError, TypeError) as error:
        raise Failed("odd", "skopeo printed no list of tags") from error


def _last_words(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    fatal = next((found for line in reversed(lines) if (found := _FATAL.search(line))), None)
    if fatal is not None:
        return fatal["message"].replace('\\"', '"')
    return lines[-1] if lines else ""
