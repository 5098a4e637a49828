"""The files of the workspace that a spec uses, scrubbed: names, content, and 0644 or 0755.

Owner, exact mode, times and extended attributes of a checkout differ from host to host and never reach
an image. What .bicignore matches is not seen.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from bic.errors import Fault, InputInvalid, Span
from bic.oci.digest import Digest
from bic.spec.model import Copy, File, Options, Pip, Spec, Step
from bic.spec.near import did_you_mean
from bic.spec.workspace import Workspace

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".bicignore"


@frozen
class InputKey:
    """A path of the workspace as one step uses it."""

    source: str
    exclude: tuple[str, ...] = ()


@frozen
class InputEntry:
    """One file, directory or symbolic link; `path` is relative to the source, "" for the source itself."""

    path: str
    type: str
    executable: bool = False
    digest: Digest | None = None
    target: str | None = None


Inputs = dict[InputKey, tuple[InputEntry, ...]]
"""What each used path holds, entries sorted by path."""


def scan(workspace: Workspace, specs: Iterable[Spec]) -> Inputs:
    """Read all inputs of the specs; everything that is missing or unreadable is reported at once."""
    found: Inputs = {}
    faults: list[Fault] = []
    for spec in specs:
        for key, span in used(spec):
            if key in found:
                continue
            try:
                found[key] = tuple(_entries(workspace, key))
            except _Unusable as wrong:
                faults.append(Fault(wrong.message, span, wrong.hint))
                found[key] = ()
    if faults:
        raise InputInvalid(*faults)
    return found


def used(spec: Spec) -> Iterator[tuple[InputKey, Span]]:
    """Every path of the workspace that a spec's steps name."""
    for step in [*spec.steps, *(each for stage in spec.stages for each in stage.steps)]:
        for key in _used_by(step):
            yield key, step.span


def _used_by(step: Step) -> Iterator[InputKey]:
    match step.kind:
        case Copy(origin=origin) if origin.kind == "workspace":
            yield copy_key(step.kind)
        case File(source=str(source)):
            yield InputKey(source)
        case Pip(requirements=str(source)):
            yield InputKey(source)
        case _:
            pass
    yield from (InputKey(source) for source in bind_sources(step.options))


def copy_key(copy: Copy) -> InputKey:
    return InputKey(os.path.normpath(copy.source), copy.exclude)


def bind_sources(options: Options) -> Iterator[str]:
    return (source for _, source in options.bind)


class _Unusable(Exception):
    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def _entries(workspace: Workspace, key: InputKey) -> Iterator[InputEntry]:
    path = workspace.root / key.source
    _check_inside(workspace, path, key.source)
    ignored = _ignored(workspace.root)
    # A slash at the end says nothing more here: stages are matched by a shell, which would not know it.
    excluded = _patterns(tuple(each.rstrip("/") for each in key.exclude))
    if not path.is_dir():
        yield _entry(path.resolve(), "", key.source)
        return
    yield InputEntry("", "directory")

    def whole(name: str) -> str:
        return name if key.source == "." else f"{key.source}/{name}"

    def skipped(name: str) -> bool:
        return _matches(ignored, whole(name), path / name) or _matches(excluded, name, path / name)

    for name in _walk(path, "", skipped):
        yield _entry(path / name, name, whole(name))


def _check_inside(workspace: Workspace, path: Path, source: str) -> None:
    try:
        resolved = path.resolve(strict=True)
    except FileNotFoundError as error:
        there = sorted(each.name for each in path.parent.iterdir()) if path.parent.is_dir() else []
        raise _Unusable(
            f"no such file in the workspace: `{source}`", did_you_mean(path.name, there)
        ) from error
    except (OSError, RuntimeError) as error:
        raise _Unusable(f"cannot read `{source}`: {_reason(error)}") from error
    if not resolved.is_relative_to(workspace.root):
        raise _Unusable(
            f"a symbolic link leads out of the workspace: `{source}`", "copy the file into the workspace"
        )


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the symbolic links form a loop"


def _walk(folder: Path, prefix: str, skipped: Callable[[str], bool]) -> Iterator[str]:
    """Names below `folder`, parents before children, sorted; links are not followed, nor skipped folders."""
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError as error:
        raise _Unusable(f"cannot read `{folder.name}`: {_reason(error)}") from error
    for entry in entries:
        name = f"{prefix}{entry.name}"
        if skipped(name):
            continue
        _check_name(name)
        yield name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{name}/", skipped)


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise _Unusable(
            f"the name of a file is not UTF-8: `{shown}`", "rename it, or leave it out"
        ) from error


def _entry(path: Path, name: str, whole: str) -> InputEntry:
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return InputEntry(name, "symlink", target=str(path.readlink()))
        if stat.S_ISDIR(status.st_mode):
            return InputEntry(name, "directory")
        if stat.S_ISREG(status.st_mode):
            executable = bool(status.st_mode & stat.S_IXUSR)
            return InputEntry(name, "file", executable, _file_digest(path))
    except OSError as error:
        raise _Unusable(f"cannot read `{whole}`: {_reason(error)}") from error
    raise _Unusable(f"neither a file, a directory nor a symbolic link: `{whole}`")


def _file_digest(path: Path) -> Digest:
    with path.open("rb") as stream:
        return Digest("sha256", hashlib.file_digest(stream, "sha256").hexdigest())


def _matches(patterns: GitIgnoreSpec | None, name: str, path: Path) -> bool:
    if patterns is None:
        return False
    parts = name.split("/")
    parents = ("/".join(parts[:end]) + "/" for end in range(1, len(parts)))
    itself = f"{name}/" if path.is_dir() and not path.is_symlink() else name
    return any(patterns.match_file(each) for each in (*parents, itself))


@functools.lru_cache(maxsize=64)
def _patterns(lines: tuple[str, ...]) -> GitIgnoreSpec | None:
    if not lines:
        return None
    from pathspec import GitIgnoreSpec  # only where something is ignored: it costs 25 ms

    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error) as error:
        raise _Unusable(f"not a pattern of names: {error}", f"in `exclude` or in `{IGNORE_FILE}`") from error


def _ignored(root: Path) -> GitIgnoreSpec | None:
    path = root / IGNORE_FILE
    if not path.is_file():
        return None
    try:
        return _patterns(tuple(path.read_text(encoding="utf-8", errors="replace").splitlines()))
    except OSError as error:
        raise _Unusable(f"cannot read `{IGNORE_FILE}`: {_reason(error)}") from error
