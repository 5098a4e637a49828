"""What apt steps will lock: resolved by the host's apt for a foreign architecture, from the real archive."""

from __future__ import annotations

import pytest
from support import probes

from bic.errors import InputInvalid
from bic.lock.apt import sources
from bic.lock.apt.private import Cache
from bic.lock.apt.resolver import VARIANTS, AptRequest, Resolved, resolve
from bic.lock.apt.sources import Root
from bic.lock.apt.stanza import merged

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("apt")]

EMPTY = sources.of_bootstrap("bookworm", ("main",), None)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    probes.tool("apt-get").require()
    return Cache(tmp_path_factory.mktemp("apt"))


@pytest.fixture(scope="module")
def minimal(cache: Cache) -> Resolved:
    return resolve(AptRequest(VARIANTS["minbase"]), EMPTY, "arm64", cache)


def on(base: Resolved) -> Root:
    added = {pin.name: base.stanzas[pin.sha256] for pin in base.packages}
    return Root(EMPTY.files, merged("", added), host_keys=True)


def test_a_bootstrap_is_resolved_for_a_foreign_architecture(minimal: Resolved) -> None:
    names = [pin.name for pin in minimal.packages]
    assert {"apt", "bash", "dpkg", "libc6", "perl-base"} <= set(names)
    assert names == sorted(set(names))
    assert {pin.architecture for pin in minimal.packages} == {"arm64", "all"}
    assert all(len(pin.sha256) == 64 and pin.size and pin.url.endswith(".deb") for pin in minimal.packages)


def test_a_step_adds_what_the_base_lacks(minimal: Resolved, cache: Cache) -> None:
    found = resolve(AptRequest(("socat", "python3")), on(minimal), "arm64", cache)
    names = {pin.name for pin in found.packages}
    assert {"socat", "python3", "python3.11-minimal"} <= names
    assert not names & {pin.name for pin in minimal.packages}
    again = resolve(AptRequest(("socat", "python3")), on(minimal), "arm64", cache, found.packages)
    assert again.packages == found.packages


def test_names_and_versions_that_are_not_there_are_told_with_what_is(minimal: Resolved, cache: Cache) -> None:
    with pytest.raises(InputInvalid) as raised:
        resolve(AptRequest(("socatt",)), on(minimal), "arm64", cache)
    assert raised.value.faults[0].hint == "did you mean `socat`?"
    with pytest.raises(InputInvalid) as raised:
        resolve(AptRequest(("socat=0",)), on(minimal), "arm64", cache)
    assert (raised.value.faults[0].hint or "").startswith("there is ")
