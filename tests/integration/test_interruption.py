"""Interrupted or killed at any moment, a build leaves nothing that the next one does not clear away."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.accounts import Account
from support.layout import image_tree
from support.remains import processes, remains
from support.small import spec
from support.workspace import Workspace

Make = Callable[..., Workspace]


@pytest.fixture
def slow(account: Account, tiny_workspace: Make, shared_directory: Path) -> Workspace:
    """A workspace with one spec, whose second step takes longer than anybody waits."""
    made = tiny_workspace(account)
    steps = f"""
        [[step]]
        run = ["touch", "/made"]
        [[step]]
        run = ["sleep", "{marker(made)}"]
        """
    made.spec("slow", spec("slow", steps))
    return made


def marker(workspace: Workspace) -> str:
    """Seconds to sleep, by which the step is known among all processes."""
    return str(100_000_000 + zlib.crc32(str(workspace.root).encode()))


@contextmanager
def started(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """A build in the middle of its endless step."""
    with workspace.start("build", "slow") as process:
        try:
            wait_until(lambda: bool(asleep(workspace)) or process.poll() is not None)
            yield process
        finally:
            process.kill()


def asleep(workspace: Workspace) -> list[int]:
    return [pid for pid, words in processes() if words.startswith(f"/bin/sleep {marker(workspace)} ")]


def wait_until(done: Callable[[], bool]) -> None:
    """Gives up after a while: what is then not done will not be."""
    deadline = time.monotonic() + 60
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


def inner(workspace: Workspace) -> int:
    """The process that builds, in namespaces of its own."""
    end = f" -m bic build slow  in {workspace.root}"
    (found,) = [pid for pid, words in processes() if words.endswith(end) and "sh -c" not in words]
    return found


def runs_again(workspace: Workspace) -> None:
    """The next run works, and nothing is left of either."""
    workspace.spec("slow", spec("slow", '[[step]]\nrun = ["touch", "/made"]\n'))
    workspace.bic("build", "slow").check()
    assert "/made" in image_tree(workspace.layout("slow"), "linux/amd64")
    assert remains(workspace) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_stops_the_build_in_good_order(slow: Workspace, number: signal.Signals) -> None:
    with started(slow) as process:
        process.send_signal(number)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert asleep(slow) == []
    assert remains(slow) == []
    assert not slow.layout("slow").exists()
    runs_again(slow)


def test_ctrl_c_reaches_the_whole_foreground_group_and_stops_it_once(slow: Workspace) -> None:
    with started(slow) as process:
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert asleep(slow) == []
    assert remains(slow) == []


def test_kill_of_the_command_takes_the_step_with_it(slow: Workspace) -> None:
    with started(slow) as process:
        process.kill()
        process.communicate(timeout=120)
    wait_until(lambda: not asleep(slow))
    assert asleep(slow) == []
    wait_until(lambda: not [each for each in remains(slow) if each.startswith("process")])
    assert [each for each in remains(slow) if not each.startswith(("run ", "container "))] == []
    runs_again(slow)


def test_kill_of_the_process_that_builds_takes_the_step_with_it(slow: Workspace) -> None:
    with started(slow) as process:
        os.kill(inner(slow), signal.SIGKILL)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the build was killed by signal 9" in stderr
    assert asleep(slow) == []
    assert [each for each in remains(slow) if not each.startswith(("run ", "container "))] == []
    runs_again(slow)
