"""`run`: start one command, read it to its end, and leave no process behind."""

from __future__ import annotations

import os
import subprocess
import time
from typing import BinaryIO

from bic.errors import Fault, HostLacking, Interrupted
from bic.process.cancel import Cancel
from bic.process.command import Command, Completed, ProcessFailed, TimedOut
from bic.process.environment import environment
from bic.process.output import CAPTURE_LIMIT, OnLine, Output
from bic.process.packages import how_to_get
from bic.process.watch import Watch

UMASK = 0o022


def run(
    command: Command,
    *,
    on_line: OnLine | None = None,
    log: BinaryIO | None = None,
    check: bool = True,
    timeout: float | None = None,
    capture: bool = True,
    cancel: Cancel | None = None,
) -> Completed:
    """Run a command to its end.

    `on_line` is called in this thread with the stream's name ("stdout", "stderr") and each line as it comes;
    `log` takes the bytes of both streams. `capture` keeps stdout (up to `CAPTURE_LIMIT` bytes, more is a
    failure): pass False for steps of a build. `timeout` is in seconds.

    Raises `ProcessFailed` for a non-zero exit when `check`, its subclass `TimedOut` for a timeout whatever
    `check` says, `Interrupted` once `cancel` was triggered, `HostLacking` where the program is missing.
    Before anything is raised out of a running command (also `KeyboardInterrupt`, or what `on_line` raises)
    its whole process group got TERM and, after a grace, KILL.
    """
    if cancel is not None:
        cancel.check()
    started = time.monotonic()
    output = Output(command, on_line, log, capture)
    process = _start(command)
    watch = Watch(process, command.stdin, output, cancel, timeout)
    reason = watch.to_end()
    completed = Completed(
        command=command,
        returncode=process.returncode,
        stdout=output.stdout,
        stderr_tail=output.stderr_tail,
        tail=output.tail,
        duration_s=time.monotonic() - started,
    )
    return _judge(completed, reason, check, timeout)


def _judge(completed: Completed, reason: str | None, check: bool, timeout: float | None) -> Completed:
    program = f"`{completed.command.argv[0]}`"
    if reason == "cancel":
        raise Interrupted(Fault("interrupted", notes=(f"command: {completed.command.paste()}",)))
    if reason == "timeout":
        raise TimedOut(completed, f"{program} was stopped after {timeout:g} seconds")
    if reason == "overflow":
        raise ProcessFailed(completed, f"{program} was stopped: its stdout exceeds {CAPTURE_LIMIT} bytes")
    if check and completed.returncode != 0:
        raise ProcessFailed(completed)
    return completed


def _start(command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            env=environment(dict(command.env)),
            cwd=command.cwd,
            stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            umask=UMASK,
        )
    except OSError as error:
        raise _not_started(command, error) from error


def _not_started(command: Command, error: OSError) -> HostLacking:
    program = command.argv[0]
    reason = (error.strerror or str(error)).lower()
    if command.cwd is not None and error.filename == command.cwd:
        return HostLacking(f"the folder to run `{program}` in: {reason}: `{command.cwd}`")
    if isinstance(error, FileNotFoundError) and not os.path.exists(program):  # noqa: PTH110
        return HostLacking(f"the program is not installed: `{program}`", hint=how_to_get(program))
    return HostLacking(f"the program cannot be started: {reason}: `{program}`", hint=how_to_get(program))
