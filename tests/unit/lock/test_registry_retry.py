"""Asking again: how often, how long, and never before the registry wants it."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import UTC, datetime

import pytest
from attrs import define, field

from bic.errors import Interrupted
from bic.lock.registry.busy import CraneLog, SkopeoLog, seconds
from bic.lock.registry.failure import Failed, Kind
from bic.lock.registry.retry import Clock, Policy, persist
from bic.process import Cancel


@define
class Time:
    """A clock on which only sleeping takes time, and chance is as given."""

    chance: float = 0.5
    at: float = 1000.0
    slept: list[float] = field(factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, self.sleep, lambda: self.chance)


@define
class Answering:
    """Fails with each of `failures` in turn, then says yes; keeps the seconds that it was given."""

    failures: list[Failed]
    given: list[float] = field(factory=list)

    def __call__(self, seconds: float) -> str:
        self.given.append(seconds)
        if self.failures:
            raise self.failures.pop(0)
        return "yes"


def passing(retry_after: float | None = None) -> Failed:
    return Failed("passing", "503", retry_after)


def test_what_passes_is_asked_again_after_growing_pauses() -> None:
    time = Time()
    assert persist(Answering([passing() for _ in range(4)]), Policy(), time.clock) == "yes"
    assert time.slept == [0.5, 1.0, 2.0, 4.0]


def test_pauses_differ_by_chance_and_stop_growing() -> None:
    policy = Policy(most_s=4)
    assert [policy.pause(attempt, None, 0.0) for attempt in (1, 2, 9)] == [0.25, 0.5, 2.0]
    assert [policy.pause(attempt, None, 1.0) for attempt in (1, 2, 9)] == [0.75, 1.5, 6.0]


def test_the_registry_is_never_asked_before_it_wants_to_be() -> None:
    for chance in (0.0, 0.3, 1.0):
        time = Time(chance)
        persist(Answering([Failed("busy", "429", 7.0)]), Policy(), time.clock)
        assert 7.0 <= time.slept[0] <= 7.5


def test_attempts_are_counted() -> None:
    ask = Answering([passing() for _ in range(9)])
    with pytest.raises(Failed):
        persist(ask, Policy(attempts=3), Time().clock)
    assert len(ask.given) == 3


def test_the_time_in_all_is_bounded_and_so_is_each_attempts() -> None:
    time = Time()
    ask = Answering([passing() for _ in range(99)])
    with pytest.raises(Failed):
        persist(ask, Policy(attempts=99, total_s=10, each_s=8), time.clock)
    assert time.at <= 1010
    assert ask.given == [8.0, 8.0, 8.0, 6.5, 2.5]


def test_a_registry_that_wants_to_be_left_alone_for_longer_is_given_up_at_once() -> None:
    time = Time()
    with pytest.raises(Failed):
        persist(Answering([Failed("busy", "429", 3600.0)]), Policy(), time.clock)
    assert time.slept == []


@pytest.mark.parametrize("kind", ["absent", "denied", "helper", "untrusted", "unreachable", "odd", "other"])
def test_a_final_answer_is_not_asked_for_again(kind: Kind) -> None:
    ask = Answering([Failed(kind, "no")])
    with pytest.raises(Failed):
        persist(ask, Policy(), Time().clock)
    assert len(ask.given) == 1


def test_an_interruption_ends_the_pause() -> None:
    cancel = Cancel()
    threading.Timer(0.05, cancel.trigger).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        Clock.real(cancel).sleep(30)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2", 2.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("9" * 40, 999999999.0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("2²", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, found: float | None) -> None:
    assert seconds(value, datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)) == found


# What the tools log


def _hear(log: CraneLog | SkopeoLog, text: str) -> Failed | None:
    for line in text.splitlines():
        try:
            log(line)
        except Failed as failed:
            return failed
    return None


CRANE = """\
2026/11/21 12:22:30 --> GET http://127.0.0.1:5000/v2/
2026/11/21 12:22:30 GET /v2/ HTTP/1.1
Host: 127.0.0.1:5000

2026/11/21 12:22:30 <-- 401 http://127.0.0.1:5000/v2/ (1.5ms)
2026/11/21 12:22:30 HTTP/1.1 401 Unauthorized
Retry-After: 99

2026/11/21 12:22:30 <-- {status} http://127.0.0.1:5000/v2/a/manifests/1 (1.5ms)
2026/11/21 12:22:30 HTTP/1.1 {status} Words
Content-Length: 0
{header}

2026/11/21 12:22:31 --> GET http://127.0.0.1:5000/v2/a/manifests/1
"""


@pytest.mark.parametrize(
    ("status", "header", "kind", "retry_after"),
    [
        ("429", "Retry-After: 2", "busy", 2.0),
        ("429", "retry-after: 2\r", "busy", 2.0),
        ("429", "X: Retry-After: 2", "busy", None),
        ("503", "Retry-After: 5", "passing", 5.0),
        ("500", "", "passing", None),
        ("408", "", "passing", None),
    ],
)
def test_crane_is_stopped_once_it_has_logged_a_refusal(
    status: str, header: str, kind: str, retry_after: float | None
) -> None:
    failed = _hear(CraneLog(), CRANE.format(status=status, header=header))
    assert failed is not None
    assert (failed.kind, failed.retry_after) == (kind, retry_after)
    assert failed.last == f"the registry answered {status} Words"


@pytest.mark.parametrize("status", ["200", "401", "404", "307"])
def test_crane_goes_on_after_any_other_answer(status: str) -> None:
    assert _hear(CraneLog(), CRANE.format(status=status, header="Retry-After: 2")) is None


def test_crane_is_stopped_where_it_does_without_tls_on_its_own_account() -> None:
    look, ask = (
        f"2026/11/21 12:22:30 --> GET http://127.0.0.1:5000/v2/{end}" for end in ("", "a/manifests/1")
    )
    assert _hear(CraneLog("127.0.0.1:5000"), look) is None
    failed = _hear(CraneLog("127.0.0.1:5000"), ask)
    assert failed is not None and failed.kind == "untrusted" and not failed.may_pass
    assert _hear(CraneLog("127.0.0.1:500"), ask) is None
    assert _hear(CraneLog(), ask) is None


SKOPEO = (
    'time="2026-11-21T12:22:28Z" level=debug msg="GET http://127.0.0.1:5000/v2/a/manifests/1"',
    'time="2026-11-21T12:22:28Z" level=debug msg="Detected \'Retry-After\' header \\"2\\""',
    'time="2026-11-21T12:22:28Z" level=debug msg="Too many requests to http://127.0.0.1:5000/v2/a/manifests/1:'
    ' sleeping for 2.000000 seconds before next attempt"',
)


def test_skopeo_is_stopped_before_it_sleeps() -> None:
    failed = _hear(SkopeoLog(), "\n".join(SKOPEO))
    assert failed is not None and (failed.kind, failed.retry_after) == ("busy", 2.0)
    failed = _hear(SkopeoLog(), "\n".join(itertools.chain(SKOPEO[:1], SKOPEO[2:])))
    assert failed is not None and (failed.kind, failed.retry_after) == ("busy", None)
    assert _hear(SkopeoLog(), "\n".join(SKOPEO[:2])) is None
