"""What a build may not leave behind."""

from __future__ import annotations

import os
from pathlib import Path

from .workspace import Workspace


def remains(workspace: Workspace) -> list[str]:
    """Processes, mounts, working containers and folders of runs that are still there, in words."""
    folder = str(workspace.root)
    found = [f"process {pid}: {words}" for pid, words in _processes() if folder in words]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if folder in line]
    found += [f"run {path}" for path in workspace.root.glob(".state/data/bic/runs/*")]
    found += [f"container {path}" for path in _containers(workspace)]
    return found


def _processes() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = os.readlink(path / "cwd")  # noqa: PTH115
        except OSError:
            continue
        found.append((int(path.name), f"{words} in {where}"))
    return found


def _containers(workspace: Workspace) -> list[Path]:
    """Working containers have a folder each beside the container store's list of them."""
    stores = workspace.root.glob(".state/data/bic/storage-*/*-containers")
    return [path for store in stores for path in store.iterdir() if path.is_dir()]
