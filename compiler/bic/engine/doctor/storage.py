"""Storage (section 1)."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from bic.engine.doctor import ci
from bic.engine.doctor.finding import Finding, Probe, probe
from bic.engine.doctor.machine import Host
from bic.engine.doctor.subject import Subject
from bic.engine.doctor.trial import last_line
from bic.engine.doctor.userns import ranges

GIB = 1 << 30
NETWORKED = re.compile(r"9p|beegfs|ceph|cifs|fuse\.(ceph|glusterfs|sshfs)|gpfs|lustre|nfs4?|smb3|smbfs")
NATIVE_SINCE = (5, 13)


@probe(
    "st-nested",
    "S",
    symptom="`not supported over overlayfs`, EINVAL, or an empty root file system",
    evidence="buildah#1831, buildah#2084",
    needs=("ns-unshare", "id-range", "id-tools"),
)
def nested(this: Probe, subject: Subject) -> Finding | None:
    """The store does not lie on an overlay file system (a container's own root)."""
    mount = subject.host.mount_of(subject.store)
    if mount is None or mount.kind != "overlay":
        return this.ok(f"{subject.store} on {mount.kind if mount else 'an unknown file system'}")
    if subject.driver == "overlay":
        return this.ok("overlay on overlay, and a mount works all the same")
    return this.fails(f"{subject.store} is on an overlay", ci.setting(subject, "volume"))


@probe(
    "st-driver",
    "S",
    symptom="every layer is a full copy of all files: slow, and many times the space",
    evidence="arc#3022, wellCh4n/oops#95; measured",
    needs=("ns-unshare", "id-range", "id-tools"),
)
def driver(this: Probe, subject: Subject) -> Finding | None:
    """The storage driver that bic uses: native overlay, else fuse-overlayfs, else vfs."""
    chosen = subject.driver
    if chosen == "overlay":
        return this.ok("native overlay")
    reason = f"{chosen}, because a native overlay fails: {last_line(subject.overlay.stderr_tail)}"
    need: ci.Need = "fuse" if chosen == "vfs" and not _is_nested(subject) else "volume"
    return this.fails(reason, ci.setting(subject, need))


@probe(
    "st-kernel",
    "S",
    symptom="EINVAL or EPERM for an overlay mount in a user namespace",
    evidence="kernel 5.13 (5.11 without SELinux)",
    needs=("ns-unshare", "id-range", "id-tools"),
)
def kernel(this: Probe, subject: Subject) -> Finding | None:
    """The kernel mounts an overlay inside a user namespace."""
    host = subject.host
    if not host.rootless:
        return None
    version = tuple(int(part) for part in re.findall(r"\d+", host.kernel)[:2])
    if subject.overlay.returncode == 0 or version >= NATIVE_SINCE:
        return this.ok(f"kernel {host.kernel}")
    return this.fails(f"kernel {host.kernel}", "a kernel of 5.13 or later, and no `mount_program`")


@probe(
    "st-fuse",
    "S",
    symptom="`permission denied` on the device, or the mount program is missing",
    evidence="buildah#3120, podman#24831",
    needs=("ns-unshare", "id-range", "id-tools"),
)
def fuse(this: Probe, subject: Subject) -> Finding | None:
    """fuse-overlayfs works, where a native overlay does not."""
    if subject.overlay.returncode == 0:
        return None
    if subject.driver == "fuse-overlayfs":
        return this.ok("fuse-overlayfs")
    missing = [] if subject.host.which("fuse-overlayfs") else ["fuse-overlayfs is not installed"]
    device = subject.host.path("/dev/fuse")
    missing += [] if os.access(device, os.R_OK | os.W_OK) else ["/dev/fuse cannot be opened"]
    return this.fails(", ".join(missing) or "a mount fails", ci.setting(subject, "fuse"))


@probe(
    "st-vfs-opts",
    "I",
    symptom="other tools than bic fail: `vfs driver does not support … options`",
    evidence="buildah#1859",
)
def vfs_options(this: Probe, subject: Subject) -> Finding | None:
    """No storage.conf gives overlay options to the vfs driver; bic passes settings of its own."""
    for file in _storage_confs(subject.host):
        storage = _toml(subject.host, file).get("storage", {})
        name = subject.host.env.get("STORAGE_DRIVER") or storage.get("driver")
        options = storage.get("options", {})
        if name == "vfs" and (options.get("mount_program") or options.get("overlay")):
            return Finding(this.id, "I", file, this.symptom, f"no overlay options in {file}", this.evidence)
    return None


@probe(
    "st-net-fs",
    "F",
    symptom="unexplained EPERM, lost extended attributes",
    evidence="buildah's troubleshooting page",
)
def network_file_system(this: Probe, subject: Subject) -> Finding | None:
    """The store does not lie on a network file system."""
    mount = subject.host.mount_of(subject.store)
    if mount is None or not NETWORKED.fullmatch(mount.kind):
        return None
    severity = this.worst if subject.host.rootless else "W"
    return this.fails(f"{subject.store} is on {mount.kind}", ci.setting(subject, "volume"), severity)


@probe(
    "st-nosuid",
    "W",
    symptom="setuid programs lose their effect in steps, or programs cannot be executed",
    evidence="BuildKit's rootless page",
)
def nosuid(this: Probe, subject: Subject) -> Finding | None:
    """The store's volume is mounted without nosuid, nodev and noexec."""
    mount = subject.host.mount_of(subject.store)
    flags = sorted(mount.options & {"nosuid", "nodev", "noexec"}) if mount else []
    if not flags:
        return this.ok("neither nosuid, nodev nor noexec") if mount else None
    return this.fails(f"{mount.at if mount else ''}: {', '.join(flags)}", ci.setting(subject, "volume"))


@probe("st-space", "F", symptom="ENOSPC in the middle of a commit", evidence="section 1")
def space(this: Probe, subject: Subject) -> Finding | None:
    """There is room (bytes and inodes) for the store, TMPDIR and /var/tmp."""
    places = {subject.store, subject.host.env.get("TMPDIR") or "/var/tmp"}
    tight = {place: free for place in sorted(places) if (free := _free(subject.host, place)) is not None}
    least = min(tight.values(), default=100 * GIB)
    told = ", ".join(f"{place}: {free / GIB:.1f} GiB free" for place, free in tight.items())
    if least >= 5 * GIB:
        return this.ok(told or "enough")
    setting = f"a larger volume for {subject.store}, and TMPDIR on it"
    return this.fails(told, setting, "F" if least < GIB else "S")


@probe(
    "st-stale-ids",
    "F",
    symptom="`lchown …: invalid argument`, layers that cannot be read",
    evidence="section 1",
)
def stale_ids(this: Probe, subject: Subject) -> Finding | None:
    """The user's store was made under the id mapping of today."""
    host = subject.host
    if not host.rootless or host.uid == 0:
        return None
    mine = [range(host.uid, host.uid + 1), *ranges(host, "/etc/subuid")]
    for folder in _layers(host, subject.store):
        owner = folder.stat().st_uid
        if not any(owner in ids for ids in mine):
            return this.fails(f"{folder} belongs to {owner}", "`podman system migrate`, or remove the store")
    return None


@probe(
    "st-ephemeral",
    "I",
    symptom="the step cache costs more than it saves",
    evidence="tektoncd/catalog#265",
)
def ephemeral(this: Probe, subject: Subject) -> Finding | None:
    """In CI, the store outlives the job."""
    if "CI" not in subject.host.env or subject.host.path(subject.store).exists():
        return None
    return this.tells(
        "a new store for each job", "keep OCI layouts between jobs, or switch the step cache off"
    )


@probe(
    "st-writes",
    "W",
    symptom="an edit that changes neither size nor time vanishes from the image",
    evidence="measured with vfs",
    needs=("ns-unshare", "id-range", "id-tools"),
)
def writes(this: Probe, subject: Subject) -> Finding | None:
    """The driver sees every write, also of a step that sets times back."""
    if subject.driver != "vfs":
        return None
    return this.fails("vfs compares size and time only", "an overlay driver: see st-driver")


def _free(host: Host, place: str) -> int | None:
    """Free bytes for an ordinary user where `place` is or will be; 0 where the inodes are all but used up."""
    try:
        state = os.statvfs(host.path(host.existing(place)))
    except OSError:
        return None
    short = state.f_files > 0 and state.f_favail < 50_000
    return 0 if short else state.f_bavail * state.f_frsize


def _is_nested(subject: Subject) -> bool:
    mount = subject.host.mount_of(subject.store)
    return mount is not None and mount.kind == "overlay"


def _storage_confs(host: Host) -> list[str]:
    own = f"{host.env.get('XDG_CONFIG_HOME') or host.home + '/.config'}/containers/storage.conf"
    named = host.env.get("CONTAINERS_STORAGE_CONF")
    return [named] if named else [own, "/etc/containers/storage.conf"]


def _toml(host: Host, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(host.read(file) or "")
    except tomllib.TOMLDecodeError:
        return {}


def _layers(host: Host, store: str) -> list[Path]:
    """Some of the layers' root folders: overlay/ID/diff, vfs/dir/ID."""
    try:
        found = [*host.path(store).glob("overlay/*/diff"), *host.path(store).glob("vfs/dir/*")]
    except OSError:
        return []
    return sorted(found)[:100]


PROBES = (
    nested,
    driver,
    kernel,
    fuse,
    vfs_options,
    network_file_system,
    nosuid,
    space,
    stale_ids,
    ephemeral,
    writes,
)
