"""Which foreign programs the kernel starts by itself: the handlers in binfmt_misc.

Source: the kernel's admin-guide/binfmt-misc; ELF header fields from elf(5); notes on rootless builds, section
6.
"""

from __future__ import annotations

from attrs import frozen

from bic.engine.doctor.machine import Host

FOLDER = "/proc/sys/fs/binfmt_misc"

ARCHITECTURES = {
    (1, 1, 3): "386",
    (1, 1, 40): "arm",
    (2, 1, 62): "amd64",
    (2, 1, 183): "arm64",
    (2, 1, 21): "ppc64le",
    (2, 1, 243): "riscv64",
    (2, 1, 258): "loong64",
    (2, 1, 8): "mips64le",
    (2, 2, 8): "mips64",
    (2, 2, 21): "ppc64",
    (2, 2, 22): "s390x",
}
"""(EI_CLASS, EI_DATA, e_machine) to the OCI architecture, which follows Go's GOARCH."""

MACHINES = {
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "i386": "386",
    "i686": "386",
    "loongarch64": "loong64",
    "x86_64": "amd64",
}
"""What uname calls a machine to the OCI architecture, where the names differ."""

QEMU_NAMES = {
    "386": "i386",
    "amd64": "x86_64",
    "arm64": "aarch64",
    "loong64": "loongarch64",
    "mips64le": "mips64el",
}
"""OCI architecture to qemu's name, where they differ."""


@frozen
class Handler:
    """One registration: what it is for, its interpreter, its flags (F: opened at registration), its state."""

    name: str
    architecture: str
    interpreter: str
    flags: str
    enabled: bool


def native(host: Host) -> str:
    """The OCI architecture of this machine."""
    return MACHINES.get(host.machine, host.machine)


def is_enabled(host: Host) -> bool:
    """Whether binfmt_misc is mounted and switched on."""
    return (host.read(f"{FOLDER}/status") or "").strip() == "enabled"


def handlers(host: Host) -> tuple[Handler, ...]:
    """All registrations for programs of a known architecture, sorted by name.

    Told by their magic, not by their name: Debian, systemd and tonistiigi/binfmt name them differently.
    """
    try:
        names = sorted(entry.name for entry in host.path(FOLDER).iterdir())
    except OSError:
        return ()
    texts = {
        name: host.read(f"{FOLDER}/{name}") or "" for name in names if name not in ("register", "status")
    }
    found = (_handler(name, text) for name, text in texts.items())
    return tuple(handler for handler in found if handler is not None)


def emulated(host: Host) -> frozenset[str]:
    """The foreign architectures whose programs run in any root file system: enabled, and with flag F."""
    if not is_enabled(host):
        return frozenset()
    works = {item.architecture for item in handlers(host) if item.enabled and "F" in item.flags}
    return frozenset(works - {native(host)})


def _handler(name: str, text: str) -> Handler | None:
    first, *lines = text.splitlines() or [""]
    fields = dict(line.split(maxsplit=1) for line in lines if len(line.split(maxsplit=1)) == 2)
    architecture = _architecture(fields.get("magic", ""))
    if architecture is None or fields.get("offset", "0") != "0":
        return None
    flags = fields.get("flags:", "")
    return Handler(name, architecture, fields.get("interpreter", ""), flags, first.strip() == "enabled")


def _architecture(magic: str) -> str | None:
    try:
        header = bytes.fromhex(magic)
    except ValueError:
        return None
    if len(header) < 20 or header[:4] != b"\x7fELF":
        return None
    machine = int.from_bytes(header[18:20], "little" if header[5] == 1 else "big")
    return ARCHITECTURES.get((header[4], header[5], machine))
