"""`bic build --push`: to registries of all kinds, digests unchanged, and what is said when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import registry as registries
from support.accounts import Account
from support.layout import index_manifest
from support.proxy import Fault, FaultyProxy
from support.registry import Registry
from support.small import BOTH, spec
from support.workspace import Workspace


@pytest.fixture
def place(account: Account, tiny_workspace: Callable[..., Workspace]) -> Workspace:
    """A workspace whose one spec executes nothing, for two platforms."""
    made = tiny_workspace(account)
    made.spec("one", spec("one", '[[step]]\ndirectory = { path = "/x" }\n', BOTH))
    return made


def insecure(place: Workspace, registry: Registry, *hosts: str) -> dict[str, str]:
    """Settings under which `hosts` are spoken to without TLS, too."""
    file = place.root / "registries.conf"
    registries.registries_conf(file, registry.host)
    more = "".join(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in hosts)
    file.write_text(file.read_text() + more)
    return {"CONTAINERS_REGISTRIES_CONF": str(place.account.own(file))}


def test_the_index_arrives_with_the_digest_that_was_built(place: Workspace, registry: Registry) -> None:
    repository = f"push/{place.account.name}"
    done = place.bic("build", "one", "--push", f"{registry.host}/{repository}:1", "--json").check()
    digest, _ = index_manifest(place.layout("one"))
    assert registry.digest(repository, "1") == digest
    assert json.loads(done.stdout)[0]["pushed"] == f"{registry.host}/{repository}:1@{digest}"


def test_credentials_come_from_the_auth_file(
    place: Workspace, registry: Registry, password_registry: Registry
) -> None:
    target = f"{password_registry.host}/push/{place.account.name}:1"
    env = insecure(place, registry, password_registry.host)
    denied = place.bic("build", "one", "--push", target, env=env)
    assert denied.code == 1
    assert f"cannot push to `{target}`" in denied.stderr
    assert "skopeo login" in denied.stderr
    auth = place.root / "auth.json"
    auth.write_bytes(password_registry.auth_file.read_bytes())
    env["REGISTRY_AUTH_FILE"] = str(place.account.own(auth))
    place.bic("build", "one", "--push", target, env=env).check()
    assert (
        password_registry.digest(f"push/{place.account.name}", "1") == index_manifest(place.layout("one"))[0]
    )
    assert registries.PASSWORD not in denied.stderr


def test_a_company_ca_is_trusted_by_the_variable_that_other_programs_read(
    place: Workspace, tls_registry: Registry
) -> None:
    target = f"{tls_registry.host}/push/{place.account.name}:1"
    place.bic("build", "one").check()
    refused = place.bic("build", "one", "--push", target)
    assert refused.code == 1
    assert "certificate" in refused.stderr
    assert tls_registry.ca is not None
    ca = place.root / "ca.crt"
    ca.write_bytes(tls_registry.ca.read_bytes())
    place.account.own(ca)
    place.bic("build", "one", "--push", target, env={"SSL_CERT_FILE": str(ca)}).check()
    assert tls_registry.digest(f"push/{place.account.name}", "1") == index_manifest(place.layout("one"))[0]


@pytest.mark.parametrize(
    "fault",
    [Fault.answer(500, "/uploads/"), Fault("reset", "/uploads/"), Fault.answer(403, "/uploads/")],
    ids=["500", "reset", "403"],
)
def test_a_push_that_fails_is_said_and_the_next_one_works(
    current_user: Account,
    tiny_workspace: Callable[..., Workspace],
    registry: Registry,
    faulty_proxy: FaultyProxy,
    fault: Fault,
    shared_directory: Path,
) -> None:
    place = tiny_workspace(current_user)
    place.spec("one", spec("one", f'[[step]]\ndirectory = {{ path = "{shared_directory}" }}\n', BOTH))
    repository = f"push/{shared_directory.name}".lower().replace("_", "-")
    env = insecure(place, registry, faulty_proxy.host)
    faulty_proxy.inject(fault)
    target = f"{faulty_proxy.host}/{repository}:1"
    done = place.bic("build", "one", "--push", target, env=env)
    assert done.code == 1
    assert f"cannot push to `{target}`" in done.stderr
    assert registry.tags(repository) == ()
    faulty_proxy.clear()
    again = place.bic("build", "one", "--push", target, env=env).check()
    assert "unchanged" in again.stderr
    assert registry.digest(repository, "1") == index_manifest(place.layout("one"))[0]
