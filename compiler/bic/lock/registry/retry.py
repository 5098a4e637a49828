"""Asking again: exponential back-off with jitter, bounded in number and time, never before Retry-After."""

from __future__ import annotations

import random
import select
import time
from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from bic.lock.registry.failure import Failed
from bic.process import Cancel

T = TypeVar("T")


@frozen
class Policy:
    """How often and how long: `attempts` in all, within `total_s` seconds, each one within `each_s`.

    The pause before the second attempt is about `first_s`; each further one doubles it, up to `most_s`.
    """

    attempts: int = 5
    total_s: float = 180.0
    each_s: float = 60.0
    first_s: float = 0.5
    most_s: float = 20.0

    def pause(self, attempt: int, retry_after: float | None, chance: float) -> float:
        """Seconds to wait after that attempt, counted from 1; `chance` is between 0 and 1."""
        step = min(self.most_s, self.first_s * 2.0 ** (attempt - 1))
        if retry_after is not None:
            return retry_after + step * chance / 2
        return step * (0.5 + chance)


@frozen
class Clock:
    """What waiting needs of the world: monotonic seconds, sleeping, and chance."""

    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]

    @classmethod
    def real(cls, cancel: Cancel | None = None) -> Clock:
        """The world's own; its sleep ends at once, with `Interrupted`, when `cancel` is triggered."""

        def sleep(seconds: float) -> None:
            if cancel is None:
                time.sleep(seconds)
                return
            select.select([cancel], [], [], seconds)
            cancel.check()

        return cls(time.monotonic, sleep, random.random)


def persist(ask: Callable[[float], T], policy: Policy, clock: Clock) -> T:
    """What `ask` answers; raises its last `Failed` where that will not pass or the policy is used up.

    `ask` is called with the seconds that it may take.
    """
    end = clock.now() + policy.total_s
    attempt = 1
    while True:
        try:
            return ask(min(policy.each_s, end - clock.now()))
        except Failed as failed:
            pause = policy.pause(attempt, failed.retry_after, clock.chance())
            if not failed.may_pass or attempt >= policy.attempts or clock.now() + pause >= end:
                raise
        clock.sleep(pause)
        attempt += 1
