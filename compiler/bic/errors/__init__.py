"""What can go wrong, as data: faults with a place in a source file, and the exceptions that carry them.

Nothing here prints. The command line renders a `BicError` once and exits with its code.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import frozen

Severity = Literal["error", "warning", "note"]


@frozen(order=True)
class Position:
    """A place in a text: line and column count from 1, columns in characters."""

    line: int
    column: int


@frozen(order=True)
class Span:
    """A stretch of a source file; `file` is a path relative to the workspace, for people."""

    file: str
    start: Position
    end: Position

    def __str__(self) -> str:
        return f"{self.file}:{self.start.line}:{self.start.column}"


@frozen
class Fault:
    """One thing that is wrong: a lower-case clause, where it is, and what to do about it.

    `excerpt` is the source line at the start of the span, without its newline.
    """

    message: str
    span: Span | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    excerpt: str | None = None
    severity: Severity = "error"


class Malformed(ValueError):
    """A text that a parser of values (digest, reference, platform, path …) refuses.

    Whoever knows where the text stands turns it into a `Fault`.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BicError(Exception):
    """A failure to tell the user about, as one or more faults; `code` is the exit code."""

    code: ClassVar[int] = 1

    def __init__(self, *faults: Fault | str, hint: str | None = None) -> None:
        self.faults: tuple[Fault, ...] = tuple(
            Fault(fault, hint=hint) if isinstance(fault, str) else fault for fault in faults
        )
        super().__init__("; ".join(fault.message for fault in self.faults))


class WorkFailed(BicError):
    """The work itself, or a check, failed."""

    code = 1


class InputInvalid(BicError):
    """What the user wrote is wrong; nothing has been started."""

    code = 2


class HostLacking(BicError):
    """The machine or a tool lacks something, or nothing could be decided."""

    code = 3


class NothingSelected(BicError):
    """The request matched nothing."""

    code = 4


class Interrupted(BicError):
    """The user stopped the run (SIGINT or SIGTERM)."""

    code = 130
