"""A real build in a store of its own: from scratch, add, run a step, commit, remove. No network.

The store is given by flags on every call. Neither `CONTAINERS_STORAGE_CONF` nor its `graphroot` is enough: a
rootless buildah 1.28.2 ignores `graphroot` and `runroot` of that file and works in the user's own store
(measured; podman#10762), so nothing is written before buildah itself has confirmed where its store is.

What stays behind: in chroot isolation a rootless buildah starts itself again with an empty environment, and
that process makes two empty folders, `/tmp/containers-user-UID` and `/tmp/podman-run-UID` (measured). They
belong to all builds of the user, of which another may be running, so they are left.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from bic.engine.doctor.machine import Host
from bic.errors import HostLacking
from bic.process import Completed

HOSTNAME = "bic"
ISOLATION = "chroot"
"""Of all steps: it works nested and unprivileged, and is the same on every host."""
LIBRARY = re.compile(r"(/\S+)(?: \(0x[0-9a-f]+\))$", re.MULTILINE)
READS = ("/proc/net/dev", "/proc/sys/kernel/hostname")


@frozen
class Trial:
    """A container store in a folder, and how to call buildah on it."""

    host: Host
    folder: Path
    driver: str

    def buildah(self, *argv: str, before: tuple[str, ...] = ()) -> Completed:
        """A buildah command on this store; `before` is put in front (as `unshare -n`)."""
        return self.host.call(*before, "buildah", *self.flags, *argv, **self.variables)

    @property
    def flags(self) -> tuple[str, ...]:
        options = ("--storage-opt", f"overlay.mount_program={self.host.which('fuse-overlayfs')}")
        driver = "overlay" if self.driver == "fuse-overlayfs" else self.driver
        place = (
            "--root",
            f"{self.folder}/root",
            "--runroot",
            f"{self.folder}/run",
            "--storage-driver",
            driver,
        )
        return place + (options if self.driver == "fuse-overlayfs" else ())

    @property
    def variables(self) -> dict[str, str]:
        """buildah writes `$HOME/.config/cni` and a runtime folder as well: both go into the folder."""
        return {
            "HOME": f"{self.folder}/home",
            "XDG_RUNTIME_DIR": f"{self.folder}/runtime",
            "TMPDIR": str(self.folder),
        }

    def is_apart(self) -> bool:
        """Whether buildah says that its store is the temporary one, and not the user's."""
        done = self.buildah("info")
        try:
            store = json.loads(done.stdout)["store"]
        except (ValueError, KeyError):
            return False
        return bool(store["GraphRoot"] == f"{self.folder}/root" and store["RunRoot"] == f"{self.folder}/run")


@contextmanager
def trial(host: Host, folder: Path, driver: str) -> Iterator[Trial]:
    """A trial in a folder that is emptied afterwards; raises `HostLacking` where the store is not apart."""
    for name in ("home", "runtime"):
        (folder / name).mkdir(mode=0o700)
    attempt = Trial(host, folder, driver)
    try:
        if not attempt.is_apart():
            said = attempt.buildah("info").stderr_tail
            raise HostLacking(f"buildah does not open a container store of its own: {last_line(said)}")
        yield attempt
    finally:
        _empty(attempt)


def _empty(attempt: Trial) -> None:
    # Files in a rootless store belong to ids of the namespace, so only the namespace can remove them.
    entries = sorted(str(entry) for entry in attempt.folder.iterdir())
    if entries:
        attempt.host.inside("rm", "-rf", "--", *entries)
    for entry in attempt.folder.iterdir():
        shutil.rmtree(entry, ignore_errors=True)


def reader(host: Host, rootfs: Path) -> tuple[str, ...] | None:
    """Put a program that prints files into an empty root: a static busybox, or cat with its libraries.

    Its argv, or None where the host has neither.
    """
    for program, words in (("busybox", ("cat",)), ("cat", ())):
        found = host.which(program)
        if found is not None and (libraries := _libraries(host, found)) is not None:
            for file in (found, *libraries):
                target = rootfs / file.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
            return (found, *words)
    return None


def _libraries(host: Host, program: str) -> tuple[str, ...] | None:
    """What ldd(1) says a program needs; nothing for a static one, None where it cannot be told."""
    done = host.call("ldd", program)
    said = done.stdout.decode(errors="replace")
    if done.returncode == 0 and "statically linked" not in said:
        return tuple(LIBRARY.findall(said))
    return () if "not a dynamic executable" in done.tail or "statically linked" in said else None


def last_line(text: str) -> str:
    """The last line that says something: mount(8) ends with a hint at dmesg, which does not."""
    lines = [line.strip() for line in text.splitlines() if "dmesg(1)" not in line]
    return next((line for line in reversed(lines) if line and line != "Error: exit status 1"), "no message")


def make_container(attempt: Trial, rootfs: Path) -> str:
    """A working container from scratch with the files of `rootfs`; raises `HostLacking`."""
    created = attempt.buildah("from", "--name", "bic-doctor", "scratch")
    added = (
        attempt.buildah("add", "--quiet", "bic-doctor", str(rootfs), "/")
        if created.returncode == 0
        else created
    )
    if added.returncode != 0:
        raise HostLacking(f"buildah does not make a container: {last_line(added.stderr_tail)}")
    return "bic-doctor"


def step(
    attempt: Trial,
    container: str,
    argv: tuple[str, ...],
    before: tuple[str, ...] = (),
) -> Completed:
    """Run a step that prints its network interfaces and then its host name."""
    flags = ("--isolation", ISOLATION, "--hostname", HOSTNAME)
    return attempt.buildah("run", *flags, container, "--", *argv, *READS, before=before)
