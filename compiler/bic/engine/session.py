"""One run of the engine: its lease, its view of the container store, and what dead runs left behind.

A run holds a lock on a file of its own folder for as long as it lives, so that the next run can tell a
dead one's folder and working containers from a living one's. Each run has a run root of its own: it
lives in a mount namespace of its own, and mounts noted by another would not be there.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets as random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attrs import frozen

from bic.engine.places import Places
from bic.process import Cancel, Command, run

PREFIX = "bic-"


@frozen
class Session:
    """`unique` names what this run makes; `work` is a folder that ends with it."""

    unique: str
    work: Path
    env: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    cancel: Cancel

    def command(self, *words: str, secrets: tuple[str, ...] = ()) -> Command:
        """A command of a script, its buildah working in the engine's own store."""
        if "buildah" in words[:4]:
            at = words.index("buildah") + 1
            words = (*words[:at], *self.options, *words[at:])
        return Command(words, self.env, secrets=secrets)


@contextmanager
def session(places: Places, driver: str, cancel: Cancel) -> Iterator[Session]:
    """A run with a store of the given driver; clears away what dead runs left, and itself at the end."""
    places.runs.mkdir(parents=True, exist_ok=True)
    unique = f"{PREFIX}{os.getpid()}-{random.token_hex(4)}"
    work = places.runs / unique
    work.mkdir(mode=0o700)
    with (work / "lease").open("w") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        options = _options(work, places.storage(driver), driver)
        opened = Session(unique, work, _environment(work), options, cancel)
        try:
            clear_dead(places, opened)
            yield opened
        finally:
            remove_containers(opened, unique)
            shutil.rmtree(work, ignore_errors=True)


def _environment(work: Path) -> tuple[tuple[str, str], ...]:
    scratch = work / "tmp"
    scratch.mkdir()
    return (("STORAGE_DRIVER", ""), ("STORAGE_OPTS", ""), ("TMPDIR", str(scratch)))


def _options(work: Path, store: Path, driver: str) -> tuple[str, ...]:
    """The store by buildah's own options: a rootless buildah 1.28 ignores the paths of a storage.conf."""
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind = "overlay" if driver == "fuse-overlayfs" else driver
    options: tuple[str, ...] = (
        "--root",
        str(store),
        "--runroot",
        str(work / "run"),
        "--storage-driver",
        kind,
    )
    if driver == "fuse-overlayfs":
        program = shutil.which("fuse-overlayfs") or "fuse-overlayfs"
        options += ("--storage-opt", f"overlay.mount_program={program}")
    return options


def clear_dead(places: Places, current: Session) -> None:
    """Remove the containers, temporary images and folders of runs that ended without doing so."""
    dead = [folder for folder in places.runs.iterdir() if folder != current.work and not _is_alive(folder)]
    for folder in dead:
        remove_containers(current, folder.name)
        remove_images(current, folder.name)
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(folder: Path) -> bool:
    lease: IO[str]
    try:
        with (folder / "lease").open() as lease:
            fcntl.flock(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def remove_containers(current: Session, unique: str) -> None:
    """Remove the working containers that a run named after itself."""
    listed = _buildah(current, "containers", "--json")
    with suppress(ValueError):
        names = [each["containername"] for each in json.loads(listed or "null") or []]
        mine = [name for name in names if name.startswith(f"{unique}-")]
        if mine:
            _buildah(current, "rm", *mine)


def remove_images(current: Session, unique: str) -> None:
    listed = _buildah(current, "images", "--json")
    with suppress(ValueError):
        names = [name for each in json.loads(listed or "null") or [] for name in each.get("names") or []]
        mine = [name for name in names if name.startswith(f"localhost/bic/{unique}-")]
        if mine:
            _buildah(current, "rmi", *mine)


def _buildah(current: Session, *words: str) -> bytes:
    # Without the latch: clearing away must also work after an interruption.
    return run(current.command("buildah", *words), check=False, timeout=60).stdout
