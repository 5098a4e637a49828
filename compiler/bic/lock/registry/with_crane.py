"""A `Registry` by crane, which knows neither mirrors nor certs.d: bic gives it what is to hold."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from attrs import evolve, field, frozen

from bic.errors import Malformed
from bic.lock.registry import auth, certificates, conf, documents, mirrors
from bic.lock.registry.asking import Ask, asked, in_turn, once
from bic.lock.registry.busy import CraneLog
from bic.lock.registry.failure import Failed
from bic.lock.registry.mirrors import Endpoint
from bic.lock.registry.pulled import PULL_S, from_blobs, whole
from bic.lock.registry.retry import Clock, Policy
from bic.oci.config import ImageConfig
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference
from bic.process import Cancel, Command, environment

T = TypeVar("T")


@frozen
class Crane:
    """Starts one crane for every question and place to ask; the first place that answers is believed."""

    cancel: Cancel | None = None
    policy: Policy = Policy()
    clock: Clock | None = field(default=None, repr=False)

    def raw(self, reference: Reference) -> bytes:
        return self._asked(
            reference,
            lambda place, s: documents.verified(reference, self._run(place, ("manifest", _name(place)), s)),
        )

    def document(self, reference: Reference) -> tuple[Digest, Manifest | Index]:
        return documents.document(reference, self.raw(reference))

    def raw_config(self, reference: Reference) -> bytes:
        return self._asked(reference, lambda place, s: self._run(place, ("config", _name(place)), s))

    def config(self, reference: Reference) -> ImageConfig:
        return documents.config(reference, self.raw_config(reference))

    def digest(self, reference: Reference) -> Digest:
        return self._asked(reference, lambda place, s: _digest(self._run(place, ("digest", _name(place)), s)))

    def tags(self, repository: Reference) -> tuple[str, ...]:
        bare = repository.with_tag(None).with_digest(None)
        answer = self._asked(bare, lambda place, s: self._run(place, ("ls", _name(place)), s))
        return tuple(sorted(set(answer.decode().split())))

    def pull(self, reference: Reference, layout: Path) -> None:
        policy = evolve(self.policy, total_s=PULL_S, each_s=PULL_S)
        self._asked(
            reference,
            lambda place, s: whole(layout, lambda made: self._pull(reference, place, made, s)),
            policy,
        )

    def _pull(self, reference: Reference, place: Endpoint, made: Path, seconds: float) -> None:
        with tempfile.TemporaryDirectory(dir=made.parent) as scratch:
            came = Layout(Path(scratch) / "came")
            self._run(place, ("pull", "--format", "oci", _name(place), str(came.path)), seconds)
            entry = came.index().manifests[0]
            from_blobs(reference, came.read_blob(entry), came.blob_path, made)

    def _asked(self, reference: Reference, ask: Ask[T], policy: Policy | None = None) -> T:
        places = mirrors.endpoints(reference, conf.load(environment()))
        clock = self.clock or Clock.real(self.cancel)
        return asked(reference, lambda s: in_turn(places, ask, s), policy or self.policy, clock)

    def _run(self, place: Endpoint, words: tuple[str, ...], seconds: float) -> bytes:
        options = ("--insecure",) if place.insecure else ()
        names = (place.name, f"/v2/{place.name.partition('/')[2]}/")
        with _surroundings(place) as (env, secrets):
            command = Command(("crane", "-v", *options, *words), env, secrets=secrets)
            log = CraneLog(None if place.insecure else _host(place.host))
            return once(command, names, log, _last_words, self.cancel, seconds)


@contextmanager
def _surroundings(place: Endpoint) -> Iterator[tuple[tuple[tuple[str, str], ...], tuple[str, ...]]]:
    """The environment that gives crane its login and its CAs, in files of a private folder; the secrets."""
    known = environment()
    login = auth.login(place.name, known)
    with tempfile.TemporaryDirectory(prefix="bic-crane-") as folder:
        config = Path(folder) / "config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(login.config(_host(place.host))))
        env: tuple[tuple[str, str], ...] = (("DOCKER_CONFIG", folder),)
        if (bundle := certificates.bundle(place.host, known)) is not None:
            (Path(folder) / "ca.crt").write_bytes(bundle)
            env += (("SSL_CERT_FILE", f"{folder}/ca.crt"),)
        yield env, login.secrets


def _name(place: Endpoint) -> str:
    return f"{_host(place.host)}/{place.name.partition('/')[2]}{place.suffix}"


def _host(host: str) -> str:
    """The host as crane takes it for one: without a dot or a port, crane would ask Docker Hub."""
    return host if host == "localhost" or "." in host or ":" in host else f"{host}:443"


def _digest(answer: bytes) -> Digest:
    try:
        return Digest.parse(answer.decode().strip())
    except (Malformed, UnicodeDecodeError) as error:
        raise Failed("odd", "crane printed no digest") from error


def _last_words(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if line.startswith("Error: ")), None)
    return said.removeprefix("Error: ") if said else (lines[-1] if lines else "")
