"""Watching one running process: both pipes, its stdin, its end, a deadline and a latch, in one thread."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import IO

from bic.process.cancel import GRACE_S, Cancel
from bic.process.output import Output, Overflow

LINGER_S = 1.0
"""How long output is awaited after the process ended, when a grandchild keeps its pipe open."""
LONGEST_LINGER_S = 10.0
"""How long it is read then if it never pauses."""

CHUNK = 64 * 1024
TICK_S = 0.02
"""How often to look for the end of the process where the kernel or a seccomp filter has no pidfd."""


class Watch:
    """Drives one process to its end; afterwards it is reaped, and its pipes are closed.

    Until the process is reaped its id, and so that of its group, is not given to another: signals go to the
    group only before that, so they can never hit a stranger.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes | None,
        output: Output,
        cancel: Cancel | None,
        timeout: float | None,
    ) -> None:
        self._process = process
        self._input = memoryview(stdin or b"")
        self._output = output
        self._cancel = cancel
        self._selector = selectors.DefaultSelector()
        self._open = 0
        self._exited = False
        self._quiet = False
        self._reason: str | None = None
        self._pidfd: int | None = None
        self._timeout_at = None if timeout is None else time.monotonic() + timeout
        self._kill_at: float | None = None
        self._linger_at: float | None = None

    def to_end(self) -> str | None:
        """Read until the process ended; why it was stopped ("cancel", "timeout", "overflow"), or None."""
        try:
            self._register()
            self._drive()
        except BaseException:
            self._abandon()
            raise
        finally:
            self._close()
        return self._reason

    def _register(self) -> None:
        for name, pipe in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            if pipe is not None:
                self._open += 1
                self._selector.register(pipe, selectors.EVENT_READ, self._reader(name, pipe))
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
            self._selector.register(self._process.stdin, selectors.EVENT_WRITE, self._feed)
        with contextlib.suppress(OSError):
            self._pidfd = os.pidfd_open(self._process.pid)
            self._selector.register(self._pidfd, selectors.EVENT_READ, self._note_end)
        if self._cancel is not None:
            self._selector.register(self._cancel, selectors.EVENT_READ, self._on_cancel)

    def _drive(self) -> None:
        while not self._done():
            ready = self._selector.select(self._wait())
            for key, _ in ready:
                key.data()
            self._quiet = not ready
            if self._pidfd is None and not self._exited and _has_ended(self._process.pid):
                self._note_end()
            self._meet_deadlines()

    def _done(self) -> bool:
        if not self._exited:
            return False
        if self._open == 0 or self._linger_at is None:
            return self._open == 0
        # On a busy machine the time may be up before what is in the pipe was read.
        late = time.monotonic() - self._linger_at
        return late >= 0 and (self._quiet or late >= LONGEST_LINGER_S)

    def _wait(self) -> float | None:
        """Seconds until the next deadline, None for no deadline."""
        deadlines = [at for at in (self._timeout_at, self._kill_at, self._linger_at) if at is not None]
        waits = [max(0.0, min(deadlines) - time.monotonic())] if deadlines else []
        if self._pidfd is None and not self._exited:
            waits.append(TICK_S)
        return min(waits, default=None)

    def _meet_deadlines(self) -> None:
        now = time.monotonic()
        if self._timeout_at is not None and now >= self._timeout_at and not self._exited:
            self._stop("timeout")
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._signal(signal.SIGKILL)

    def _reader(self, name: str, pipe: IO[bytes]) -> Callable[[], None]:
        def read() -> None:
            data = os.read(pipe.fileno(), CHUNK)
            if not data:
                self._selector.unregister(pipe)
                self._open -= 1
                self._output.end(name)
                return
            try:
                self._output.write(name, data)
            except Overflow:
                self._output.mute()
                self._stop("overflow")

        return read

    def _feed(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            self._input = self._input[os.write(pipe.fileno(), self._input[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._input = self._input[:0]
        if not self._input:
            self._selector.unregister(pipe)
            pipe.close()

    def _note_end(self) -> None:
        self._exited = True
        if self._pidfd is not None:
            self._selector.unregister(self._pidfd)
        # A stopped group keeps its grace: members other than the leader may still be cleaning up.
        self._timeout_at = None
        self._linger_at = self._kill_at or time.monotonic() + LINGER_S

    def _on_cancel(self) -> None:
        assert self._cancel is not None
        self._selector.unregister(self._cancel)
        self._stop("cancel")

    def _stop(self, reason: str) -> None:
        """TERM for the group now, KILL when the grace is over; the first reason is the one that is told."""
        self._timeout_at = None
        if self._reason is not None:
            return
        self._kill_at = time.monotonic() + (self._cancel.grace if self._cancel is not None else GRACE_S)
        self._reason = reason
        self._signal(signal.SIGTERM)

    def _abandon(self) -> None:
        """Something was raised: stop the group in the same way, but tell nobody what it still says."""
        self._output.mute()
        try:
            self._stop("abandoned")
            self._drive()
        except BaseException:
            self._signal(signal.SIGKILL)
            raise

    def _signal(self, number: int) -> None:
        # EPERM: what is left of the group are processes under other ids (a setuid program).
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _close(self) -> None:
        """Kill what is left of a group that was stopped, reap the process, close all descriptors."""
        if self._reason is not None:
            self._signal(signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _has_ended(pid: int) -> bool:
    """Whether the process ended, without reaping it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
