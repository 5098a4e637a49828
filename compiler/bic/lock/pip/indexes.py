"""The package indexes that the user chose, by uv's variables or pip's; their credentials are never shown."""

from __future__ import annotations

import base64
import contextlib
import netrc
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

PASSED: Final = (
    "NETRC",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXCLUDE_NEWER",
    "UV_EXTRA_INDEX_URL",
    "UV_HTTP_RETRIES",
    "UV_HTTP_TIMEOUT",
    "UV_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_INDEX_URL",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_NATIVE_TLS",
    "UV_NO_CONFIG",
    "UV_OFFLINE",
    "UV_SYSTEM_CERTS",
)
_OF_A_NAME: Final = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")

TRANSLATED: Final = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", ("UV_INDEX_URL",)),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", ("UV_EXTRA_INDEX_URL",)),
    "PIP_TRUSTED_HOST": ("UV_INSECURE_HOST", ()),
}
"""pip's variables: uv's for the same, and others of uv's that also take precedence over pip's."""

_ADDRESS: Final = re.compile(r"(?:([^=:/]+)=)?([a-z]+://.*)")
_USERINFO: Final = re.compile(r"(?<=://)[^/?#\s]*@")


@frozen
class Indexes:
    """The variables that tell uv which indexes to ask and how."""

    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, host: Mapping[str, str]) -> Indexes:
        """Those of an environment; uv's own win over pip's."""
        chosen = {name: value for name, value in host.items() if value and _is_passed(name)}
        for name, (uv, others) in TRANSLATED.items():
            if host.get(name) and not any(each in chosen for each in (uv, *others)):
                chosen[uv] = " ".join(host[name].split())
        return cls(tuple(sorted(chosen.items())))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: the passwords in addresses and variables, encoded and plain."""
        found = {value for name, value in self.variables if name.endswith("_PASSWORD")}
        for _, parts in self._addresses():
            found |= {each for each in (parts.password or parts.username,) if each}
        return tuple(sorted(found | {unquote(each) for each in found}))

    def authorization(self, url: str) -> str | None:
        """The header for an address on the host of one of the indexes, or of netrc; None without."""
        wanted = urlsplit(url)
        for name, parts in (("", wanted), *self._addresses()):
            user, password = self._credentials(name, parts)
            if (user or password) and _place(parts) == _place(wanted):
                return _basic(user, password)
        return self._of_netrc(wanted.hostname or "")

    def _addresses(self) -> Iterator[tuple[str, SplitResult]]:
        """The name ("" without one; uv writes `NAME=ADDRESS`) and the address of each index."""
        words = (word for name, value in self.variables if "INDEX" in name for word in value.split())
        for match in filter(None, map(_ADDRESS.fullmatch, words)):
            # An address that is none is uv's to refuse.
            with contextlib.suppress(ValueError):
                yield match[1] or "", urlsplit(match[2])

    def _credentials(self, name: str, parts: SplitResult) -> tuple[str, str]:
        variable = f"UV_INDEX_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"
        known = dict(self.variables)
        user = unquote(parts.username or "") or known.get(f"{variable}_USERNAME", "")
        return user, unquote(parts.password or "") or known.get(f"{variable}_PASSWORD", "")

    def _of_netrc(self, host: str) -> str | None:
        # The file of another, or a broken one, is no reason to fail: the server says what it wants.
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            known = netrc.netrc(dict(self.variables).get("NETRC")).authenticators(host)
            if known is not None:
                return _basic(known[0], known[2])
        return None


def _is_passed(name: str) -> bool:
    return name in PASSED or _OF_A_NAME.fullmatch(name) is not None


def _place(parts: SplitResult) -> tuple[str, str]:
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def without_credentials(url: str) -> str:
    """The address as a lock may hold it: no user, no password, no fragment."""
    return _USERINFO.sub("", url.partition("#")[0], count=1)


def masked(text: str) -> str:
    """A text for people: the user and password of every address in it replaced."""
    return _USERINFO.sub("***@", text)
