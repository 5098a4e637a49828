"""Logins and CAs of the container tools, presented to crane."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bic.lock.registry import auth, certificates


def token(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def write(path: Path, auths: Mapping[str, str], **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {k: {"auth": token(v)} for k, v in auths.items()}, **more}))
    return path


def found(name: str, environment: Mapping[str, str]) -> str | None:
    """USER:PASSWORD that is used for `HOST/PATH`."""
    entry = dict(auth.login(name, environment).entry)
    return base64.b64decode(entry["auth"]).decode() if entry else None


def test_the_longest_key_that_fits_is_used(tmp_path: Path) -> None:
    keys = {"a.b": "host:1", "a.b/c": "namespace:1", "a.b/c/d": "repository:1", "a.b:80": "port:1"}
    environment = {"REGISTRY_AUTH_FILE": str(write(tmp_path / "auth.json", keys))}
    assert found("a.b/c/d", environment) == "repository:1"
    assert found("a.b/c/dd", environment) == "namespace:1"
    assert found("a.b/cc/d", environment) == "host:1"
    assert found("a.b:80/c/d", environment) == "port:1"
    assert found("b/c", environment) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("https://index.docker.io/v1/", "docker.io/library/a"),
        ("docker.io", "docker.io/library/a"),
        ("index.docker.io", "docker.io/library/a"),
        ("https://a.b/v1/", "a.b/c"),
        ("http://a.b:5000", "a.b:5000/c"),
    ],
)
def test_keys_as_docker_writes_them_are_understood(tmp_path: Path, key: str, name: str) -> None:
    environment = {"REGISTRY_AUTH_FILE": str(write(tmp_path / "auth.json", {key: "me:1"}))}
    assert found(name, environment) == "me:1"


def test_a_namespaced_key_is_not_for_its_neighbours(tmp_path: Path) -> None:
    environment = {"REGISTRY_AUTH_FILE": str(write(tmp_path / "auth.json", {"a.b/c": "me:1"}))}
    assert found("a.b/d", environment) is None


def test_files_are_asked_in_the_order_of_the_container_tools(tmp_path: Path) -> None:
    home, runtime = tmp_path / "home", tmp_path / "run"
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    write(home / ".docker/config.json", {"a.b": "docker:1", "only.docker": "docker:1"})
    assert found("a.b/c", environment) == "docker:1"
    write(home / ".config/containers/auth.json", {"a.b": "user:1"})
    assert found("a.b/c", environment) == "user:1"
    write(runtime / "containers/auth.json", {"a.b": "runtime:1"})
    assert found("a.b/c", environment) == "runtime:1"
    assert found("only.docker/c", environment) == "docker:1"
    chosen = {**environment, "REGISTRY_AUTH_FILE": str(write(tmp_path / "mine.json", {"c.d": "mine:1"}))}
    assert found("c.d/c", chosen) == "mine:1"
    assert found("a.b/c", chosen) is None


def test_a_broken_file_holds_no_login(tmp_path: Path) -> None:
    broken = tmp_path / "auth.json"
    for text in ("", "{", "[]", '{"auths": []}', '{"auths": {"a.b": "x"}}', '{"auths": {"a.b": {}}}'):
        broken.write_text(text)
        assert auth.login("a.b/c", {"REGISTRY_AUTH_FILE": str(broken)}) == auth.Login()


def test_crane_is_given_this_login_alone(tmp_path: Path) -> None:
    file = write(
        tmp_path / "auth.json", {"a.b/c": "me:secret", "c.d": "other:hidden", "docker.io": "hub:secret"}
    )
    login = auth.login("a.b/c/d", {"REGISTRY_AUTH_FILE": str(file)})
    assert login.config("a.b") == {"auths": {"a.b": {"auth": token("me:secret")}}}
    assert set(login.secrets) == {"secret", token("me:secret")}
    assert "secret" not in repr(login) and token("me:secret") not in repr(login)
    hub = auth.login("docker.io/library/a", {"REGISTRY_AUTH_FILE": str(file)})
    assert list(hub.config("docker.io")["auths"]) == ["https://index.docker.io/v1/"]
    assert auth.Login().config("a.b") == {}


def test_helpers_stay_helpers(tmp_path: Path) -> None:
    file = write(tmp_path / "auth.json", {"c.d": "me:1"}, credHelpers={"a.b": "pass"}, credsStore="desktop")
    environment = {"REGISTRY_AUTH_FILE": str(file)}
    assert auth.login("a.b/c", environment).config("a.b") == {"credHelpers": {"a.b": "pass"}}
    assert auth.login("e.f/c", environment).config("e.f") == {"credHelpers": {"e.f": "desktop"}}
    assert found("c.d/c", environment) == "me:1"


# CAs


def test_the_hosts_cas_and_those_of_certs_d_come_together(tmp_path: Path) -> None:
    common = tmp_path / "common.crt"
    common.write_text("common")
    system = tmp_path / "etc"
    environment = {"HOME": str(tmp_path / "home"), "SSL_CERT_FILE": str(common)}
    assert certificates.bundle("a.b:5000", environment, (system,)) is None
    folder = system / "a.b:5000"
    folder.mkdir(parents=True)
    assert certificates.bundle("a.b:5000", environment, (system,)) is None
    (folder / "2.crt").write_text("two")
    (folder / "1.crt").write_text("one")
    (folder / "client.cert").write_text("client")
    assert certificates.bundle("a.b:5000", environment, (system,)) == b"common\none\ntwo"
    assert certificates.bundle("a.b", environment, (system,)) is None


def test_the_users_certs_d_comes_in_place_of_the_systems(tmp_path: Path) -> None:
    for folder, text in (
        (tmp_path / "home/.config/containers/certs.d", "user"),
        (tmp_path / "etc", "system"),
    ):
        (folder / "a.b").mkdir(parents=True)
        (folder / "a.b/ca.crt").write_text(text)
    environment = {"HOME": str(tmp_path / "home"), "SSL_CERT_FILE": str(tmp_path / "none")}
    assert certificates.bundle("a.b", environment, (tmp_path / "etc",)) == b"\nuser"
