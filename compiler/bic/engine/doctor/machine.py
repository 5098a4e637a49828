"""`Host`: the only way to the machine, as files below a root, an environment, and programs.

So every probe is tested with a folder of files and small real programs on PATH. Reads the machine; whatever
it is asked to start is started by `bic.process`.
"""

from __future__ import annotations

import os
import platform
import pwd
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from bic.errors import HostLacking
from bic.process import Command, Completed, TimedOut, environment, run

CAP_SETFCAP = 31
CAP_SYS_ADMIN = 21

PATIENCE_S = 20.0
"""No probe takes that long on a machine that works; one that hangs is a failure like any other."""


@frozen
class Mount:
    """A line of `/proc/self/mountinfo` (proc(5)), as far as the probes look at it."""

    at: str
    kind: str
    options: frozenset[str]


@frozen(slots=False, eq=False)
class Host:
    """A machine as one user sees it; `root` is `/` except in tests. Paths are as the machine names them."""

    root: Path
    env: Mapping[str, str]
    uid: int
    gid: int
    user: str
    home: str
    kernel: str
    machine: str

    @classmethod
    def here(cls, env: Mapping[str, str] | None = None) -> Host:
        """The machine and user that this process runs on.

        `env` is the whole environment, which tells CI systems apart; without it, what commands see.
        """
        env = environment() if env is None else env
        uid = os.getuid()
        user, home = _account(uid)
        return cls(
            root=Path("/"),
            env=dict(env),
            uid=uid,
            gid=os.getgid(),
            user=user,
            home=env.get("HOME") or home,
            kernel=platform.release(),
            machine=platform.machine(),
        )

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """The text of a file, None where it cannot be read."""
        try:
            return self.path(path).read_text(errors="replace")
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """The number that a file such as a sysctl holds, None where there is none."""
        text = (self.read(path) or "").strip()
        return int(text) if re.fullmatch(r"-?\d+", text) else None

    def which(self, program: str) -> str | None:
        return shutil.which(program, path=self.env.get("PATH", os.defpath))

    def call(self, *argv: str, **env: str) -> Completed:
        """What a program did, never raising: a missing one is exit code 127, one that hangs 124."""
        assignments = {**environment(host=self.env), **env}
        command = Command(argv, env=tuple(sorted(assignments.items())), cwd="/")
        try:
            return run(command, check=False, timeout=PATIENCE_S)
        except HostLacking as error:
            return Completed(command, 127, b"", str(error), str(error), 0.0)
        except TimedOut as error:
            said = f"no answer within {PATIENCE_S:g} s\n{error.completed.stderr_tail}"
            return Completed(command, 124, b"", said, said, PATIENCE_S)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """What to put before a command so that it sees a build's namespaces.

        `buildah unshare` refuses real root, which has its own way to a private mount namespace.
        """
        return ("buildah", "unshare") if self.rootless else ("unshare", "--mount", "--propagation", "private")

    def inside(self, *argv: str) -> Completed:
        """What a program did in a build's namespaces."""
        return self.call_apart(*self.namespaces, *argv)

    def call_apart(self, *argv: str) -> Completed:
        """As `call`, with a runtime folder that is removed again: without one even `buildah --version` leaves
        folders of its own in the temporary folder (measured).
        """
        usual = self.env.get("TMPDIR") or tempfile.gettempdir()
        with tempfile.TemporaryDirectory("", "bic-doctor-", usual, ignore_cleanup_errors=True) as runtime:
            return self.call(*argv, XDG_RUNTIME_DIR=runtime)

    def status(self, key: str) -> str:
        """A field of `/proc/self/status`."""
        for line in (self.read("/proc/self/status") or "").splitlines():
            name, _, value = line.partition(":")
            if name == key:
                return value.strip()
        return ""

    def can(self, capability: int) -> bool:
        """Whether a capability is in the effective set (capabilities(7))."""
        return bool(int(self.status("CapEff") or "0", 16) >> capability & 1)

    @property
    def rootless(self) -> bool:
        """As buildah decides it: neither an ordinary user nor a root without CAP_SYS_ADMIN is root."""
        return self.uid != 0 or not self.can(CAP_SYS_ADMIN)

    @property
    def in_user_namespace(self) -> bool:
        """Whether ids are mapped: user_namespaces(7), the initial map is one line `0 0 4294967295`."""
        mapping = (self.read("/proc/self/uid_map") or "").split()
        return bool(mapping) and mapping != ["0", "0", "4294967295"]

    @property
    def in_container(self) -> bool:
        markers = ("/.dockerenv", "/run/.containerenv")
        named = self.env.get("container") or self.env.get("KUBERNETES_SERVICE_HOST")
        return bool(named) or any(self.path(marker).exists() for marker in markers)

    @property
    def store(self) -> str:
        """Where containers/storage keeps images when nobody says otherwise (containers-storage.conf(5))."""
        if not self.rootless:
            return "/var/lib/containers/storage"
        data = self.env.get("XDG_DATA_HOME") or f"{self.home}/.local/share"
        return f"{data}/containers/storage"

    def existing(self, path: str) -> str:
        """The path, or the nearest folder above it that is there."""
        at = Path(path)
        while not self.path(str(at)).exists() and at != at.parent:
            at = at.parent
        return str(at)

    def mounts(self) -> tuple[Mount, ...]:
        """The mounts of this process, in mount order."""
        lines = (self.read("/proc/self/mountinfo") or "").splitlines()
        return tuple(_mount(line) for line in lines if " - " in line)

    def mount_of(self, path: str) -> Mount | None:
        """The mount that a path lies on: the longest mount point above it, the last of equals."""
        over = [mount for mount in self.mounts() if _is_within(path, mount.at)]
        return max(enumerate(over), key=lambda item: (len(item[1].at), item[0]))[1] if over else None


def _account(uid: int) -> tuple[str, str]:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # OpenShift and `docker run --user` give ids without an account
        return str(uid), "/"
    return entry.pw_name, entry.pw_dir


def _mount(line: str) -> Mount:
    before, after = line.split(" - ", 1)
    fields = before.split(" ")
    at = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
    return Mount(at, after.split(" ")[0], frozenset(fields[5].split(",")))


def _is_within(path: str, folder: str) -> bool:
    return folder == "/" or path == folder or path.startswith(folder + "/")
