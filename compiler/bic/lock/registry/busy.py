"""What has to be overheard in the tools' logs, since neither tells it by its exit: requests to wait.

crane repeats a refused request by a schedule of its own, whatever Retry-After says; skopeo obeys it, but
sleeps for as long as it is told. Both are stopped at that moment, and bic waits. crane is also stopped when
it does without TLS of its own accord, as it does for addresses of private networks.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bic.lock.registry.failure import Failed, Kind

_STAMP = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"
_CRANE_ANSWER = re.compile(rf"{_STAMP} <-- (?P<status>\d{{3}}) ")
_CRANE_STATUS = re.compile(rf"(?:{_STAMP} )?HTTP/[\d.]+ (?P<line>\d{{3}}.*)")
_SKOPEO_HEADER = re.compile(r"Detected 'Retry-After' header \\?\"(?P<value>[^\"\\]*)")
_SKOPEO_SLEEP = re.compile(r'level=debug msg="Too many requests to ')


class CraneLog:
    """Takes the lines of `crane -v`; raises `Failed` once the head of a refusal that may pass is whole.

    `secure` names a host that must not be asked without TLS; to look whether it has TLS is another thing.
    """

    def __init__(self, secure: str | None = None) -> None:
        self._open = re.compile(rf"{_STAMP} --> [A-Z]+ http://{re.escape(secure)}/v2/.") if secure else None
        self._status: int | None = None
        self._said = ""
        self._retry_after: float | None = None

    def __call__(self, line: str) -> None:
        text = line.rstrip()
        if self._open is not None and self._open.match(text):
            raise Failed("untrusted", "the registry has no TLS, and is not marked as insecure")
        if found := _CRANE_ANSWER.match(text):
            status = int(found["status"])
            self._status = status if status in (408, 429) or status >= 500 else None
        elif self._status is not None:
            self._head(self._status, text)

    def _head(self, status: int, text: str) -> None:
        if not text:
            kind: Kind = "busy" if status == 429 else "passing"
            raise Failed(kind, f"the registry answered {self._said or status}", self._retry_after)
        if found := _CRANE_STATUS.match(text):
            self._said = found["line"]
        name, _, value = text.partition(":")
        if name.lower() == "retry-after":
            self._retry_after = seconds(value)


class SkopeoLog:
    """Takes the lines of `skopeo --debug`; raises `Failed` when it is about to sleep after a 429."""

    def __init__(self) -> None:
        self._retry_after: float | None = None

    def __call__(self, line: str) -> None:
        if found := _SKOPEO_HEADER.search(line):
            self._retry_after = seconds(found["value"])
        elif _SKOPEO_SLEEP.search(line):
            raise Failed("busy", "the registry answered 429 Too Many Requests", self._retry_after)


def seconds(value: str, now: datetime | None = None) -> float | None:
    """The seconds from now that Retry-After asks for (RFC 9110, 10.2.3); None where it is nonsense."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    from email.utils import parsedate_to_datetime  # only for registries that are busy

    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
