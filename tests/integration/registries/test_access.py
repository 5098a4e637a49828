"""How registries are reached: mirrors, logins that stay secret, certificates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.proxy import Fault, FaultyProxy
from support.registry import Registry
from support.registry_tools import Tool, content
from support.tiny_base import TinyBase, push_layout

from bic.errors import WorkFailed
from bic.lock.registry import Answers, Remembering
from bic.oci.index import Index
from bic.oci.reference import Reference

# Mirrors


def test_a_mirror_is_asked_in_place_of_the_registry(
    tool: Tool,
    tiny: Reference,
    registries_conf: Callable[..., dict[str, str]],
    tiny_reference: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in registries_conf("docker.io").items():
        monkeypatch.setenv(name, value)
    reference = Reference.parse(tiny_reference)
    digest, index = tool.document(reference)
    assert isinstance(index, Index)
    assert tool.digest(reference) == digest
    assert tool.config(reference.with_digest(index.manifests[0].digest)).architecture == "amd64"
    assert "1" in tool.tags(reference)


def test_where_a_mirror_fails_the_next_place_is_asked(
    tool: Tool, tiny: Reference, faulty_proxy: FaultyProxy, plain: Callable[..., None]
) -> None:
    plain(tiny.domain, faulty_proxy.host, mirrors=("127.0.0.1:1", faulty_proxy.host))
    faulty_proxy.inject(Fault.answer(404, "/manifests/"))
    tool.document(tiny)
    assert len(faulty_proxy.requests(path="/manifests/")) == 1


def test_a_blocked_registry_is_said(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked.conf").write_text('[[registry]]\nlocation = "127.0.0.1:1"\nblocked = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "blocked.conf"))
    with pytest.raises(WorkFailed) as caught:
        tool.document(Reference.parse("127.0.0.1:1/a/b:1"))
    assert "block" in str(caught.value.faults[0])


# Secrets


@pytest.fixture
def guarded(password_registry: Registry, tiny_base: TinyBase, plain: Callable[..., None]) -> Reference:
    """The tiny image in a registry that wants a password."""
    plain(password_registry.host)
    target = f"{password_registry.host}/team/tiny:1"
    options = ("--dest-tls-verify=false", "--dest-authfile", str(password_registry.auth_file))
    push_layout(tiny_base.layout, target, *options)
    return Reference.parse(target)


@pytest.mark.parametrize("where", ["host", "namespace", "home", "runtime"])
def test_a_login_is_found_where_the_container_tools_look(
    tool: Tool,
    guarded: Reference,
    password_registry: Registry,
    plain_user: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    (login,) = json.loads(password_registry.auth_file.read_text())["auths"].values()
    key = f"{guarded.domain}/team" if where == "namespace" else guarded.domain
    file = {
        "home": plain_user / ".config/containers/auth.json",
        "runtime": tmp_path / "run/containers/auth.json",
    }.get(where, tmp_path / "auth.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"auths": {key: login}}))
    if where in ("host", "namespace"):
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(file))
    assert isinstance(tool.document(guarded)[1], Index)


def test_without_a_login_the_refusal_says_how_to_log_in(tool: Tool, guarded: Reference) -> None:
    with pytest.raises(WorkFailed, match="the registry refuses access to") as caught:
        tool.document(guarded)
    assert caught.value.faults[0].hint == f"`skopeo login {guarded.domain}`, or set REGISTRY_AUTH_FILE"


def test_a_password_is_in_no_argument_no_variable_no_message_and_no_file_left(
    tool: Tool,
    guarded: Reference,
    password_registry: Registry,
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(password_registry.auth_file))
    monkeypatch.setenv("TMPDIR", str(recorded))
    cached = Remembering(tool, Answers(recorded / "cache"), max_age=60)
    index = cached.document(guarded)[1]
    assert isinstance(index, Index)
    cached.config(guarded.with_digest(index.manifests[0].digest))
    with pytest.raises(WorkFailed) as caught:
        tool.document(guarded.with_tag("none"))
    assert password_registry.auth is not None
    user, password = password_registry.auth
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    left = b"".join(content(recorded).values()).decode(errors="replace")
    assert "inspect" in left or "manifest" in left
    for secret in (password, token):
        assert secret not in left
        assert secret not in repr(caught.value.faults) + repr(tool)


# Certificates


@pytest.fixture
def sealed(tls_registry: Registry, tiny_base: TinyBase) -> Reference:
    """The tiny image in a registry behind TLS, by an authority that nobody knows."""
    target = f"{tls_registry.host}/sealed/tiny:1"
    push_layout(tiny_base.layout, target, "--dest-cert-dir", str(tls_registry.cert_dir))
    return Reference.parse(target)


def test_a_certificate_of_nobody_is_refused(tool: Tool, sealed: Reference) -> None:
    with pytest.raises(WorkFailed, match="there is no TLS that can be trusted"):
        tool.document(sealed)


def test_a_registry_without_tls_is_refused_until_it_is_marked_as_insecure(
    tool: Tool, tiny: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.document(tiny)
    monkeypatch.delenv("CONTAINERS_REGISTRIES_CONF")
    with pytest.raises(WorkFailed, match="there is no TLS that can be trusted"):
        tool.document(tiny)


@pytest.mark.parametrize("way", ["certs.d", "SSL_CERT_FILE", "insecure"])
def test_a_private_authority_is_believed_once_it_is_named(
    tool: Tool,
    sealed: Reference,
    tls_registry: Registry,
    plain_user: Path,
    plain: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    assert tls_registry.ca is not None
    match way:
        case "certs.d":
            folder = plain_user / ".config/containers/certs.d" / sealed.domain
            folder.mkdir(parents=True)
            (folder / "ca.crt").write_bytes(tls_registry.ca.read_bytes())
        case "SSL_CERT_FILE":
            monkeypatch.setenv("SSL_CERT_FILE", str(tls_registry.ca))
        case _:
            plain(sealed.domain)
    assert isinstance(tool.document(sealed)[1], Index)
