"""How big a wheel is, where its index does not tell: asked of the server, the wheel itself is not fetched.

Effects: HTTP requests, with the credentials of the index on the same host.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

from bic.errors import WorkFailed
from bic.lock.pip.indexes import Indexes, without_credentials

ATTEMPTS: Final = 4
TIMEOUT_S: Final = 30

SizeOf = Callable[[str], int]
"""Gives the size in bytes of what lies at an address."""


def asking(indexes: Indexes) -> SizeOf:
    """Asks by HEAD, by GET without reading where the server knows no HEAD; raises `WorkFailed`."""
    return lambda url: _size(url, indexes)


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
