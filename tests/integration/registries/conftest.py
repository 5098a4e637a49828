"""A user without settings, the tools that ask registries, and the tiny image before them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import probes
from support.registry import Registry
from support.registry_tools import NAMES, Tool, push, tool_named
from support.tiny_base import TinyBase

from bic.oci.reference import Reference


@pytest.fixture(autouse=True)
def plain_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without settings, with the tools of the set-up on PATH; the home."""
    for name in ("CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("PATH", probes.search_path())
    return home


@pytest.fixture(params=NAMES)
def tool(request: pytest.FixtureRequest) -> Tool:
    """Both in turn: a test that asks for it runs twice."""
    return tool_named(request.param)


@pytest.fixture
def both() -> tuple[Tool, Tool]:
    first, second = (tool_named(name) for name in NAMES)
    return first, second


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`plain(host, …)`: from now on these hosts are asked without TLS; `mirrors=` come before the first."""

    def write(*hosts: str, mirrors: tuple[str, ...] = ()) -> None:
        tables = [f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in hosts]
        tables[0] += "".join(
            f'[[registry.mirror]]\nlocation = "{each}"\ninsecure = true\n' for each in mirrors
        )
        (tmp_path / "registries.conf").write_text("\n".join(tables))
        monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))

    return write


@pytest.fixture
def tiny(registry: Registry, tiny_base: TinyBase, plain: Callable[..., None]) -> Reference:
    """The tiny index under a tag of a registry without TLS."""
    plain(registry.host)
    return push(tiny_base, registry, "oci")


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From now on both tools leave their arguments and environment in this folder."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    for name in NAMES:
        if (found := probes.which(name)) is not None:
            (folder / name).write_text(
                f'#!/bin/sh\necho "$0 $*" >> {folder}/argv\nenv >> {folder}/env\nexec {found} "$@"\n'
            )
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{probes.search_path()}")
    return folder
