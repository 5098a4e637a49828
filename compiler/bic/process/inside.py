"""Entering the namespaces that a build runs in, and leaving nothing behind however it ends.

The build is a process of its own, in namespaces of its own: user (an ordinary user becomes root of it),
mount and process ids. A pipe ties it to the one that started it: a byte means "stop in good order", and
its end, which comes even after SIGKILL, means "die at once". The pipe is its stdin, the only descriptor
beside stdout and stderr that `buildah unshare` hands on. With the first process of its process id
namespace everything in it dies, and with the namespace all mounts go.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

from bic.errors import Interrupted, WorkFailed

LIFELINE = "BIC_LIFELINE"
"""The environment variable that says that stdin is the pipe."""

_STOP = b"s"


def is_inside() -> bool:
    """Whether this process was started by `enter`."""
    return LIFELINE in os.environ


def enter(argv: Sequence[str], buildah: str) -> int:
    """Run `argv` inside, with this process's terminal and environment; its exit code.

    Raises `WorkFailed` where it was killed: whoever is killed has no last word.
    """
    reader, writer = os.pipe()
    rootless = (buildah, "unshare", "--") if os.geteuid() != 0 else ()
    # `unshare` does not tell how its child was killed (util-linux 2.38): the shell does.
    namespaces = (
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--",
        "sh",
        "-c",
        '"$@"; exit $?',
        "sh",
    )
    process = subprocess.Popen(
        [*rootless, *namespaces, *argv],
        env={**os.environ, LIFELINE: "stdin"},
        stdin=reader,
        start_new_session=True,
    )
    os.close(reader)
    previous = {number: signal.signal(number, lambda *_: _stop(writer)) for number in _SIGNALS}
    try:
        return _exit_code(process.wait())
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(writer)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _stop(writer: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(writer, _STOP)


def _exit_code(returncode: int) -> int:
    code = returncode if returncode >= 0 else 128 - returncode
    if code > 128 and code != Interrupted.code:
        hint = "if memory ran short (`dmesg` tells), build fewer at a time with `--jobs 1`; then run it again"
        raise WorkFailed(f"the build was killed by signal {code - 128}", hint=hint)
    return code


def watch(stop: Callable[[], None]) -> None:
    """Inside: call `stop` when the starter asks for it, and die with the starter."""
    reader = os.dup(0)
    with open(os.devnull) as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_watch, args=(reader, stop), daemon=True).start()


def _watch(reader: int, stop: Callable[[], None]) -> None:
    while os.read(reader, 1):
        stop()
    os._exit(128 + signal.SIGKILL)
