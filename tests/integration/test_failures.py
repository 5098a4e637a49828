"""What a build says, and leaves, when something goes wrong."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import probes
from support.accounts import Account
from support.layout import image_tree, manifests
from support.proxy import Fault, FaultyProxy
from support.remains import remains
from support.small import BOTH, spec
from support.workspace import Workspace

Make = Callable[..., Workspace]


@pytest.fixture
def place(account: Account, tiny_workspace: Make) -> Workspace:
    return tiny_workspace(account)


def test_a_failing_step_shows_its_line_its_command_its_last_words_and_its_log(place: Workspace) -> None:
    script = 'i=0; while [ $i -lt 200 ]; do i=$((i + 1)); echo "line $i"; done; echo it is over >&2; exit 7'
    place.spec("bad", spec("bad", f"[[step]]\nshell = '''{script}'''\ntitle = \"counts\"\n"))
    done = place.bic("build", "bad")
    assert done.code == 1
    assert "error: the step failed with exit code 7 for linux/amd64" in done.stderr
    assert re.search(r"--> specs/bad.toml:7:\d+\n.*\n7 \| \[\[step\]\]\n", done.stderr)
    command = next(line for line in done.stderr.splitlines() if "= note: command: " in line)
    assert shlex.split(command.partition("command: ")[2]) == ["/bin/sh", "-euc", script]
    assert "line 200" in done.stderr and "it is over" in done.stderr
    assert "line 20\n" not in done.stderr
    log = re.search(r"full log: (\S+)", done.stderr)
    assert log is not None
    lines = Path(log[1]).read_text().splitlines()
    assert [line for line in lines if line.startswith("line ")] == [f"line {i}" for i in range(1, 201)]
    assert not place.layout("bad").exists()
    assert remains(place) == []


def test_a_failing_file_change_shows_its_own_line(place: Workspace) -> None:
    steps = '[[step]]\ndirectory = { path = "/a" }\n[[step]]\nremove = { paths = ["/not/there"] }\n'
    place.spec("bad", spec("bad", steps))
    done = place.bic("build", "bad")
    assert done.code == 1
    assert "--> specs/bad.toml:9:" in done.stderr
    assert "cannot remove what is not there: /not/there" in done.stderr


def test_what_does_not_depend_on_a_failure_is_finished(place: Workspace) -> None:
    place.spec("bad", spec("bad", '[[step]]\nrun = ["false"]\n'))
    place.spec("child", spec("child", '[[step]]\nrun = ["true"]\n', base='spec = "bad"'))
    place.spec("good", spec("good", '[[step]]\nrun = ["touch", "/good"]\n'))
    done = place.bic("build")
    assert done.code == 1
    assert "/good" in image_tree(place.layout("good"), "linux/amd64")
    assert not place.layout("bad").exists() and not place.layout("child").exists()
    assert done.stderr.count("error: ") == 1


@pytest.mark.arm64
def test_a_platform_that_fails_does_not_stop_the_other(place: Workspace, arm64: str) -> None:
    script = "[[step]]\nshell = '[ $(uname -m) != aarch64 ]'\n"
    place.spec("half", spec("half", script, BOTH))
    done = place.bic("build", "half")
    assert done.code == 1
    assert "for linux/arm64" in done.stderr
    assert re.search(r"\[half linux/amd64\] built in", done.stderr)
    assert not place.layout("half").exists()
    amd64 = place.bic("build", "half", "--platform", "linux/amd64").check()
    assert "unchanged" in amd64.stderr
    assert list(manifests(place.layout("half"))) == ["linux/amd64"]


def test_a_platform_that_cannot_run_here_is_said_before_anything_starts(
    current_user: Account, tiny_workspace: Make
) -> None:
    place = tiny_workspace(current_user)
    base = "scratch = true"
    place.spec("far", spec("far", '[[step]]\nrun = ["/bin/true"]\n', '"linux/s390x"', base))
    if probes.runs_machine("s390x"):
        pytest.skip(f"{probes.PREFIX}a machine that cannot run programs of linux/s390x: it is emulated here")
    done = place.bic("build", "far")
    assert done.code == 3
    assert "programs for `linux/s390x` do not run on this host" in done.stderr
    assert "bic doctor" in done.stderr
    place.spec("far", spec("far", '[[step]]\ndirectory = { path = "/x" }\n', '"linux/s390x"', base))
    place.bic("build", "far").check()
    assert "/x" in image_tree(place.layout("far"), "linux/s390x")


# Bases and registries that fail


FAULTS = {
    "500": Fault.answer(500, "/blobs/"),
    "truncate": Fault("truncate", "/blobs/"),
    "reset": Fault("reset", "/blobs/"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_registry_that_fails_while_the_base_is_pulled(
    current_user: Account, tiny_workspace: Make, faulty_proxy: FaultyProxy, name: str
) -> None:
    place = tiny_workspace(current_user, host=faulty_proxy.host)
    place.spec("one", spec("one", '[[step]]\ndirectory = { path = "/x" }\n'))
    place.bic("lock").check()
    faulty_proxy.inject(FAULTS[name])
    done = place.bic("build", "one")
    assert done.code == 1
    assert "cannot pull `docker.io/library/tiny:1`" in done.stderr
    assert "--> specs/one.toml:5:" in done.stderr
    assert remains(place) == []
    faulty_proxy.clear()
    place.bic("build", "one").check()


def test_a_registry_that_fails_once_is_asked_again(
    current_user: Account, tiny_workspace: Make, faulty_proxy: FaultyProxy
) -> None:
    place = tiny_workspace(current_user, host=faulty_proxy.host)
    place.spec("one", spec("one"))
    place.bic("lock").check()
    faulty_proxy.inject(Fault("truncate", "/blobs/", times=1))
    place.bic("build", "one").check()
    assert [each.fault for each in faulty_proxy.requests(path="/blobs/")].count("truncate") == 1


def test_a_base_that_is_gone_is_said(
    current_user: Account, tiny_workspace: Make, faulty_proxy: FaultyProxy
) -> None:
    place = tiny_workspace(current_user, host=faulty_proxy.host)
    place.spec("one", spec("one", '[[step]]\ndirectory = { path = "/x" }\n'))
    place.bic("lock").check()
    faulty_proxy.inject(Fault.answer(404, "/manifests/"))
    done = place.bic("build", "one")
    assert done.code == 1
    assert "cannot pull `docker.io/library/tiny:1`" in done.stderr
    assert "bic lock --upgrade" in done.stderr
    faulty_proxy.clear()
    place.bic("build", "one").check()


# Disks that are full


@pytest.fixture
def small_disk(root_user: Account, shared_directory: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    target = shared_directory / "small"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", target], check=True)
    yield target
    subprocess.run(["umount", "--lazy", target], check=True)


@pytest.mark.root
def test_a_full_disk_is_said_and_more_space_is_all_it_takes(
    root_user: Account, tiny_workspace: Make, small_disk: Path
) -> None:
    place = tiny_workspace(root_user, BIC_HOME=str(small_disk))
    steps = '[[step]]\nrun = ["dd", "if=/dev/zero", "of=/big", "bs=1M", "count=40"]\n'
    place.spec("big", spec("big", steps))
    done = place.bic("build", "big")
    assert done.code == 1
    assert "free space where the container store lies" in done.stderr
    assert list(small_disk.glob("state/runs/*")) == []
    subprocess.run(["mount", "-o", "remount,size=400m", small_disk], check=True)
    place.bic("build", "big").check()


# Builds at the same time


def test_two_builds_at_once_in_one_workspace_both_work(place: Workspace) -> None:
    place.spec("one", spec("one", '[[step]]\nshell = "sleep 1; echo > /x"\n'))
    place.bic("lock").check()
    processes = [place.start("build", "one", "--no-cache") for _ in range(2)]
    for process in processes:
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
    assert "/x" in image_tree(place.layout("one"), "linux/amd64")
    assert remains(place) == []


def test_two_workspaces_share_a_home(account: Account, tiny_workspace: Make, shared_directory: Path) -> None:
    home = shared_directory / "home of both"
    home.mkdir()
    account.own(home)
    places = [tiny_workspace(account, BIC_HOME=str(home)) for _ in range(2)]
    for place in places:
        place.spec("one", spec("one", '[[step]]\nshell = "sleep 1; echo > /x"\n'))
        place.bic("lock").check()
    processes = [place.start("build", "one") for place in places]
    for process in processes:
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
    first, second = (manifests(place.layout("one")) for place in places)
    assert first == second
    assert list((home / "state/runs").iterdir()) == []
