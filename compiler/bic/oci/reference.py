"""Fully qualified image references, by the grammar of distribution/reference.

Stricter than that grammar in what it leaves to whoever connects: short names, ports above 65535 and brackets
without an IPv6 address in them are refused here.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve, field, frozen

from bic.errors import Malformed
from bic.oci.digest import Digest
from bic.oci.refusal import quote

MAX_NAME = 255
"""Characters of a domain, and of a path."""

MAX_TEXT = 2 * MAX_NAME + 1 + 1 + 128 + 1 + 7 + 128

HUB: Final = "docker.io"
_HUB_LEGACY: Final = "index.docker.io"

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[(?P<ipv6>[a-fA-F0-9:]+)\])(?::(?P<port>[0-9]+))?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


def _text(part: str | Digest | None) -> str:
    return "" if part is None else str(part)


@frozen(order=True)
class Reference:
    """A repository in a registry and, where given, a tag and a digest in it."""

    domain: str
    path: str
    tag: str | None = field(default=None, order=_text)
    digest: Digest | None = field(default=None, order=_text)

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference written as `DOMAIN/PATH[:TAG][@DIGEST]`; raises `Malformed`.

        Short names are refused, with their full form as the hint. On Docker Hub the domain becomes
        `docker.io` and a path of one component gets its `library/`.
        """
        _check_whole(text)
        domain, rest = _split_domain(text)
        if domain is None:
            raise _short_name(text)
        return _assemble(domain, rest, text)

    def __str__(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """Domain and path."""
        return f"{self.domain}/{self.path}"

    @property
    def repository(self) -> str:
        """The path alone, as the registry itself calls it."""
        return self.path

    def with_tag(self, tag: str | None) -> Reference:
        """The same with another tag, or with none; raises `Malformed`."""
        if tag is not None:
            _check_tag(tag)
        return evolve(self, tag=tag)

    def with_digest(self, digest: Digest | None) -> Reference:
        """The same with another digest, or with none; a tag stays."""
        return evolve(self, digest=digest)


def _assemble(domain: str, rest: str, text: str) -> Reference:
    head, at, digest = rest.partition("@")
    path, colon, tag = head.partition(":")
    _check_domain(domain)
    if domain == HUB and "/" not in path:
        path = f"library/{path}" if path else path
    _check_path(path, text)
    if colon:
        _check_tag(tag)
    return Reference(domain, path, tag if colon else None, Digest.parse(digest) if at else None)


def _check_whole(text: str) -> None:
    if not text:
        raise Malformed("a reference is empty: ``", "write it as `docker.io/library/python:3.12`")
    if len(text) > MAX_TEXT:
        raise Malformed(f"a reference is longer than {MAX_TEXT} characters: {quote(text)}")
    if scheme := _SCHEME.match(text):
        raise Malformed(f"a reference is no URL: {quote(text)}", f"leave out `{scheme[0]}`")
    if _IMAGE_ID.fullmatch(text):
        raise Malformed(
            f"an image id names no repository: {quote(text)}", "write it as `docker.io/library/NAME@sha256:…`"
        )


def _split_domain(text: str) -> tuple[str | None, str]:
    """What Docker takes for a domain: with a dot, a colon or an upper-case letter in it, or `localhost`."""
    head, slash, rest = text.partition("/")
    if not slash or "@" in head:
        return None, text
    if head == "localhost" or "." in head or ":" in head or head.lower() != head:
        return (HUB if head == _HUB_LEGACY else head), rest
    return None, text


def _short_name(text: str) -> Malformed:
    """The refusal of a name without a domain; what else is wrong with it comes first."""
    whole = _assemble(HUB, text, text)
    return Malformed(f"a reference names no registry: {quote(text)}", f"write it as `{whole}`")


def _check_domain(domain: str) -> None:
    found = _DOMAIN.fullmatch(domain) if len(domain) <= MAX_NAME else None
    if found is None:
        raise Malformed(f"a reference has an invalid domain: {quote(domain)}")
    port, ipv6 = found["port"], found["ipv6"]
    if port is not None and (len(port) > 5 or int(port) > 65535):
        raise Malformed(f"a reference's port is larger than 65535: {quote(domain)}")
    if ipv6 is not None and not _is_ipv6(ipv6):
        raise Malformed(f"a reference's domain is no IPv6 address: {quote(domain)}")


def _is_ipv6(text: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _check_path(path: str, text: str) -> None:
    if not path:
        raise Malformed(f"a reference names no repository: {quote(text)}")
    if len(path) > MAX_NAME:
        raise Malformed(f"a repository's path is longer than {MAX_NAME} characters: {quote(path)}")
    for component in path.split("/"):
        if not _COMPONENT.fullmatch(component):
            raise _bad_component(component, text)


def _bad_component(component: str, text: str) -> Malformed:
    if not component:
        return Malformed(f"a repository's path has an empty component: {quote(text)}")
    if _COMPONENT.fullmatch(component.lower()):
        hint = f"write it as `{component.lower()}`"
        return Malformed(f"a repository's path is not in lower case: {quote(component)}", hint)
    return Malformed(f"a repository's path has an invalid component: {quote(component)}")


def _check_tag(tag: str) -> None:
    if not _TAG.fullmatch(tag):
        hint = (
            "a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and begins with a letter, a digit or `_`"
        )
        raise Malformed(f"a reference has an invalid tag: {quote(tag)}", hint)
