"""Which Python a `pip` step installs for, from what is known of the image: nothing of it is run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import field, frozen

from bic.errors import InputInvalid, Malformed
from bic.lock.pip.libc import Files, libc
from bic.lock.pip.model import Target
from bic.oci.platform import Platform
from bic.oci.refusal import quote

SEARCH_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for in an image that sets no PATH."""

LONGEST_CHAIN: Final = 40
"""Links that are followed, as Linux does."""

_NAMED: Final = re.compile(r"python(3\.\d+)")
_PACKAGE: Final = re.compile(r"(?:lib)?python(3\.\d+)(?:-minimal|-stdlib)?")
_VERSION: Final = re.compile(r"(?:\d+:)?(3\.\d+)(\.\d+)?")
_CONFIGURED: Final = re.compile(r"^version(?:_info)?\s*=\s*(3\.\d+(?:\.\d+)?)", re.MULTILINE)
_SYSTEM: Final = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
_PLAIN: Final = ("python3-minimal", "python3", "python")


def find(
    python: str, files: Files, packages: Mapping[str, str], env: Mapping[str, str], platform: Platform
) -> Target:
    """The target of a step that runs `python`, in an image with these files, packages and environment.

    The version comes from the first that tells: the program's name; the name that its links lead to, looked
    for in the order of PATH; the virtual environment that it is in; PYTHON_VERSION for one below /usr/local;
    the installed packages. The patch is added where another of them knows it. `InputInvalid` where none does.
    """
    image = _Image(files, packages, env)
    version = image.version(python)
    if version is None:
        hint = 'name the version, as in `python = "python3.11"`, or install the Python that the step runs'
        raise InputInvalid(
            f"the version of {quote(python)} in the image for `{platform}` is not known", hint=hint
        )
    try:
        return Target(version, libc(files, packages, platform), platform)
    except Malformed as error:
        raise InputInvalid(error.message, hint=error.hint) from error


@frozen
class _Image:
    """What is known of an image."""

    files: Files
    packages: Mapping[str, str] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)

    def version(self, python: str) -> str | None:
        chain = self._chain(python)
        named = (
            match[1] for path in (python, *chain) if (match := _NAMED.fullmatch(posixpath.basename(path)))
        )
        minor = next(named, None)
        known = list(self._told(chain or [python], minor))
        if minor is None:
            return known[0] if known else None
        return next((each for each in known if _minor(each) == minor and each != minor), minor)

    def _told(self, chain: list[str], minor: str | None) -> Iterator[str]:
        """What places around the program tell of its version, the surest first."""
        yield from filter(None, map(self._of_environment, chain))
        last = chain[-1]
        if last.startswith("/usr/local/") and (match := _VERSION.match(self.env.get("PYTHON_VERSION", ""))):
            yield match[0]
        if "/" not in last or posixpath.dirname(last) in _SYSTEM:
            yield from self._of_packages(minor)

    def _of_environment(self, path: str) -> str | None:
        config = self.files.read(posixpath.join(posixpath.dirname(posixpath.dirname(path)), "pyvenv.cfg"))
        match = _CONFIGURED.search(config.decode(errors="replace")) if config is not None else None
        return match[1] if match else None

    def _of_packages(self, minor: str | None) -> Iterator[str]:
        """The version of the distribution's `python3`; without it, the only one that is installed."""
        plain = [_VERSION.match(self.packages[name]) for name in _PLAIN if name in self.packages]
        full = dict(_numbered(self.packages))
        versions = {match[1]: match[1] + (match[2] or "") for match in reversed(plain) if match}
        if minor is None:
            minor = next((match[1] for match in plain if match), None)
            minor = next(iter(full)) if minor is None and len(full) == 1 else minor
        if minor is not None and (found := full.get(minor) or versions.get(minor)):
            yield found

    def _chain(self, python: str) -> list[str]:
        """The program's path, and all that its links lead to; nothing where it is not there."""
        for path in self._places(python):
            chain = [path]
            while (link := self.files.link(chain[-1])) is not None and len(chain) <= LONGEST_CHAIN:
                chain.append(posixpath.normpath(posixpath.join(posixpath.dirname(chain[-1]), link)))
            if len(chain) > 1 or self.files.read(path) is not None:
                return chain
        return []

    def _places(self, python: str) -> Iterator[str]:
        if "/" in python:
            yield posixpath.normpath(python)
            return
        for folder in (self.env.get("PATH") or SEARCH_PATH).split(":"):
            yield posixpath.normpath(posixpath.join("/", folder, python))


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _numbered(packages: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(minor version, whole version) of packages such as `python3.11-minimal`."""
    for name in sorted(packages):
        match = _PACKAGE.fullmatch(name)
        told = _VERSION.match(packages[name])
        if match and told and told[1] == match[1]:
            yield match[1], told[0].split(":")[-1]
