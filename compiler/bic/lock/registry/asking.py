"""One question, one process: started, listened to, stopped as soon as the registry asks to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bic.lock.registry.failure import NO_WORDS, Failed, explained, kind_of
from bic.lock.registry.mirrors import Endpoint
from bic.lock.registry.retry import Clock, Policy, persist
from bic.oci.reference import Reference
from bic.process import Cancel, Command, ProcessFailed, TimedOut, run

T = TypeVar("T")

Ask = Callable[[Endpoint, float], T]
"""Asks one place, within that many seconds; raises `Failed`."""

Hear = Callable[[str], None]
"""Takes each line of stderr; raises `Failed` to stop the tool."""

LastWords = Callable[[str], str]
"""The line that says why, out of all that a tool wrote to stderr."""


def once(
    command: Command,
    names: tuple[str, ...],
    hear: Hear,
    last_words: LastWords,
    cancel: Cancel | None,
    seconds: float,
) -> bytes:
    """What the tool prints; raises `Failed`. `names` are the image's names in its messages."""

    def on_line(stream: str, line: str) -> None:
        if stream == "stderr":
            hear(line)

    try:
        return run(command, on_line=on_line, cancel=cancel, timeout=seconds).stdout
    except TimedOut as error:
        raise Failed("passing", f"no answer within {seconds:.3g} seconds") from error
    except ProcessFailed as error:
        last = last_words(error.completed.stderr_tail) or NO_WORDS
        raise Failed(kind_of(last, *names), last) from error


def asked(reference: Reference, ask: Callable[[float], T], policy: Policy, clock: Clock) -> T:
    """What `ask` answers, asked again where that may help; raises `WorkFailed` for the user."""
    try:
        return persist(ask, policy, clock)
    except Failed as failed:
        raise explained(reference, failed) from failed


def in_turn(places: tuple[Endpoint, ...], ask: Ask[T], seconds: float) -> T:
    """The first answer; else the failure that says most: one that may pass, then any but no network."""
    failures: list[Failed] = []
    for place in places:
        try:
            return ask(place, seconds)
        except Failed as failed:
            failures.append(failed)
    worst = max(failures, key=lambda each: (each.may_pass, each.kind != "unreachable", each is failures[-1]))
    waits = [each.retry_after for each in failures if each.retry_after is not None]
    raise Failed(worst.kind, worst.last, max(waits, default=None))
