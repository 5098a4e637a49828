"""Where apt fetches from on a base: its sources, preferences and keyrings, never its configuration.

A base's apt.conf names programs that apt runs, on the host in this case: it is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from bic.errors import InputInvalid
from bic.lock.base.files import Files
from bic.spec import debian

STATUS = "/var/lib/dpkg/status"
SOURCES = "/etc/apt/sources.list"
DIRECTORIES = (
    "/etc/apt/sources.list.d",
    "/etc/apt/preferences.d",
    "/etc/apt/trusted.gpg.d",
    "/etc/apt/keyrings",
    "/usr/share/keyrings",
)
FILES = (SOURCES, "/etc/apt/preferences", "/etc/apt/trusted.gpg")

_SIGNED_BY = re.compile(r"(?i)(signed-by\s*[=:]\s*)(/[^\]\s]+)")
_SCHEME = re.compile(r"(?m)(?:^deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?|^(?i:URIs):\s*|^\s+)([a-z+]+):/")


@frozen
class Root:
    """What apt sees of a root file system: its files by path, dpkg's status, and whose keys it trusts.

    `host_keys` is set where the base has no keyrings yet: the host's are used then.
    """

    files: Mapping[str, bytes]
    status: str
    host_keys: bool = False


def of_image(files: Files) -> Root:
    """The root of a base image; raises `InputInvalid` where dpkg or apt have never been."""
    status = files.read(STATUS)
    if status is None:
        raise InputInvalid(f"the base has no `{STATUS}`: its packages cannot be told")
    found = {path: content for path in FILES if (content := files.read(path)) is not None}
    for directory in DIRECTORIES:
        for name in files.names(directory):
            path = f"{directory}/{name}"
            content = files.read(path)
            if content is not None:
                found[path] = content
    return Root(found, status.decode("utf-8", "replace"))


def of_bootstrap(suite: str, components: tuple[str, ...], mirror: str | None) -> Root:
    """The root in which a bootstrap begins: nothing is installed."""
    return Root({SOURCES: debian.sources(suite, components, mirror).encode()}, "", host_keys=True)


def is_source(path: str) -> bool:
    return path == SOURCES or (
        path.startswith("/etc/apt/sources.list.d/") and path.endswith((".list", ".sources"))
    )


def relocated(text: str, root: str) -> str:
    """Sources whose keyrings lie below `root`; raises `InputInvalid` for what is no http address."""
    for scheme in _SCHEME.findall(_uncommented(text)):
        if scheme not in ("http", "https"):
            raise InputInvalid(f"bic resolves packages of http and https archives, not of `{scheme}:`")
    return _SIGNED_BY.sub(lambda found: f"{found[1]}{root}{found[2]}", text)


def _uncommented(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
