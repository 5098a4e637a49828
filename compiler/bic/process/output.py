"""What becomes of a command's output: lines as they come, a log, a bounded tail, and captured stdout."""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Callable
from typing import BinaryIO

from bic.process.command import Command, masked_pieces

LINE_LIMIT = 64 * 1024
"""Characters after which a line without an end is cut in two."""

TAIL_LINES = 60
TAIL_WIDTH = 2000
"""Characters of a line that a tail keeps."""

CAPTURE_LIMIT = 64 * 1024 * 1024
"""Bytes of stdout that are captured; a command that writes more fails rather than being cut in silence."""

OnLine = Callable[[str, str], None]


class Overflow(Exception):
    """More was written to a captured stdout than `CAPTURE_LIMIT`."""


class Lines:
    """Bytes to lines, incrementally: UTF-8 with replacement, never in the middle of a character or a secret.

    A line ends at LF, CRLF or CR (progress bars), or after `LINE_LIMIT` characters. With `most`, only that
    many of the last lines of each piece are given: whoever keeps a tail need not split gigabytes.
    """

    def __init__(self, command: Command, most: int | None = None) -> None:
        self._mask = command.mask if command.secrets else _same
        self._held_back = max((len(piece) for piece in masked_pieces(command.secrets)), default=1) - 1
        self._most = most
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are whole with these bytes, without their ends."""
        lines = self._split(self._rest + self._decoder.decode(data))
        return [self._mask(line) for line in lines] + self._cut()

    def end(self) -> list[str]:
        """What is left when no more bytes come."""
        lines = self._split(self._rest + self._decoder.decode(b"", final=True))
        unfinished = [self._rest] if self._rest else []
        self._rest = ""
        return [self._mask(line) for line in (*lines, *unfinished)]

    def _split(self, text: str) -> list[str]:
        if self._most is None:
            *lines, self._rest = text.split("\n")
            return lines
        *lines, self._rest = text.rsplit("\n", self._most + 1)
        return lines[-self._most :]

    def _cut(self) -> list[str]:
        if len(self._rest) <= LINE_LIMIT:
            return []
        # A secret may end in bytes that are still to come: what could be its beginning waits for them.
        rest = self._mask(self._rest)
        end = len(rest) - self._held_back
        self._rest = rest[end:]
        return [rest[i : min(i + LINE_LIMIT, end)] for i in range(0, end, LINE_LIMIT)]


class Output:
    """The sink for both streams of one command; memory is bounded whatever the command writes."""

    def __init__(self, command: Command, on_line: OnLine | None, log: BinaryIO | None, capture: bool) -> None:
        self._on_line = on_line
        self._log = log
        self._masked_log = log is not None and bool(command.secrets)
        most = TAIL_LINES if on_line is None and not self._masked_log else None
        self._lines = {stream: Lines(command, most) for stream in ("stdout", "stderr")}
        self._captured: list[bytes] | None = [] if capture else None
        self._size = 0
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._stderr_tail: deque[str] = deque(maxlen=TAIL_LINES)

    def write(self, stream: str, data: bytes) -> None:
        """Take bytes of one stream as they were read; raises `Overflow`."""
        if self._log is not None and not self._masked_log:
            self._log.write(data)
        self._emit(stream, self._lines[stream].feed(data))
        if self._captured is not None and stream == "stdout":
            self._capture(self._captured, data)

    def end(self, stream: str) -> None:
        """The stream has ended: its last line, if it had no newline, is told now."""
        self._emit(stream, self._lines[stream].end())

    def mute(self) -> None:
        """From now on keep the tails only: the reader has failed or is gone."""
        self._on_line = self._log = self._captured = None
        self._masked_log = False

    @property
    def stdout(self) -> bytes:
        return b"".join(self._captured or ())

    @property
    def stderr_tail(self) -> str:
        return "\n".join(self._stderr_tail)

    @property
    def tail(self) -> str:
        return "\n".join(self._tail)

    def _capture(self, captured: list[bytes], data: bytes) -> None:
        self._size += len(data)
        if self._size > CAPTURE_LIMIT:
            raise Overflow
        captured.append(data)

    def _emit(self, stream: str, lines: list[str]) -> None:
        for line in lines:
            if self._on_line is not None:
                self._on_line(stream, line)
            if self._masked_log and self._log is not None:
                self._log.write(line.encode() + b"\n")
        last = [line[:TAIL_WIDTH] for line in lines[-TAIL_LINES:]]
        self._tail.extend(last)
        if stream == "stderr":
            self._stderr_tail.extend(last)


def _same(text: str) -> str:
    return text
