"""Where a build runs and where its image goes makes no difference to what is in the image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.accounts import Account
from support.layout import diff_trees, image_tree
from support.proxy import Fault, FaultyProxy
from support.registry import Registry
from support.small import spec
from support.workspace import Workspace

pytestmark = pytest.mark.integration

Make = Callable[..., Workspace]
CHANGES = "mkdir /d && echo x > /d/f && ln /d/f /d/g && rm /etc/group"


@pytest.mark.parametrize("driver", ["vfs", "fuse-overlayfs"])
def test_every_storage_driver_gives_the_same_files(
    current_user: Account, tiny_workspace: Make, driver: str
) -> None:
    trees = []
    for env in ({}, {"STORAGE_DRIVER": driver}):
        made = tiny_workspace(current_user, **env)
        made.spec("same", spec("same", f'[[step]]\nshell = "{CHANGES}"\n'))
        made.bic("build", "same").check()
        trees.append(image_tree(made.layout("same"), "linux/amd64"))
    assert {"/d/f", "/d/g"} <= set(trees[0])
    assert diff_trees(*trees) == []


def test_an_unknown_storage_driver_is_refused(current_user: Account, tiny_workspace: Make) -> None:
    made = tiny_workspace(current_user, STORAGE_DRIVER="zfs2")
    made.spec("same", spec("same"))
    done = made.bic("build", "same")
    assert (done.code, "`zfs2`" in done.stderr) == (2, True)


def test_a_workspace_and_a_home_with_spaces_in_their_paths_serve(
    current_user: Account, tiny_workspace: Make
) -> None:
    made = tiny_workspace(current_user)
    steps = '[[step]]\nrun = ["cp", "/in", "/out"]\nbind = { "/in" = "note" }\n'
    made.write({"a b/specs/small.toml": spec("small", steps), "a b/note": "here\n"})
    spaced = made.root / "a b"
    env = {**made.environment(), "BIC_HOME": str(spaced / "h m")}
    done = made.account.run([str(made.account.bic), "build", "small"], spaced, env)
    assert done.code == 0, done.stderr
    assert "/out" in image_tree(spaced / "out/build/small/image", "linux/amd64")


def test_a_push_that_fails_keeps_the_image_and_the_next_one_works(
    current_user: Account, tiny_workspace: Make, faulty_proxy: FaultyProxy, registry: Registry
) -> None:
    made = tiny_workspace(current_user)
    made.spec("pushed", spec("pushed", '[[step]]\nrun = ["touch", "/made"]\n'))
    mirrors = Path(made.env["CONTAINERS_REGISTRIES_CONF"]).read_text()
    insecure = f'[[registry]]\nlocation = "{faulty_proxy.host}"\ninsecure = true\n'
    made.write({"registries.conf": insecure + mirrors})
    env = {"CONTAINERS_REGISTRIES_CONF": str(made.root / "registries.conf")}
    target = f"{faulty_proxy.host}/tests/pushed:1"
    faulty_proxy.inject(Fault.answer(500, "/uploads/"))
    done = made.bic("build", "pushed", "--push", target, env=env)
    assert done.code == 1
    assert f"cannot push to `{target}`" in done.stderr
    assert made.layout("pushed").exists()
    faulty_proxy.clear()
    again = made.bic("build", "pushed", "--push", target, env=env).check()
    assert registry.digest("tests/pushed", "1") in again.stdout
