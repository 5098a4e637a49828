"""User namespaces and ids (section 2)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bic.engine.doctor import ci
from bic.engine.doctor.finding import Finding, Probe, probe
from bic.engine.doctor.machine import CAP_SETFCAP, CAP_SYS_ADMIN, Host
from bic.engine.doctor.subject import Subject
from bic.engine.doctor.trial import last_line

ENOUGH_IDS = 65536
ENOUGH_NAMESPACES = 16384
SUBIDS = ("/etc/subuid", "/etc/subgid")
APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"


@probe(
    "ns-max",
    "F",
    symptom="ENOSPC (`No space left on device`) for a new namespace",
    evidence="0 on RHEL 7 and Bottlerocket",
)
def maximum(this: Probe, subject: Subject) -> Finding | None:
    """The kernel allows enough user namespaces."""
    allowed = subject.host.number("/proc/sys/user/max_user_namespaces")
    if not subject.host.rootless or allowed is None:
        return None
    if allowed >= ENOUGH_NAMESPACES:
        return this.ok(f"user.max_user_namespaces = {allowed}")
    setting = f"`sysctl -w user.max_user_namespaces={ENOUGH_NAMESPACES}` on the host"
    return this.fails(f"user.max_user_namespaces = {allowed}", setting, "F" if allowed == 0 else "I")


@probe(
    "ns-unshare",
    "F",
    symptom="`operation not permitted` from nearly every command",
    evidence="buildah#1940, buildah#4563",
    needs=("tl-buildah", "id-root-pod"),
)
def unshare(this: Probe, subject: Subject) -> Finding | None:
    """A user namespace with mount and pid namespaces in it can be made (for root: the latter two)."""
    host = subject.host
    user = ("--user", "--map-root-user") if host.rootless else ()
    done = host.call("unshare", *user, "--mount", "--pid", "--fork", "true")
    if done.returncode == 0:
        return this.ok("user, mount and pid namespaces" if host.rootless else "mount and pid namespaces")
    if subject.unshared.returncode == 0:
        return this.ok("only buildah may make namespaces (a profile for it)")
    return this.fails(last_line(done.stderr_tail), ci.setting(subject, "namespaces"))


@probe(
    "ns-apparmor",
    "F",
    symptom="namespaces have no capabilities; mounts fail",
    evidence="actions/runner-images#10443, moby#47480",
    needs=("tl-buildah",),
)
def apparmor(this: Probe, subject: Subject) -> Finding | None:
    """AppArmor lets buildah use the namespaces that it makes (Ubuntu 24.04 restricts them)."""
    host = subject.host
    if not host.rootless or host.number(APPARMOR) != 1:
        return None
    if subject.overlay.returncode == 0 or subject.unshared.returncode == 0:
        setting = "skopeo and self-built programs have no profile: start them under `buildah unshare`"
        return this.tells("restricted, but buildah has a profile", setting)
    return this.fails("kernel.apparmor_restrict_unprivileged_userns = 1", ci.setting(subject, "apparmor"))


@probe(
    "id-range",
    "F",
    symptom="`potentially insufficient UIDs or GIDs`, EINVAL for chown",
    evidence="subuid(5)",
    needs=("ns-unshare",),
)
def id_range(this: Probe, subject: Subject) -> Finding | None:
    """The user has at least 65536 ids in both /etc/subuid and /etc/subgid, by name or by number."""
    host = subject.host
    if not host.rootless:
        return None
    totals = {file: sum(len(ids) for ids in ranges(host, file)) for file in SUBIDS}
    told = ", ".join(f"{total} ids in {file}" for file, total in totals.items())
    if all(total >= ENOUGH_IDS for total in totals.values()):
        return this.ok(told)
    return this.fails(told, _give_ids(host))


@probe(
    "id-nested",
    "F",
    symptom="newuidmap: EINVAL",
    evidence="buildah#3775, podman#8592",
    needs=("id-range",),
)
def id_nested(this: Probe, subject: Subject) -> Finding | None:
    """The ranges leave out the user's own id, and in a container they exist there, 65534 included."""
    host = subject.host
    if not host.rootless:
        return None
    spans = ranges(host, "/etc/subuid")
    around = (
        f"two ranges around the own id in /etc/subuid: `{host.user}:1:{max(host.uid - 1, 1)}` and above it"
    )
    if any(host.uid in ids for ids in spans):
        return this.fails(f"a range holds the own uid {host.uid}", around)
    outside = _first_unmapped(host, spans) if host.in_user_namespace else None
    if outside is None:
        return this.ok("the ranges can be mapped")
    return this.fails(f"id {outside} of a range does not exist in this namespace", around)


