"""registries.conf, version 2, applied by bic for crane: containers-registries.conf(5)."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from bic.errors import HostLacking, Malformed, WorkFailed
from bic.lock.registry import conf, mirrors
from bic.oci.reference import Reference

F64 = "sha256:" + "f" * 64


def asked(text: str, reference: str) -> list[str]:
    """Where a reference is asked for under a registries.conf; `!` marks what may be without TLS."""
    places = mirrors.endpoints(Reference.parse(reference), mirrors.rules(tomli.loads(text)))
    return [f"{'!' if place.insecure else ''}{place}" for place in places]


HUB = """
[[registry]]
prefix = "docker.io"
location = "hub.example.com/hub"
[[registry.mirror]]
location = "near.example.com"
insecure = true
[[registry.mirror]]
location = "far.example.com:5000/docker.io"
"""


def test_without_a_rule_a_reference_is_asked_for_as_it_is() -> None:
    assert asked("", "docker.io/library/a:1") == ["docker.io/library/a:1"]
    assert asked(HUB, "ghcr.io/a/b") == ["ghcr.io/a/b"]


def test_mirrors_come_first_and_then_the_location() -> None:
    assert asked(HUB, "docker.io/library/a:1") == [
        "!near.example.com/library/a:1",
        "far.example.com:5000/docker.io/library/a:1",
        "hub.example.com/hub/library/a:1",
    ]


def test_of_a_tag_and_a_digest_the_digest_is_asked_for() -> None:
    assert asked("", f"ghcr.io/a/b:1@{F64}") == [f"ghcr.io/a/b@{F64}"]


def test_the_longest_prefix_wins() -> None:
    text = "\n".join(
        f'[[registry]]\nprefix = "{prefix}"\nlocation = "{location}"'
        for prefix, location in [("a.b", "one.x"), ("a.b/c/d", "three.x"), ("a.b/c", "two.x")]
    )
    assert asked(text, "a.b/c/d/e:1") == ["three.x/e:1"]
    assert asked(text, "a.b/c/dd:1") == ["two.x/dd:1"]
    assert asked(text, "a.b/cc:1") == ["one.x/cc:1"]
    assert asked(text, "a.bc/c:1") == ["a.bc/c:1"]


def test_a_prefix_may_be_a_whole_image() -> None:
    text = '[[registry]]\nprefix = "a.b/c"\nlocation = "x.y/z"'
    assert asked(text, "a.b/c:1") == ["x.y/z:1"]
    assert asked(text, f"a.b/c@{F64}") == [f"x.y/z@{F64}"]


def test_a_wildcard_covers_every_subdomain_and_nothing_else() -> None:
    text = '[[registry]]\nprefix = "*.example.com"\nlocation = "x.y"\n'
    assert asked(text, "a.b.example.com/c:1") == ["x.y/c:1"]
    assert asked(text, "example.com/c:1") == ["example.com/c:1"]
    kept = '[[registry]]\nprefix = "*.example.com"\ninsecure = true\n'
    assert asked(kept, "a.example.com/c:1") == ["!a.example.com/c:1"]


@pytest.mark.parametrize(
    ("use", "tag", "digest"), [("all", True, True), ("tag-only", True, False), ("digest-only", False, True)]
)
def test_a_mirror_may_be_for_tags_or_for_digests_alone(use: str, tag: bool, digest: bool) -> None:
    text = (
        f'[[registry]]\nlocation = "a.b"\n[[registry.mirror]]\nlocation = "m.n"\npull-from-mirror = "{use}"\n'
    )
    assert ("m.n/c:1" in asked(text, "a.b/c:1")) is tag
    assert (f"m.n/c@{F64}" in asked(text, f"a.b/c@{F64}")) is digest


def test_all_mirrors_of_a_registry_may_be_for_digests_alone() -> None:
    text = (
        '[[registry]]\nlocation = "a.b"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.n"'
    )
    assert asked(text, "a.b/c:1") == ["a.b/c:1"]
    assert asked(text, f"a.b/c@{F64}") == [f"m.n/c@{F64}", f"a.b/c@{F64}"]


def test_a_blocked_registry_is_not_asked() -> None:
    with pytest.raises(WorkFailed, match=r"registries.conf blocks `a.b`, and so `a.b/c:1`"):
        asked('[[registry]]\nlocation = "a.b"\nblocked = true', "a.b/c:1")


@pytest.mark.parametrize(
    "text",
    [
        "[registry]\nlocation = 'a.b'",
        "[[registry]]\ninsecure = true",
        "[[registry]]\nprefix = 'a.b'",
        "[[registry]]\nlocation = 'https://a.b'",
        "[[registry]]\nlocation = 'a.b'\ninsecure = 'yes'",
        "[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\ninsecure = true",
        "[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\nlocation = 'c.d'\npull-from-mirror = 'never'",
    ],
)
def test_what_is_no_registries_conf_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        asked(text, "a.b/c:1")


# Files


def _write(path: Path, location: str, prefix: str = "a.b") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[[registry]]\nprefix = "{prefix}"\nlocation = "{location}"\n')
    return path


def _location(environment: dict[str, str], system: Path, prefix: str = "a.b") -> str:
    return next(rule.location for rule in conf.load(environment, system) if rule.prefix == prefix)


def test_the_chosen_file_wins_then_the_users_then_the_systems(tmp_path: Path) -> None:
    home, system = tmp_path / "home", tmp_path / "etc"
    assert conf.load({"HOME": str(home)}, system) == ()
    _write(system / "registries.conf", "system.x")
    assert _location({"HOME": str(home)}, system) == "system.x"
    _write(home / ".config/containers/registries.conf", "user.x")
    assert _location({"HOME": str(home)}, system) == "user.x"
    chosen = _write(tmp_path / "mine.conf", "mine.x")
    assert _location({"HOME": str(home), "CONTAINERS_REGISTRIES_CONF": str(chosen)}, system) == "mine.x"


def test_drop_ins_come_in_place_of_the_main_files_rules_the_users_last(tmp_path: Path) -> None:
    home, system = tmp_path / "home", tmp_path / "etc"
    environment = {"HOME": str(home)}
    _write(system / "registries.conf", "main.x")
    _write(system / "registries.conf.d/1.conf", "first.x")
    _write(system / "registries.conf.d/2.conf", "second.x")
    _write(system / "registries.conf.d/3.txt", "no.x")
    _write(system / "registries.conf.d/4.conf", "other.x", "c.d")
    assert _location(environment, system) == "second.x"
    assert _location(environment, system, "c.d") == "other.x"
    _write(home / ".config/containers/registries.conf.d/0.conf", "user.x")
    assert _location(environment, system) == "user.x"


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.conf"
    for text in ("[[registry", "[[registry]]\nlocation = 1"):
        broken.write_text(text)
        with pytest.raises(HostLacking, match=r"broken.conf` cannot be"):
            conf.load({"CONTAINERS_REGISTRIES_CONF": str(broken)}, tmp_path)
    broken.unlink()
    with pytest.raises(HostLacking, match="cannot be read: no such file"):
        conf.load({"CONTAINERS_REGISTRIES_CONF": str(broken)}, tmp_path)
