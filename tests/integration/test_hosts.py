"""Where and by whom a build runs cannot be told from its image: drivers, paths, umask, locale, time zone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support import probes
from support.accounts import Account
from support.layout import image_tree, manifests
from support.remains import remains
from support.small import spec
from support.workspace import Workspace, make_workspace

Make = Callable[..., Workspace]

STEPS = r"""
[stage.other]
base = { image = "docker.io/library/tiny:1" }
[[stage.other.step]]
shell = "mkdir /o; echo o > /o/f; ln /o/f /o/hard; chmod 6755 /o/f; ln -s f /o/link; mkdir -m 1777 /o/sticky"
[[step]]
shell = "env | sort > /env; umask > /umask; date +%Z > /zone; rm -r /home /bin/vi; echo x > /bin/vi"
[[step]]
directory = { path = "/made/by/bic", mode = "0700", owner = "1:2" }
[[step]]
copy = { source = "tree", path = "/tree" }
[[step]]
copy = { from = "stage:other", source = "/o", path = "/o" }
[[step]]
remove = { paths = ["/bin/un*", "/root"] }
[[step]]
run = ["sh", "-c", "mkdir /root; echo new > /root/new; mv /made /moved; mkfifo /fifo"]
"""


def fill(place: Workspace) -> Workspace:
    place.write({"tree/file": "content", "tree/run": "#!/bin/sh\n"})
    (place.root / "tree/run").chmod(0o755)
    place.spec("one", spec("one", "") + STEPS)
    return place


@pytest.mark.parametrize("driver", ["overlay", "vfs", "fuse-overlayfs"])
def test_every_storage_driver_makes_the_same_image(
    account: Account, tiny_workspace: Make, driver: str, reference_digest: str
) -> None:
    if driver == "fuse-overlayfs":
        probes.tool("fuse-overlayfs").require()
        (probes.DEV_FUSE if account.is_root else probes.DEV_FUSE_FOR_ALL).require()
    place = fill(tiny_workspace(account, STORAGE_DRIVER=driver))
    place.bic("build", "one").check()
    stores = [path.name for path in place.root.glob(".state/data/bic/storage-*")]
    assert stores == [f"storage-{driver}"]
    assert manifests(place.layout("one"))["linux/amd64"] == reference_digest
    assert remains(place) == []


@pytest.fixture
def reference_digest(current_user: Account, tiny_workspace: Make) -> str:
    """What the suite's own account gets with the driver that bic chooses."""
    place = fill(tiny_workspace(current_user))
    place.bic("build", "one").check()
    return manifests(place.layout("one"))["linux/amd64"]


def test_nothing_of_the_caller_is_in_the_image(
    account: Account, tiny_workspace: Make, reference_digest: str
) -> None:
    place = fill(tiny_workspace(account))
    strange = {
        "TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "LC_ALL": "C", "HOME": str(place.root), "EDITOR": "vi",
        "BUILDAH_FORMAT": "docker", "BUILDAH_ISOLATION": "rootless", "BUILDAH_LAYERS": "true",
    }  # fmt: skip
    argv = ["sh", "-c", 'umask 077; exec "$0" build one', str(account.bic)]
    account.run(argv, place.root, {**place.environment(), **strange}).check()
    assert manifests(place.layout("one"))["linux/amd64"] == reference_digest


@pytest.mark.parametrize("name", ["with blanks", "with, comma", "wíth ünïcode", "with'quote $x"])
def test_workspaces_and_homes_may_have_strange_names(
    account: Account, tiny_workspace: Make, shared_directory: Path, reference_digest: str, name: str
) -> None:
    plain = tiny_workspace(account)
    place = make_workspace(shared_directory / name, account, plain.env)
    home = shared_directory / f"home {name}"
    home.mkdir()
    account.own(home)
    fill(place)
    steps = '[[step]]\nrun = ["cat", "/b/file"]\nbind = { "/b" = "tree" }\ncache = ["/c"]\nsecrets = ["s"]\n'
    place.spec("one", (place.root / "specs/one.toml").read_text() + steps)
    place.write({"secret": "x"})
    place.bic("build", "one", "--secret", "id=s,src=secret", env={"BIC_HOME": str(home)}).check()
    assert "/tree/file" in image_tree(place.layout("one"), "linux/amd64")


def test_a_path_that_buildah_cannot_take_is_refused(
    current_user: Account, tiny_workspace: Make, shared_directory: Path
) -> None:
    plain = tiny_workspace(current_user)
    place = fill(make_workspace(shared_directory / "with:colon", current_user, plain.env))
    done = place.bic("build", "one")
    assert done.code == 2
    assert "`:`" in done.stderr and "with:colon" in done.stderr
    assert not place.layout("one").exists()


def test_an_unknown_storage_driver_is_refused(current_user: Account, tiny_workspace: Make) -> None:
    place = fill(tiny_workspace(current_user, STORAGE_DRIVER="zfs2"))
    done = place.bic("build", "one")
    assert done.code == 2
    assert "`zfs2`" in done.stderr


def test_sources_may_be_read_only(account: Account, tiny_workspace: Make, reference_digest: str) -> None:
    place = fill(tiny_workspace(account))
    place.bic("lock").check()
    for folder, _, files in os.walk(place.root / "tree"):
        for each in files:
            (Path(folder) / each).chmod(0o555 if each == "run" else 0o444)
        Path(folder).chmod(0o555)
    place.bic("build", "one").check()
    assert manifests(place.layout("one"))["linux/amd64"] == reference_digest
