from typing import Any

import pytest
from attrs import evolve

from bic.errors import Malformed
from bic.oci import json
from bic.oci.config import History, ImageConfig, RunConfig
from bic.oci.digest import Digest
from bic.oci.platform import Platform

LAYER = "sha256:" + "1" * 64


def raw(**members: Any) -> dict[str, Any]:
    return {
        "architecture": "arm64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [LAYER]},
    } | members


FULL = raw(
    variant="v8",
    created="2024-01-02T03:04:05Z",
    author="someone",
    config={
        "User": "1000:1000",
        "Env": ["PATH=/bin", "LANG"],
        "Entrypoint": ["python"],
        "Cmd": ["main.py"],
        "WorkingDir": "/app",
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "Labels": {"b": "2", "a": "1"},
        "StopSignal": "SIGINT",
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 30000000000},
        "OnBuild": ["RUN x"],
    },
    history=[
        {"created": "2024-01-02T03:04:05Z", "created_by": "ADD x", "author": "a", "comment": "c"},
        {"created_by": "ENV y", "empty_layer": True, "x": 1},
    ],
)


def test_a_config_is_read_with_all_its_members() -> None:
    found = ImageConfig.from_json(FULL)
    assert (found.os, found.architecture, found.variant) == ("linux", "arm64", "v8")
    assert found.platform == Platform("linux", "arm64")
    assert (found.created, found.author) == ("2024-01-02T03:04:05Z", "someone")
    assert found.diff_ids == (Digest.parse(LAYER),)
    assert found.history[0] == History("2024-01-02T03:04:05Z", "ADD x", "a", "c")
    assert found.history[1].empty_layer
    run = found.config
    assert run.user == "1000:1000"
    assert run.env == ("PATH=/bin", "LANG")
    assert (run.entrypoint, run.cmd, run.working_dir) == (("python",), ("main.py",), "/app")
    assert (run.exposed_ports, run.volumes) == (("53/udp", "80/tcp"), ("/data",))
    assert run.labels == (("a", "1"), ("b", "2"))
    assert run.stop_signal == "SIGINT"
    assert hash(found)


@pytest.mark.parametrize(
    "obj",
    [
        FULL,
        raw(),
        raw(config=None),
        raw(config={}),
        raw(config={"Cmd": None, "Entrypoint": [], "User": "", "Volumes": None, "Labels": {}, "Env": None}),
        raw(config={"ArgsEscaped": True, "Memory": 0}),
        raw(history=None),
        raw(history=[]),
        raw(history=[{"empty_layer": False}]),
        raw(rootfs={"type": "layers", "diff_ids": [], "x": 1}),
        raw(docker_version="27", container="abc", **{"os.version": "1"}),
    ],
)
def test_a_round_trip_loses_nothing(obj: dict[str, Any]) -> None:
    found = ImageConfig.from_json(obj)
    assert found.to_json() == obj
    assert ImageConfig.parse(found.to_bytes()) == found


def test_a_change_wins_over_what_was_kept() -> None:
    found = ImageConfig.from_json(raw(config={"Cmd": None, "Entrypoint": []}))
    changed = evolve(found, config=evolve(found.config, cmd=("sh",)))
    assert changed.to_json()["config"] == {"Cmd": ["sh"], "Entrypoint": []}


def test_the_environment_as_a_mapping_takes_the_last_entry_and_skips_names_alone() -> None:
    run = RunConfig(env=("A=1", "B", "C=x=y", "A=2", "D="))
    assert run.env_map() == {"A": "2", "C": "x=y", "D": ""}
    assert run.to_json() == {"Env": ["A=1", "B", "C=x=y", "A=2", "D="]}


def test_labels_are_sorted_however_they_are_given() -> None:
    assert RunConfig(labels={"b": "2", "a": "1"}) == RunConfig(labels=[("a", "1"), ("b", "2")])
    assert RunConfig(labels={"b": "2", "a": "1"}).label_map() == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "obj",
    [
        None,
        [],
        {},
        raw(os=None),
        raw(architecture=1),
        raw(rootfs=None),
        raw(rootfs=[]),
        raw(rootfs={}),
        raw(rootfs={"type": "other", "diff_ids": []}),
        raw(rootfs={"type": "layers", "diff_ids": ["x"]}),
        raw(rootfs={"type": "layers", "diff_ids": [1]}),
        raw(rootfs={"type": "layers", "diff_ids": {}}),
        raw(config=[]),
        raw(config={"Env": {}}),
        raw(config={"Env": [1]}),
        raw(config={"Cmd": "sh"}),
        raw(config={"User": 1}),
        raw(config={"Labels": {"a": 1}}),
        raw(config={"Volumes": []}),
        raw(history={}),
        raw(history=[None]),
        raw(history=[{"empty_layer": "true"}]),
        raw(history=[{"created": 1}]),
    ],
)
def test_what_is_no_config_is_refused(obj: object) -> None:
    with pytest.raises(Malformed):
        ImageConfig.parse(json.canonical(obj))


def test_an_unknown_platform_is_refused_only_when_asked_for() -> None:
    found = ImageConfig.from_json(raw(os="unknown", architecture="unknown"))
    with pytest.raises(Malformed):
        _ = found.platform
