"""Real small programs: how they end, what they see, and that nothing of them stays."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bic.errors import HostLacking, Interrupted
from bic.process import Cancel, Command, ProcessFailed, TimedOut, run


def shell(script: str) -> Command:
    return Command(("/bin/sh", "-c", script))


@pytest.fixture(autouse=True)
def _no_zombies() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture(params=["pidfd", "without pidfd"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to learn of an end; some seccomp filters refuse pidfd_open."""
    if request.param == "without pidfd":

        def refused(_pid: int, _flags: int = 0) -> int:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "pidfd_open", refused)
    return str(request.param)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that init has not reaped yet is dead all the same.
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 3
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            if condition():
                return True
        time.sleep(0.01)
    return False


def test_both_streams_come_apart_and_as_lines(kernel: str) -> None:
    seen: list[tuple[str, str]] = []
    completed = run(shell("echo a; echo b >&2; printf c"), on_line=lambda *line: seen.append(line))
    assert completed.stdout == b"a\nc"
    assert completed.stderr_tail == "b"
    assert sorted(seen) == [("stderr", "b"), ("stdout", "a"), ("stdout", "c")]


def test_stdin_is_empty_unless_given() -> None:
    assert run(Command(("cat",))).stdout == b""
    assert run(Command(("cat",), stdin=b"")).stdout == b""


def test_stdin_larger_than_a_pipe_arrives_whole() -> None:
    data = os.urandom(1 << 20)
    assert run(Command(("cat",), stdin=data)).stdout == data


def test_a_command_that_does_not_read_its_stdin_may_end() -> None:
    assert run(Command(("true",), stdin=b"x" * (1 << 20))).returncode == 0


def test_a_failure_carries_what_was_said() -> None:
    with pytest.raises(ProcessFailed) as failure:
        run(shell("echo no >&2; exit 7"))
    assert failure.value.completed.returncode == 7
    assert failure.value.completed.stderr_tail == "no"
    assert failure.value.code == 1


def test_without_check_a_failure_is_a_result_and_a_signal_is_negative() -> None:
    assert run(shell("exit 7"), check=False).returncode == 7
    assert run(shell("kill -9 $$"), check=False).returncode == -9


def test_a_missing_program_names_the_package_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(HostLacking) as failure:
        run(Command(("buildah", "info"), env=(("PATH", str(tmp_path)),)))
    [fault] = failure.value.faults
    assert fault.message == "the program is not installed: `buildah`"
    assert fault.hint == "on Debian or Ubuntu: `apt-get install buildah`"


def test_a_missing_folder_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(HostLacking, match="folder to run `true` in: no such file"):
        run(Command(("true",), cwd=str(tmp_path / "gone")))


def test_a_file_that_is_no_program_says_why(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("#!/nowhere/sh\n")
    with pytest.raises(HostLacking, match="permission denied"):
        run(Command((str(tmp_path / "x"),)))


def test_the_umask_and_the_environment_do_not_come_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    old = os.umask(0o077)
    try:
        completed = run(Command(("/bin/sh", "-c", "umask; echo $TZ-$LANG-$X"), env=(("X", "1"),)))
    finally:
        os.umask(old)
    assert completed.stdout == b"0022\n-C.UTF-8-1\n"


def test_a_command_leads_a_session_of_its_own() -> None:
    script = "import os; print(os.getsid(0) == os.getpid() == os.getpgid(0))"
    assert run(Command((sys.executable, "-c", script))).stdout == b"True\n"


def test_memory_is_bounded_whatever_is_written(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    completed = run(shell("yes | head -c 300M; yes a | head -c 20M >&2"), capture=False)
    assert completed.tail.endswith("\na\na\na")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lengths: list[int] = []
    run(shell("head -c 100M /dev/zero"), capture=False, on_line=lambda _, line: lengths.append(len(line)))
    assert sum(lengths) == 100 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_an_endless_captured_output_is_stopped_and_fails() -> None:
    with pytest.raises(ProcessFailed, match="its stdout exceeds"):
        run(Command(("yes",)))


def test_a_grandchild_that_keeps_the_pipe_open_does_not_hang_the_run(kernel: str) -> None:
    started = time.monotonic()
    completed = run(shell("echo said; sleep 30 & echo $!"))
    os.kill(int(completed.stdout.split()[1]), signal.SIGKILL)
    assert completed.stdout.startswith(b"said")
    assert time.monotonic() - started < 3


def test_a_process_that_closes_its_output_early_is_waited_for(kernel: str) -> None:
    assert run(shell("exec >&- 2>&-; sleep 0.2; exit 3"), check=False).returncode == 3


def test_a_timeout_stops_the_whole_group(kernel: str, tmp_path: Path) -> None:
    with pytest.raises(TimedOut, match=r"was stopped after 0\.3 seconds") as failure:
        run(shell(f"sleep 60 & echo $! > {tmp_path}/pid; wait"), timeout=0.3)
    assert failure.value.completed.returncode == -15
    assert eventually(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_cancelling_stops_all_commands_of_all_threads(kernel: str) -> None:
    cancel, ended = Cancel(), []

    def work() -> None:
        try:
            run(Command(("sleep", "60")), cancel=cancel)
        except Interrupted:
            ended.append("interrupted")

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    cancel.trigger()
    cancel.trigger()
    for thread in threads:
        thread.join(3)
    assert ended == ["interrupted"] * 5
    with pytest.raises(Interrupted):
        run(Command(("true",)), cancel=cancel)


def test_who_ignores_term_is_killed_after_the_grace(tmp_path: Path) -> None:
    cancel = Cancel(grace=0.3)
    script = f"trap '' TERM; sh -c 'while :; do sleep 1; done' & echo $! > {tmp_path}/pid; wait; wait"
    threading.Timer(0.2, cancel.trigger).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        run(shell(script), cancel=cancel)
    assert 0.4 < time.monotonic() - started < 2
    assert eventually(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_what_is_said_while_stopping_is_still_heard() -> None:
    cancel, log = Cancel(), io.BytesIO()
    threading.Timer(0.2, cancel.trigger).start()
    with pytest.raises(Interrupted):
        run(shell("trap 'echo unmounted; exit 1' TERM; sleep 30 & wait"), cancel=cancel, log=log)
    assert log.getvalue() == b"unmounted\n"


def test_a_cancel_from_a_signal_handler_while_the_main_thread_runs_a_command() -> None:
    cancel = Cancel()
    old = signal.signal(signal.SIGUSR1, lambda *_: cancel.trigger())
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    try:
        with pytest.raises(Interrupted):
            run(Command(("sleep", "60")), cancel=cancel)
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_ctrl_c_without_a_cancel_leaves_no_process(tmp_path: Path) -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run(shell(f"echo $$ > {tmp_path}/pid; exec sleep 60"))
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_an_exception_of_the_listener_stops_the_command_and_passes() -> None:
    def listener(_stream: str, line: str) -> None:
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError):
        run(shell("echo $$; sleep 60"), on_line=listener)


def test_no_descriptor_is_left_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    run(Command(("true",)))
    before = count()
    for _ in range(5):
        run(Command(("cat",), stdin=b"x"), cancel=Cancel())
    assert count() == before
