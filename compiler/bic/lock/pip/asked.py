"""What a step asks for, checked line by line: requirements of names and versions, and where to look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bic.errors import Fault, InputInvalid, Malformed, Position, Span
from bic.lock.pip.indexes import masked
from bic.lock.pip.model import Request, RequirementsFile
from bic.oci.refusal import quote

REFUSED: Final = {
    "-r": ("names another requirements file", "put its lines into this file"),
    "--requirement": ("names another requirements file", "put its lines into this file"),
    "-c": ("names a file of constraints", "give the versions here; the lock pins all others"),
    "--constraint": ("names a file of constraints", "give the versions here; the lock pins all others"),
    "-e": ("installs a source tree", "`copy` it, and install it in a `shell` step"),
    "--editable": ("installs a source tree", "`copy` it, and install it in a `shell` step"),
    "-f": ("names a place that only some machines know", "set UV_DEFAULT_INDEX or UV_INDEX"),
    "--find-links": ("names a place that only some machines know", "set UV_DEFAULT_INDEX or UV_INDEX"),
    "--no-index": ("leaves no index to ask", "leave it out: builds use no index anyway"),
    "--no-binary": ("asks for sources", "install the package in a `shell` step, which may compile"),
    "--trusted-host": ("weakens the checks of this machine", "set UV_INSECURE_HOST"),
}
"""Options that say what a lock cannot hold: why, and what to do instead."""

INDEXES: Final = {"-i": "--index-url", "--index-url": "--index-url", "--extra-index-url": "--extra-index-url"}
WITHOUT_EFFECT: Final = frozenset({"--only-binary", "--prefer-binary", "--require-hashes"})
"""Options that say what is done in any case."""

_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_OPTION: Final = re.compile(r"(--[a-z-]+|-[a-z])(?:[ =]?\s*(.*))?", re.DOTALL)
_HASH: Final = re.compile(r"--hash[ =]\s*(\S+)")
_FILE: Final = re.compile(r"[./~]|.*(://|\.whl$|\.tar\.gz$|\.zip$)")


@frozen
class Asked:
    """What is asked of uv: lines of requirements, options of indexes, whether pre-releases may be taken.

    `hashes` holds the sha256 that a requirements file allows, by normalised name.
    """

    lines: tuple[str, ...]
    hashes: tuple[tuple[str, frozenset[str]], ...] = ()
    prereleases: bool = False

    def allows(self, name: str, sha256: str) -> bool:
        """Whether a wheel of that content may be taken."""
        return sha256 in dict(self.hashes).get(name, (sha256,))


@frozen
class _Line:
    """One logical line: what uv is told of it, and what it says besides."""

    text: str | None = None
    name: str | None = None
    hashes: frozenset[str] = frozenset()
    prereleases: bool = False


def read(request: Request) -> Asked:
    """All of a request; `InputInvalid` tells every line that cannot be locked, and why."""
    faults: list[Fault] = []
    lines: list[_Line] = []
    for text, span in _texts(request):
        try:
            lines.append(_line(text, of_file=span is not None))
        except Malformed as error:
            excerpt = masked(text) if span is not None else None
            faults.append(Fault(error.message, span, error.hint, excerpt=excerpt))
    if faults:
        raise InputInvalid(*faults)
    return Asked(
        tuple(line.text for line in lines if line.text is not None),
        _hashes(lines),
        any(line.prereleases for line in lines),
    )


def _texts(request: Request) -> Iterator[tuple[str, Span | None]]:
    yield from ((text, None) for text in request.packages)
    if request.file is not None:
        yield from _logical(request.file)


def _logical(file: RequirementsFile) -> Iterator[tuple[str, Span]]:
    """The lines of a file, continued ones joined, without comments; each with where it begins."""
    held, start = "", 0
    for number, line in enumerate([*file.text.splitlines(), ""], 1):
        start = start or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            held += line[:-1]
            continue
        text = _COMMENT.sub("", held + line).strip()
        if text:
            end = Position(number, len(line) + 1)
            yield text, Span(file.name, Position(start, 1), end)
        held, start = "", 0


def _line(text: str, *, of_file: bool) -> _Line:
    if text.startswith("-"):
        return _option(text, of_file=of_file)
    bare, *_ = re.split(r"\s--?[a-z]", text, maxsplit=1)
    options = text[len(bare) :]
    hashes = _sha256(_HASH.findall(options))
    if left := _HASH.sub("", options).strip():
        raise Malformed(f"an option of a requirement that cannot be locked: {quote(masked(left))}")
    name = _requirement(bare.strip())
    return _Line(bare.strip(), name, hashes)


def _requirement(text: str) -> str:
    """The normalised name of a requirement; raises `Malformed` for what names a file or an address."""
    hint = "name a package of an index, or `fetch` the file and install it in a `shell` step"
    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        if _FILE.match(text):
            raise Malformed(f"a file or an address, and no package: {quote(masked(text))}", hint) from error
        raise Malformed(f"not a requirement: {quote(masked(text))}", "write it as `name==1.2.3`") from error
    if _FILE.match(parsed.name):
        raise Malformed(f"a file or an address, and no package: {quote(text)}", hint)
    if parsed.url is not None:
        raise Malformed(f"a package from an address cannot be locked: {quote(masked(text))}", hint)
    return canonicalize_name(parsed.name)


def _option(text: str, *, of_file: bool) -> _Line:
    parsed = _OPTION.match(text)
    name, value = (parsed[1], (parsed[2] or "").strip()) if parsed else (text, "")
    if not of_file:
        raise Malformed(f"an option, and no package: {quote(masked(text))}", "use a requirements file")
    if name in REFUSED:
        message, hint = REFUSED[name]
        raise Malformed(f"`{name}` {message}: {quote(masked(value))}", hint)
    if name in INDEXES:
        return _Line(f"{INDEXES[name]} {_index(name, value)}")
    if name != "--pre" and name not in WITHOUT_EFFECT:
        raise Malformed(f"an option that cannot be locked: {quote(masked(text))}")
    return _Line(prereleases=name == "--pre")


def _index(name: str, value: str) -> str:
    if "${" in value:
        hint = "leave it out and set UV_DEFAULT_INDEX or UV_INDEX"
        raise Malformed(f"`{name}` has a variable, which differs from host to host: {quote(value)}", hint)
    if len(value.split()) != 1 or not value.startswith(("http://", "https://")):
        raise Malformed(f"`{name}` has no address of an index: {quote(masked(value))}")
    return value


def _sha256(hashes: list[str]) -> frozenset[str]:
    kept = {each.removeprefix("sha256:").lower() for each in hashes if each.startswith("sha256:")}
    if hashes and not kept:
        raise Malformed(f"the hashes are not of sha256: {quote(hashes[0])}", "`--hash=sha256:…`")
    return frozenset(kept)


def _hashes(lines: list[_Line]) -> tuple[tuple[str, frozenset[str]], ...]:
    found: dict[str, frozenset[str]] = {}
    for line in lines:
        if line.name is not None and line.hashes:
            found[line.name] = found.get(line.name, frozenset()) | line.hashes
    return tuple(sorted(found.items()))
