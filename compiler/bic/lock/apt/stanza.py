"""Stanzas of Debian's control files (deb822): what Packages, status and `apt-cache show` are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator

NAME = "Package"
INDEX_ONLY = ("Filename", "Size", "MD5sum", "SHA1", "SHA256", "SHA512", "Description-md5", "APT-Sources")
"""Fields that an index adds; dpkg's status has none of them."""


def stanzas(text: str) -> Iterator[str]:
    """The stanzas of a text, each without the empty lines around it."""
    return (each for each in re.split(r"\n\s*\n", text.strip("\n")) if each.strip())


def fields(stanza: str) -> dict[str, str]:
    """Names and values of a stanza; a continued value keeps its newlines."""
    found: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line[:1] in (" ", "\t") and name:
            found[name] += f"\n{line}"
        elif ":" in line:
            name, _, value = line.partition(":")
            found[name] = value.strip()
    return found


def text(values: dict[str, str]) -> str:
    """The stanza of the fields, in their order."""
    return "".join(f"{name}: {value}\n" for name, value in values.items())


def as_installed(stanza: str) -> str:
    """An index's stanza as dpkg's status has it once the package is installed."""
    values = {name: value for name, value in fields(stanza).items() if name not in INDEX_ONLY}
    package = values.pop(NAME)
    return text({NAME: package, "Status": "install ok installed", **values})


def installed(status: str) -> dict[str, str]:
    """Versions by name of what a status says is installed."""
    found = (fields(each) for each in stanzas(status))
    return {
        each[NAME]: each.get("Version", "")
        for each in found
        if NAME in each and each.get("Status", "").endswith(" installed")
    }


def merged(status: str, added: dict[str, str]) -> str:
    """The status after the packages of `added` (stanzas by name) took the place of their older selves."""
    kept = [each for each in stanzas(status) if fields(each).get(NAME) not in added]
    return "\n\n".join([*(each.strip("\n") for each in kept), *map(as_installed, added.values())]) + "\n"
