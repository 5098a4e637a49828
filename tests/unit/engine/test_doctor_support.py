"""A machine made of a folder of files and small real programs, for the tests of the doctor."""

from __future__ import annotations

from pathlib import Path

from bic.engine.doctor.finding import Finding, Probe
from bic.engine.doctor.machine import Host
from bic.engine.doctor.subject import Subject

FULL_CAPABILITIES = "000001ffffffffff"
IDENTITY_MAP = "         0          0 4294967295\n"
ROOT_ON_EXT4 = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"

AARCH64 = """\
enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: PF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""


class Machine:
    """Builds a `Host` below a temporary folder; all programs that it has are those that a test gives it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.bin = folder / "bin"
        self.env: dict[str, str] = {"PATH": f"{self.bin}", "TMPDIR": str(folder)}
        self.bin.mkdir()
        self.uid = 1000
        self.machine = "x86_64"
        self.kernel = "6.1.0-18-amd64"
        self.file("/proc/self/status", "NoNewPrivs:\t0\nCapEff:\t0000000000000000\n")
        self.file("/proc/self/uid_map", IDENTITY_MAP)
        self.file("/proc/self/mountinfo", ROOT_ON_EXT4)
        self.file("/etc/subuid", "alice:100000:65536\n")
        self.file("/etc/subgid", "alice:100000:65536\n")

    def file(self, path: str, text: str) -> Path:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def program(self, name: str, script: str = "exit 0", mode: int = 0o755) -> Path:
        target = self.bin / name
        target.write_text(f"#!/bin/sh\nPATH={self.bin}:/usr/bin:/bin\n{script}\n")
        target.chmod(mode)
        return target

    def working(self) -> Machine:
        """Give it a buildah and an unshare that start what they are told to, and tools to map ids."""
        self.program("buildah", '[ "$1" = unshare ] && shift && exec "$@"\necho "buildah version 1.33.7"')
        self.program("unshare", "exit 0")
        for name in ("newuidmap", "newgidmap"):
            self.program(name, mode=0o4755)
        return self

    def host(self) -> Host:
        root = self.uid == 0
        return Host(
            root=self.root,
            env=self.env,
            uid=self.uid,
            gid=self.uid,
            user="root" if root else "alice",
            home="/root" if root else "/home/alice",
            kernel=self.kernel,
            machine=self.machine,
        )

    def finding(self, probe: Probe, *platforms: str) -> Finding | None:
        return probe(Subject(self.host(), platforms=platforms))

    def severity(self, probe: Probe, *platforms: str) -> str | None:
        finding = self.finding(probe, *platforms)
        return None if finding is None else finding.severity
