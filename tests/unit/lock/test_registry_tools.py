"""How crane and skopeo are started: fakes that are programs on PATH, and record what they were given."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from bic.errors import HostLacking, InputInvalid, Interrupted, WorkFailed
from bic.lock.registry import Clock, Crane, Policy, Skopeo, choose
from bic.oci.digest import Digest
from bic.oci.reference import Reference
from bic.process import Cancel

CLOCK = Clock(lambda: 0.0, lambda seconds: None, lambda: 0.5)
MANIFEST = '{"schemaVersion":2,"manifests":[]}'
EXACT = Reference.parse("a.b/c/d:1").with_digest(Digest.of(MANIFEST.encode()))

FAKE = """#!/bin/sh
here=$(dirname "$0")
echo "$(basename "$0") $*" >> "$here/argv"
env > "$here/env"
[ -n "$DOCKER_CONFIG" ] && cat "$DOCKER_CONFIG/config.json" > "$here/config.json"
[ -n "$DOCKER_CONFIG" ] && stat -c %a "$DOCKER_CONFIG" "$DOCKER_CONFIG/config.json" > "$here/modes"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH besides the system's own, for a user without any settings."""
    for name in ("CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path / "bin"


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(FAKE + body)
    path.chmod(0o755)


def argv(folder: Path) -> list[str]:
    return (folder / "argv").read_text().splitlines()


def conf(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    path = folder / "registries.conf"
    path.write_text(text)
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(path))
    return path


def test_each_question_is_one_process_of_crane(folder: Path, tmp_path: Path) -> None:
    program(folder, "crane", f"case $3 in *c/d*) ;; esac\ncase $2 in digest) echo {EXACT.digest};;"
            f" ls) printf 'b\\na\\nb\\n';; *) printf '%s' '{MANIFEST}';; esac")  # fmt: skip
    crane = Crane(clock=CLOCK)
    assert crane.raw(EXACT) == MANIFEST.encode()
    assert crane.digest(EXACT.with_digest(None)) == EXACT.digest
    assert crane.tags(EXACT) == ("a", "b")
    assert argv(folder) == [
        f"crane -v manifest a.b/c/d@{EXACT.digest}",
        "crane -v digest a.b/c/d:1",
        "crane -v ls a.b/c/d",
    ]


def test_each_question_is_one_process_of_skopeo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"""case $* in *list-tags*) echo '{{"Tags": ["b", "a"]}}';; *) printf '%s' '{MANIFEST}';; esac"""
    program(folder, "skopeo", body)
    skopeo = Skopeo(clock=CLOCK)
    assert skopeo.raw(EXACT) == MANIFEST.encode()
    assert skopeo.digest(EXACT.with_digest(None)) == EXACT.digest
    path = conf(folder, monkeypatch, "")
    assert skopeo.tags(EXACT) == ("a", "b")
    assert argv(folder) == [
        f"skopeo --debug inspect --raw docker://a.b/c/d@{EXACT.digest}",
        "skopeo --debug inspect --raw docker://a.b/c/d:1",
        f"skopeo --registries-conf {path} --debug list-tags docker://a.b/c/d",
    ]


def test_crane_is_told_the_mirrors_in_their_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[[registry]]\nlocation = "a.b"\n[[registry.mirror]]\nlocation = "m.n/x"\ninsecure = true\n'
    conf(folder, monkeypatch, text)
    program(folder, "crane", "echo 'Error: GET x: MANIFEST_UNKNOWN: manifest unknown' >&2; exit 1")
    with pytest.raises(WorkFailed, match="the registry has no image"):
        Crane(clock=CLOCK).raw(EXACT)
    assert argv(folder) == [
        f"crane -v --insecure manifest m.n/x/c/d@{EXACT.digest}",
        f"crane -v manifest a.b/c/d@{EXACT.digest}",
    ]


def test_the_first_place_that_answers_is_believed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[[registry]]\nlocation = "a.b"\n[[registry.mirror]]\nlocation = "m.n"\n'
    conf(folder, monkeypatch, text)
    program(folder, "crane", f"case $* in *m.n/*) printf '%s' '{MANIFEST}';; *) exit 1;; esac")
    assert Crane(clock=CLOCK).raw(EXACT) == MANIFEST.encode()
    assert len(argv(folder)) == 1


def test_a_host_without_a_dot_is_not_docker_hub_for_crane(folder: Path) -> None:
    program(folder, "crane", "echo 1")
    assert Crane(clock=CLOCK).tags(Reference.parse("Images/a")) == ("1",)
    assert Crane(clock=CLOCK).tags(Reference.parse("localhost/a")) == ("1",)
    assert argv(folder) == ["crane -v ls Images:443/a", "crane -v ls localhost/a"]


@pytest.mark.parametrize("tool", [Crane, Skopeo])
def test_bytes_that_do_not_have_the_digest_are_asked_for_again(
    folder: Path, tool: type[Crane] | type[Skopeo]
) -> None:
    name = tool.__name__.lower()
    program(folder, name, f"[ $(wc -l < \"$here/argv\") -gt 2 ] && printf '%s' '{MANIFEST}' || echo half")
    assert tool(clock=CLOCK).raw(EXACT) == MANIFEST.encode()
    assert len(argv(folder)) == 3


@pytest.mark.parametrize("tool", [Crane, Skopeo])
def test_a_tool_that_hangs_is_stopped_and_asked_again(folder: Path, tool: type[Crane] | type[Skopeo]) -> None:
    program(folder, tool.__name__.lower(), "exec sleep 30")
    policy = Policy(attempts=2, each_s=0.2)
    with pytest.raises(WorkFailed) as caught:
        tool(policy=policy, clock=CLOCK).raw(EXACT)
    assert caught.value.faults[0].notes == ("no answer within 0.2 seconds",)
    assert len(argv(folder)) == 2


@pytest.mark.parametrize("tool", [Crane, Skopeo])
def test_an_interruption_stops_the_tool_and_asks_nothing_more(
    folder: Path, tool: type[Crane] | type[Skopeo]
) -> None:
    program(folder, tool.__name__.lower(), "exec sleep 30")
    cancel = Cancel()
    threading.Timer(0.3, cancel.trigger).start()
    with pytest.raises(Interrupted):
        tool(cancel).raw(EXACT)
    assert len(argv(folder)) == 1


def test_a_busy_mirror_is_left_for_the_next_place_and_its_wish_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf(folder, monkeypatch, '[[registry]]\nlocation = "a.b"\n[[registry.mirror]]\nlocation = "m.n"\n')
    stamp = "2026/11/21 12:22:30"
    busy = f"{stamp} <-- 429 https://m.n/v2/ (1ms)\\n{stamp} HTTP/1.1 429 No\\nRetry-After: 9\\n\\n"
    program(
        folder,
        "crane",
        f"case $* in *m.n/*) printf '{busy}' >&2; exec sleep 30;; esac\n"
        f"[ $(wc -l < \"$here/argv\") -gt 2 ] && printf '%s' '{MANIFEST}' && exit\n"
        "echo 'Error: unexpected EOF' >&2; exit 1",
    )
    slept: list[float] = []
    crane = Crane(clock=Clock(lambda: 0.0, slept.append, lambda: 0.0))
    assert crane.raw(EXACT) == MANIFEST.encode()
    assert slept == [9.0]
    assert [line.split()[-1].partition("/")[0] for line in argv(folder)] == ["m.n", "a.b"] * 2


def test_a_document_that_is_none_is_said(folder: Path) -> None:
    program(folder, "skopeo", "echo '<html>'")
    with pytest.raises(WorkFailed, match=r"the registry's answer cannot be read for `a.b/c/d:1`"):
        Skopeo(clock=CLOCK).document(EXACT.with_digest(None))


def test_a_login_reaches_crane_in_a_private_file_and_nowhere_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auths = {"a.b": {"auth": "bWU6b3RoZXIgcGhyYXNl"}, "a.b/c": {"auth": "bWU6Y29ycmVjdCBob3JzZQ=="}}
    (tmp_path / "auth.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    program(folder, "crane", "echo 'Error: sent correct horse and bWU6Y29ycmVjdCBob3JzZQ==' >&2; exit 1")
    with pytest.raises(WorkFailed) as caught:
        Crane(clock=CLOCK).raw(EXACT)
    assert caught.value.faults[0].notes == ("sent *** and ***",)
    assert json.loads((folder / "config.json").read_text()) == {"auths": {"a.b": auths["a.b/c"]}}
    assert (folder / "modes").read_text().split() == ["700", "600"]
    told = (folder / "argv").read_text() + (folder / "env").read_text()
    assert "horse" not in told and "bWU6" not in told
    config = next(
        line for line in (folder / "env").read_text().splitlines() if line.startswith("DOCKER_CONFIG=")
    )
    assert not Path(config.partition("=")[2]).exists()


# Which tool


def test_crane_is_taken_where_it_is_and_else_skopeo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    program(folder, "skopeo", "")
    assert isinstance(choose(), Skopeo)
    program(folder, "crane", "")
    assert isinstance(choose(), Crane)
    assert isinstance(choose("skopeo"), Skopeo)


def test_a_tool_that_is_missing_is_said_with_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    for tool, hint in (("crane", "google/go-containerregistry"), ("skopeo", "apt-get install skopeo")):
        with pytest.raises(HostLacking, match=f"the program is not installed: `{tool}`") as caught:
            choose(tool)
        assert hint in (caught.value.faults[0].hint or "")
    with pytest.raises(HostLacking, match="neither `crane` nor `skopeo`") as caught:
        choose()
    assert "apt-get install skopeo" in (caught.value.faults[0].hint or "")


def test_another_tool_is_refused(folder: Path) -> None:
    with pytest.raises(InputInvalid, match="through crane or skopeo, not through `oras`"):
        choose("oras")


def test_a_program_that_cannot_be_executed_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    (folder / "crane").write_text("")
    program(folder, "skopeo", "")
    assert os.environ["PATH"] == str(folder) and isinstance(choose(), Skopeo)
