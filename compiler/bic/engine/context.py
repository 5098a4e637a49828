"""The context directory on disk: files of the workspace and of the spec, with exact names and modes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from bic.errors import WorkFailed
from bic.ir.definition import Definition
from bic.ir.op import Bootstrap, Download, Entry, Inline, Local
from bic.lower.context import entry_name
from bic.oci.digest import Digest

PREFIX = "file-"


def stage(definitions: Iterable[Definition], root: Path, context: Path, *, prune: bool = True) -> None:
    """Put every local and inline content of the definitions into `context`; `prune` drops all others."""
    context.mkdir(parents=True, exist_ok=True)
    wanted: set[str] = set()
    for definition in definitions:
        for vertex in definition.vertices:
            if isinstance(vertex.op, Local | Inline):
                wanted.add(entry_name(vertex.op))
                _stage(vertex.op, root, context)
    for path in context.iterdir() if prune else ():
        if path.name.startswith(PREFIX) and path.name not in wanted:
            _remove(path)


def forget(definition: Definition, context: Path) -> None:
    """Remove what was bootstrapped or downloaded for a definition, so that it is fetched anew."""
    for vertex in definition.vertices:
        if isinstance(vertex.op, Bootstrap | Download):
            _remove(context / entry_name(vertex.op))


def _stage(op: Local | Inline, root: Path, context: Path) -> None:
    target = context / entry_name(op)
    if target.exists():
        return
    temporary = context / f".{target.name}.{os.getpid()}"
    _remove(temporary)
    match op:
        case Inline(content=content, mode=mode):
            temporary.write_text(content, encoding="utf-8", newline="")
            temporary.chmod(int(mode, 8))
        case Local(entries=entries):
            for entry in entries:
                _write(entry, root / op.source, temporary)
    if target.exists():
        _remove(temporary)
        return
    temporary.rename(target)


def _write(entry: Entry, source: Path, target: Path) -> None:
    path = target / entry.path if entry.path else target
    origin = source / entry.path if entry.path else source
    if entry.type == "directory":
        path.mkdir(parents=True)
        path.chmod(0o755)
    elif entry.type == "symlink":
        path.symlink_to(entry.target or "")
    else:
        shutil.copyfile(origin, path)
        path.chmod(int(entry.mode, 8))
        _check(path, origin, entry.digest)


def _check(path: Path, origin: Path, digest: Digest | None) -> None:
    if digest is not None and Digest.of(path.read_bytes()) != digest:
        raise WorkFailed(f"`{origin}` changed while it was read", hint="run the command again")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
