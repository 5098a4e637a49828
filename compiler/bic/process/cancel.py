"""Stopping commands from elsewhere: another thread, or a signal handler."""

from __future__ import annotations

import os

from bic.errors import Interrupted

GRACE_S = 5.0


class Cancel:
    """A latch that, once triggered, stops every `run` that was given it, and each one that is given it later.

    Triggering only writes a byte to a pipe that nobody empties, and each `run` watches the pipe and stops its
    own command. So there is neither a lock that an interrupted thread might hold nor a list of process ids
    that might be stale, and `trigger` may be called from a signal handler while workers, or the same thread,
    wait in `run`.

    `grace` is the time in seconds between TERM and KILL.
    """

    def __init__(self, grace: float = GRACE_S) -> None:
        self.grace = grace
        self._triggered = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def __del__(self) -> None:
        # `os.pipe` may have failed in `__init__`.
        for name in ("_reader", "_writer"):
            if (descriptor := getattr(self, name, None)) is not None:
                os.close(descriptor)

    @property
    def triggered(self) -> bool:
        return self._triggered

    def trigger(self) -> None:
        """Stop all commands that run under this latch; returns at once, and may be called again."""
        if not self._triggered:
            self._triggered = True
            os.write(self._writer, b"!")

    def check(self) -> None:
        """Raise `Interrupted` once triggered: for loops between commands."""
        if self._triggered:
            raise Interrupted("interrupted")

    def fileno(self) -> int:
        """A descriptor that is readable from the moment of the trigger on; nobody may read it."""
        return self._reader
