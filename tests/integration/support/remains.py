"""What a build may not leave behind."""

from __future__ import annotations

import os
from pathlib import Path

from .workspace import Workspace


def remains(workspace: Workspace) -> list[str]:
    """Processes, mounts, working containers and folders of runs that are still there, in words."""
    folder = str(workspace.root)
    found = [f"process {pid}: {words}" for pid, words in processes() if folder in words]
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    # Plain buildah, which tests of exports use, has its store beside bic's and leaves mounts there.
    found += [line for line in mounts if folder in line and f"{folder}/.state/plain" not in line]
    found += [f"run {path}" for path in workspace.root.glob(".state/data/bic/runs/*")]
    found += [f"container {path}" for path in _containers(workspace)]
    return found


def processes() -> list[tuple[int, str]]:
    """All that run, by id: `words of the command line in folder`."""
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
