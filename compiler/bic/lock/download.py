"""Downloads: to a temporary file, checked while it is written, then renamed."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from bic.errors import BicError, WorkFailed
from bic.process import Cancel

ATTEMPTS = 4
TIMEOUT_S = 60
CHUNK = 1 << 20

PASSING = (408, 425, 429)
GONE = (404, 410)

LONGEST_WAIT_S = 60.0


class NotThere(WorkFailed):
    """An address whose server says that there is nothing."""


def download(url: str, target: Path, sha256: str | None, cancel: Cancel | None = None) -> str:
    """Fetch `url` into `target`, unless it is there; the sha256 of its content. Retries what may pass."""
    if target.exists() and sha256 is not None:
        with target.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == sha256:
                return sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        found = _with_retries(url, temporary, cancel)
        if sha256 is not None and found != sha256:
            raise WorkFailed(
                f"`{url}` has the sha256 {found}, expected {sha256}",
                hint="it changed upstream: look at it, then give the new hash or run `bic lock`",
            )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return found


def _with_retries(url: str, temporary: Path, cancel: Cancel | None) -> str:
    failure: Exception = OSError()
    for attempt in range(ATTEMPTS):
        if cancel is not None:
            cancel.check()
        try:
            return _fetch(url, temporary)
        except urllib.error.HTTPError as error:
            if error.code not in PASSING and error.code < 500:
                kind = NotThere if error.code in GONE else WorkFailed
                raise kind(f"`{url}` cannot be fetched: {error.code} {error.reason}") from error
            failure = error
        except (OSError, http.client.HTTPException) as error:
            failure = error
        if isinstance(getattr(failure, "reason", None), FileNotFoundError):
            raise NotThere(f"`{url}` cannot be fetched: no such file") from failure
        if attempt < ATTEMPTS - 1:
            time.sleep(_pause(failure, attempt))
    raise _gone(url, failure) from failure


def _pause(failure: Exception, attempt: int) -> float:
    """Seconds until the next attempt: what the server asks for (RFC 9110, 10.2.3), else ever more."""
    asked = ""
    if isinstance(failure, urllib.error.HTTPError):
        asked = str(failure.headers.get("Retry-After", "")).strip()
    return min(float(asked), LONGEST_WAIT_S) if asked.isdecimal() else 2.0**attempt / 2


def _gone(url: str, error: Exception) -> BicError:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return WorkFailed(f"`{url}` cannot be fetched after {ATTEMPTS} attempts: {reason}")


def _fetch(url: str, temporary: Path) -> str:
    hasher = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "bic", "Accept-Encoding": "identity"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response, temporary.open("wb") as stream:
        expected = response.headers.get("Content-Length")
        received = 0
        while chunk := response.read(CHUNK):
            hasher.update(chunk)
            stream.write(chunk)
            received += len(chunk)
    if expected is not None and received != int(expected):
        raise http.client.IncompleteRead(b"", int(expected) - received)
    return hasher.hexdigest()
