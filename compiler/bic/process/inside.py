"""Entering the namespaces that a build runs in, and leaving nothing behind however it ends.

The build is a process of its own, in namespaces of its own: user (an ordinary user becomes root of it),
mount and process ids. A pipe ties it to the one that started it: a byte means "stop in good order", and
its end, which comes even after SIGKILL, means "die at once". With the first process of its process id
namespace everything in it dies, and with the namespace all mounts go.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

LIFELINE = "BIC_LIFELINE"
"""The environment variable that names the descriptor of the pipe."""

_STOP = b"s"


def is_inside() -> bool:
    """Whether this process was started by `enter`."""
    return LIFELINE in os.environ


def enter(argv: Sequence[str], buildah: str) -> int:
    """Run `argv` inside, with this process's terminal and environment; its exit code."""
    reader, writer = os.pipe()
    rootless = (buildah, "unshare", "--") if os.geteuid() != 0 else ()
    namespaces = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
    process = subprocess.Popen(
        [*rootless, *namespaces, "--", *argv],
        env={**os.environ, LIFELINE: str(reader)},
        pass_fds=(reader,),
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
    os.write(writer, _STOP)


def _exit_code(returncode: int) -> int:
    return returncode if returncode >= 0 else 128 - returncode


def watch(stop: Callable[[], None]) -> None:
    """Inside: call `stop` when the starter asks for it, and die with the starter."""
    reader = int(os.environ[LIFELINE])
    os.set_inheritable(reader, False)
    threading.Thread(target=_watch, args=(reader, stop), daemon=True).start()


def _watch(reader: int, stop: Callable[[], None]) -> None:
    while os.read(reader, 1):
        stop()
    os._exit(128 + signal.SIGKILL)
