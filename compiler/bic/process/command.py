"""Commands as data, what became of them, and their failure."""

from __future__ import annotations

import shlex
import signal

from attrs import field, frozen

from bic.errors import BicError, Fault

MASK = "***"


@frozen
class Command:
    """What to run: argv without a shell, assignments on top of `environment()`, folder, stdin, secrets.

    `stdin` None is an empty stdin. Each of `secrets` is shown as `***` wherever bic shows this command or its
    output (lines, tails, log); captured stdout is left as it is. A secret of several lines is masked line by
    line.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None
    stdin: bytes | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def paste(self) -> str:
        """A text for a POSIX shell that does the same, assignments first, secrets masked.

        What stdin held is not shown: it may be a password.
        """
        words = [f"{name}={shlex.quote(self.mask(value))}" for name, value in self.env]
        words += [shlex.quote(self.mask(word)) for word in self.argv]
        place = f"cd {shlex.quote(self.cwd)} && " if self.cwd is not None else ""
        note = f"  # with {len(self.stdin)} bytes on stdin" if self.stdin is not None else ""
        return place + " ".join(words) + note

    def mask(self, text: str) -> str:
        """The text with every secret in it replaced."""
        for secret in masked_pieces(self.secrets):
            text = text.replace(secret, MASK)
        return text


@frozen
class Completed:
    """A command that ended.

    `returncode` is negative for a signal (-15: SIGTERM). `stdout` is whole, or empty where it was not
    captured. `stderr_tail` holds the last lines of stderr, `tail` those of both streams in the order of
    arrival.
    """

    command: Command
    returncode: int
    stdout: bytes
    stderr_tail: str
    tail: str
    duration_s: float


class ProcessFailed(BicError):
    """A command ended badly: `completed` tells how; the fault shows a command to paste, and its tail."""

    def __init__(self, completed: Completed, message: str | None = None) -> None:
        program = f"`{completed.command.argv[0]}`"
        notes = (f"command: {completed.command.paste()}", completed.tail)
        text = message if message is not None else f"{program} {ending(completed.returncode)}"
        super().__init__(Fault(text, notes=tuple(note for note in notes if note)))
        self.completed = completed


class TimedOut(ProcessFailed):
    """A command was stopped because its time was up."""


def ending(returncode: int) -> str:
    """How a command ended, as the rest of a sentence."""
    if returncode >= 0:
        return f"failed with exit code {returncode}"
    try:
        return f"was killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was killed by signal {-returncode}"


def masked_pieces(secrets: tuple[str, ...]) -> list[str]:
    """The texts to mask, longest first, so that a secret within another does not leave its rest visible."""
    pieces = {piece for secret in secrets for piece in (secret, *secret.splitlines()) if piece.strip()}
    return sorted(pieces, key=lambda piece: (-len(piece), piece))