@probe(
    "id-tools",
    "F",
    symptom="`write to uid_map failed: Operation not permitted`",
    evidence="openshift/builder#256, image_build#51, buildah#4049",
    needs=("ns-unshare", "id-nnp", "id-range"),
)
def id_tools(this: Probe, subject: Subject) -> Finding | None:
    """newuidmap and newgidmap are on PATH and may map ids (setuid bit or file capability)."""
    if not subject.host.rootless:
        return None
    paths = {name: subject.host.which(name) for name in ("newuidmap", "newgidmap")}
    missing = sorted(name for name, path in paths.items() if path is None)
    if missing:
        return this.fails(f"not on PATH: {', '.join(missing)}", "`apt-get install uidmap` (Debian, Ubuntu)")
    weak = sorted(path for path in paths.values() if path is not None and not _may_map(path))
    if weak:
        repair = "`chmod u+s " + " ".join(weak) + "`, or `rpm --setcaps shadow-utils`"
        return this.fails(f"without privilege: {', '.join(weak)}", f"{repair}; {ci.setting(subject, 'ids')}")
    mapped = _mapped(subject.unshared.stdout.decode(errors="replace"))
    if subject.unshared.returncode != 0 or mapped < ENOUGH_IDS:
        said = last_line(subject.unshared.stderr_tail)
        return this.fails(f"{mapped} ids mapped in a namespace: {said}", ci.setting(subject, "ids"))
    return this.ok("newuidmap and newgidmap map ids")


@probe(
    "id-nnp",
    "F",
    symptom="`write to uid_map failed: Operation not permitted`, although the bits are right",
    evidence="section 2",
)
def no_new_privileges(this: Probe, subject: Subject) -> Finding | None:
    """This process may gain privileges (NoNewPrivs is 0), so that newuidmap works."""
    if not subject.host.rootless or subject.host.status("NoNewPrivs") != "1":
        return None
    return this.fails("NoNewPrivs: 1", ci.setting(subject, "privileges"))


@probe(
    "id-root-pod",
    "F",
    symptom="id mapping is refused for root",
    evidence="tektoncd/catalog#1298",
)
def root_in_pod(this: Probe, subject: Subject) -> Finding | None:
    """Root in a container has SETFCAP where it lacks SYS_ADMIN, so that it may map ids."""
    host = subject.host
    if host.uid != 0 or host.can(CAP_SYS_ADMIN):
        return None
    if host.can(CAP_SETFCAP):
        return this.ok("root without SYS_ADMIN, with SETFCAP")
    return this.fails("root with neither SYS_ADMIN nor SETFCAP", ci.setting(subject, "setfcap"))


@probe(
    "id-mount-deny",
    "F",
    symptom="`remount /, flags 0x44000: permission denied`",
    evidence="buildah#2554, buildah#4920",
    needs=("ns-unshare", "id-range", "id-tools"),
)
def mount_denied(this: Probe, subject: Subject) -> Finding | None:
    """A file system can be mounted inside the namespace."""
    done = subject.host.inside("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    if done.returncode == 0:
        return this.ok("mounts work in the namespace")
    return this.fails(last_line(done.stderr_tail), ci.setting(subject, "namespaces"))


def ranges(host: Host, file: str) -> list[range]:
    """The ids that a file such as /etc/subuid gives the user, by name and by number (subuid(5))."""
    lines = [line.strip().split(":") for line in (host.read(file) or "").splitlines()]
    mine = [line for line in lines if len(line) == 3 and line[0] in (host.user, str(host.uid))]
    return [
        range(int(first), int(first) + int(count)) for _, first, count in mine if (first + count).isdigit()
    ]


def _give_ids(host: Host) -> str:
    """The line to add, after all ranges that others have."""
    lines = [line.strip().split(":") for file in SUBIDS for line in (host.read(file) or "").splitlines()]
    ends = [int(line[1]) + int(line[2]) for line in lines if len(line) == 3 and (line[1] + line[2]).isdigit()]
    first = max(100_000, *ends, 0)
    span = f"{first}-{first + ENOUGH_IDS - 1}"
    usermod = f"`usermod --add-subuids {span} --add-subgids {span} {host.user}`"
    return f"`{host.user}:{first}:{ENOUGH_IDS}` in both /etc/subuid and /etc/subgid; as root: {usermod}"


def _mapped(text: str) -> int:
    """How many ids a uid_map holds."""
    return sum(int(row[2]) for row in map(str.split, text.splitlines()) if len(row) == 3)


def _first_unmapped(host: Host, spans: list[range]) -> int | None:
    rows = [line.split() for line in (host.read("/proc/self/uid_map") or "").splitlines()]
    known = [range(int(row[0]), int(row[0]) + int(row[2])) for row in rows if len(row) == 3]
    ends = [end for ids in spans for end in (ids[0], ids[-1])]
    return next((end for end in ends if not any(end in ids for ids in known)), None)


def _may_map(program: str) -> bool:
    """Whether a program has the setuid bit or a file capability (capabilities(7))."""
    if Path(program).stat().st_mode & stat.S_ISUID:
        return True
    try:
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False


PROBES = (
    maximum,
    root_in_pod,
    unshare,
    apparmor,
    no_new_privileges,
    id_range,
    id_nested,
    id_tools,
    mount_denied,
)
