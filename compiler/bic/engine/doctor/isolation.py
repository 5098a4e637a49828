"""The programs, isolation, network, cgroups (section 3), and the proof that a build works (section 7)."""

from __future__ import annotations

import re

from bic.engine.doctor import ci
from bic.engine.doctor.finding import Finding, Probe, probe
from bic.engine.doctor.subject import Subject
from bic.engine.doctor.trial import HOSTNAME, ISOLATION
from bic.process.packages import how_to_get

OLDEST = (1, 28)
"""The oldest buildah that bic was tried with."""

READY = ("ns-unshare", "id-range", "id-nested", "id-tools", "id-mount-deny")


@probe("tl-buildah", "F", symptom="nothing can be built", evidence="")
def buildah(this: Probe, subject: Subject) -> Finding | None:
    """buildah is installed, and not older than 1.28."""
    if subject.host.which("buildah") is None:
        return this.fails("buildah is not on PATH", how_to_get("buildah"))
    said = subject.host.call_apart("buildah", "--version").tail
    version = re.search(r"(\d+)\.(\d+)(\.\d+)?", said)
    if version is None:
        return this.fails(f"`buildah --version` says: {said}", how_to_get("buildah"))
    found = f"buildah {version[0]}"
    if (int(version[1]), int(version[2])) >= OLDEST:
        return this.ok(found)
    setting = "buildah 1.28 or later (Debian 12, Ubuntu 24.04)"
    return this.fails(found, setting, "W")


@probe("tl-resolver", "W", symptom="`bic lock` cannot ask a registry", evidence="")
def resolver(this: Probe, subject: Subject) -> Finding | None:
    """crane or skopeo is installed, to ask registries."""
    found = [name for name in ("crane", "skopeo") if subject.host.which(name)]
    return (
        this.ok(", ".join(found)) if found else this.fails("neither crane nor skopeo", how_to_get("skopeo"))
    )


@probe(
    "iso-choice",
    "I",
    symptom="",
    evidence="OpenShift's tutorial, Woodpecker, Buildkite and Harness use chroot",
    needs=READY,
)
def choice(this: Probe, subject: Subject) -> Finding | None:
    """The isolation that steps run in: always chroot, which works nested and unprivileged."""
    return this.tells(f"{ISOLATION}: steps share the host's pid and ipc namespaces")


@probe(
    "iso-cgroup",
    "I",
    symptom="crun: `cgroups in hybrid mode not supported`",
    evidence="measured with crun 1.8.1",
)
def cgroup(this: Probe, subject: Subject) -> Finding | None:
    """Which cgroups are mounted: OCI runtimes need version 2, chroot isolation none."""
    mount = next((mount for mount in subject.host.mounts() if mount.at == "/sys/fs/cgroup"), None)
    if mount is not None and mount.kind == "cgroup2":
        return this.ok("cgroup 2")
    return this.tells("cgroup 1 or hybrid: chroot isolation only", "a unified hierarchy on the host")


@probe(
    "iso-proc",
    "I",
    symptom="`mount proc: operation not permitted` from OCI runtimes",
    evidence="section 3",
)
def masked_proc(this: Probe, subject: Subject) -> Finding | None:
    """Nothing is mounted over parts of /proc, which would keep OCI runtimes from mounting their own."""
    usual = "/proc/sys/fs/binfmt_misc"
    over = sorted({item.at for item in subject.host.mounts() if item.at.startswith("/proc/")} - {usual})
    if not over:
        return this.ok("/proc is not masked")
    setting = "nothing: chroot isolation does not mind"
    return this.tells(f"masked: {', '.join(over[:3])}{' …' if len(over) > 3 else ''}", setting)


@probe(
    "pf-commit",
    "F",
    symptom="no image can be made",
    evidence="section 7",
    needs=READY,
)
def commit(this: Probe, subject: Subject) -> Finding | None:
    """An image from scratch with a file is built, committed and removed, in a temporary store."""
    if subject.proof.built == "":
        return this.ok(f"from, add, commit and rm work ({subject.driver})")
    return this.fails(subject.proof.built, ci.setting(subject, "namespaces"))


@probe(
    "pf-step",
    "F",
    symptom="steps that run commands fail",
    evidence="section 7",
    needs=(*READY, "pf-commit"),
)
def step(this: Probe, subject: Subject) -> Finding | None:
    """A step runs in chroot isolation, with busybox or cat of the host."""
    reason = subject.proof.step
    if reason is None:
        return this.not_tried("neither a static busybox nor cat with its libraries on this host")
    if reason == "":
        return this.ok(f"a step runs ({ISOLATION})")
    return this.fails(reason, ci.setting(subject, "namespaces"))


@probe(
    "iso-net",
    "W",
    symptom="a step that asked for no network sees one",
    evidence="measured: `--network none` is ignored with BUILDAH_ISOLATION=chroot",
    needs=(*READY, "pf-commit", "pf-step"),
)
def network(this: Probe, subject: Subject) -> Finding | None:
    """A step without network sees no interface but lo (seen from inside a step)."""
    proof = subject.proof
    if proof.alone is not None:
        return this.fails(f"no such step runs: {proof.alone}", ci.setting(subject, "namespaces"))
    if proof.interfaces is None:
        return this.not_tried("no step ran")
    if proof.interfaces in ((), ("lo",)):
        return this.ok("only lo")
    return this.fails(f"sees {', '.join(proof.interfaces)}", "`unshare` of util-linux first on PATH")


@probe(
    "iso-host",
    "W",
    symptom="the host's or container's name gets into what a step makes",
    evidence="measured",
    needs=(*READY, "pf-commit", "pf-step"),
)
def hostname(this: Probe, subject: Subject) -> Finding | None:
    """A step sees bic's constant host name (seen from inside a step)."""
    seen = subject.proof.hostname
    if seen is None:
        return this.not_tried("no step ran")
    if seen == HOSTNAME:
        return this.ok(f"host name {seen}")
    return this.fails(f"host name {seen}", "buildah 1.28 or later, which has `run --hostname`")


TOOLS = (buildah, resolver)
PROBES = (choice, cgroup, masked_proc)
PROOF = (commit, step, network, hostname)
