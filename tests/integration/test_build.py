"""`bic build` of every step kind that needs no package manager: the whole tree and config of the result."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest
from support import everything
from support.accounts import Account
from support.family import Family
from support.layout import (
    diff_trees,
    image_config,
    image_manifest,
    image_tree,
    index_manifest,
    layer_trees,
    manifests,
    read_file,
)
from support.remains import remains
from support.small import spec
from support.workspace import Workspace

# One worker builds the families for all of these tests.
pytestmark = pytest.mark.xdist_group("family")


def test_every_file_of_the_image_is_what_the_steps_say(family: Family, platform: str) -> None:
    expected = everything.expected_tree(image_tree(family.base.layout, platform), platform)
    assert diff_trees(expected, image_tree(family.layout, platform)) == []


def test_the_config_is_what_the_spec_says(family: Family, platform: str) -> None:
    config = image_config(family.layout, platform)["config"]
    env = dict(entry.split("=", 1) for entry in config.pop("Env"))
    labels = config.pop("Labels")
    assert env == everything.ENV
    assert labels == everything.LABELS
    assert config == everything.CONFIG


def test_the_parents_layers_are_reused_byte_for_byte(family: Family, platform: str) -> None:
    parent = image_manifest(family.workspace.layout("family/parent"), platform)["layers"]
    assert image_manifest(family.layout, platform)["layers"][:-1] == parent


def test_root_and_an_ordinary_user_make_the_same_image(families: dict[str, Family], platform: str) -> None:
    digests = {name: manifests(family.layout)[platform] for name, family in families.items()}
    assert digests["root"] == digests["ordinary"]


def test_a_layer_holds_no_more_than_what_changed(family: Family, platform: str) -> None:
    base, parent, own = layer_trees(family.layout, platform)
    assert base == layer_trees(family.base.layout, platform)[0]
    assert parent.keys() == {
        "/from",
        *(f"/from/parent{end}" for end in ("", "/made", "/gone")),
    }
    assert not own.keys() & {"/from/parent/made", "/bin/busybox", "/etc/os-release", "/root", "/tmp"}
    assert {"/bin/.wh.vi", "/from/parent/.wh.gone"} <= own.keys()
    assert {entry.mtime for tree in (parent, own) for entry in tree.values()} == {everything.EPOCH}


def test_a_secret_is_in_no_file_log_message_or_layer(family: Family, platform: str) -> None:
    secret = everything.SECRET.encode()
    places = (
        family.workspace.root / name for name in ("out", "specs", ".state/data/bic", ".state/cache/bic")
    )
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert [path for path in files if secret in path.read_bytes()] == []
    blobs = (family.layout / "blobs/sha256").iterdir()
    packed = [data for data in (path.read_bytes() for path in blobs) if data.startswith(b"\x1f\x8b")]
    assert packed
    assert not any(secret in gzip.decompress(data) for data in packed)
    assert not any(everything.SECRET in run.stdout + run.stderr for run in family.runs)
    log = (family.folder / f"{platform.replace('/', '-')}.log").read_text()
    assert "***" in log


def test_nothing_to_do_means_no_container_and_the_same_digests(family: Family) -> None:
    before = index_manifest(family.layout)
    again = family.build("--json")
    assert index_manifest(family.layout) == before
    assert "unchanged" in again.stderr and "built in" not in again.stderr
    names = [each["spec"] for each in json.loads(again.stdout)]
    assert names == list(everything.FAMILY)


def test_a_build_from_nothing_gives_the_same_digests(family: Family) -> None:
    before = index_manifest(family.layout)
    # What steps keep in caches of their own may show in an image, and here it does.
    family.workspace.account.run(["rm", "-r", family.workspace.root / ".state/cache/bic/packages"]).check()
    family.build("--no-cache")
    assert index_manifest(family.layout) == before


def test_the_next_build_finds_what_a_step_cached(
    account: Account, tiny_workspace: Callable[..., Workspace]
) -> None:
    place = tiny_workspace(account)
    steps = '[[step]]\nshell = "cat /c/n > /seen || :; echo more >> /c/n"\ncache = ["/c"]\n'
    place.spec("kept", spec("kept", steps))
    for seen in (b"", b"more\n"):
        place.bic("build", "kept", "--no-cache").check()
        assert read_file(place.layout("kept"), "linux/amd64", "/seen") == seen
    assert "/c" not in image_tree(place.layout("kept"), "linux/amd64")


def test_a_build_leaves_neither_mounts_nor_containers_nor_processes(family: Family) -> None:
    assert remains(family.workspace) == []
