"""How big a wheel is, where its index does not tell: asked of the server, the wheel itself is not fetched.

Effects: HTTP requests, with the credentials of the index on the same host; a file below the cache for each
answer, since what has one sha256 has one size.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bic.errors import WorkFailed
from bic.lock.pip.indexes import Indexes, without_credentials
from bic.lock.pip.wheel import Wheel

ATTEMPTS: Final = 4
TIMEOUT_S: Final = 30

SizeOf = Callable[[Wheel], int]
"""Gives the size of a wheel in bytes."""


def asking(indexes: Indexes, cache: Path, *, offline: bool = False) -> SizeOf:
    """Asks by HEAD, by GET without reading where the server knows no HEAD; raises `WorkFailed`."""

    def size_of(wheel: Wheel) -> int:
        path = cache / "sizes" / wheel.sha256
        if path.is_file() and (known := path.read_text(encoding="ascii")).isdecimal():
            return int(known)
        if offline:
            raise _unknown(wheel.url, "the network may not be used")
        size = _size(wheel.url, indexes)
        _keep(path, size)
        return size

    return size_of


def _keep(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text(str(size), encoding="ascii")
    temporary.replace(path)


def _size(url: str, indexes: Indexes) -> int:
    failure: Exception = OSError()
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(2**attempt / 4)
        try:
            return _ask(url, "HEAD", indexes) or _ask(url, "GET", indexes) or _untold(url)
        except urllib.error.HTTPError as error:
            if error.code not in (408, 425, 429) and error.code < 500:
                raise _unknown(url, f"{error.code} {error.reason}") from error
            failure = error
        except (OSError, http.client.HTTPException) as error:
            failure = error
    raise _unknown(url, str(getattr(failure, "reason", failure))) from failure


def _ask(url: str, method: str, indexes: Indexes) -> int | None:
    headers = {"User-Agent": "bic", "Accept-Encoding": "identity"}
    request = urllib.request.Request(without_credentials(url), method=method, headers=headers)
    if authorization := indexes.authorization(url):
        # Not handed on by a redirect: the wheel may lie with somebody else.
        request.add_unredirected_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            length = response.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        if method == "HEAD" and error.code in (403, 404, 405, 501):
            return None
        raise
    return int(length) if length is not None and length.isdecimal() else None


def _untold(url: str) -> int:
    raise _unknown(url, "the server does not tell")


def _unknown(url: str, reason: str) -> WorkFailed:
    return WorkFailed(f"the size of `{without_credentials(url)}` cannot be found out: {reason}")
