"""Runtime folders, credentials, certificates, and with `--net` the network (section 4)."""

from __future__ import annotations

import stat

from bic.engine.doctor.finding import Finding, Probe, probe
from bic.engine.doctor.internet import REGISTRY, ask, clock_skew_s, is_public
from bic.engine.doctor.subject import Subject
from bic.engine.host import CA_BUNDLES, find_ca_bundle

SKEW_S = 300


@probe(
    "rt-xdg",
    "I",
    symptom="runtime files go to /var/tmp, and logins are lost",
    evidence="measured",
)
def runtime_folder(this: Probe, subject: Subject) -> Finding | None:
    """XDG_RUNTIME_DIR is set to a folder of the user with mode 0700; bic makes one where it is missing."""
    host = subject.host
    if not host.rootless:
        return None
    folder = host.env.get("XDG_RUNTIME_DIR")
    setting = "`export XDG_RUNTIME_DIR=$(mktemp -d)` in the job"
    if not folder:
        return this.tells("XDG_RUNTIME_DIR is not set", setting)
    if not host.path(folder).is_dir():
        return this.fails(f"{folder} is not there", setting, "S")
    state = host.path(folder).stat()
    if state.st_uid == host.uid and stat.S_IMODE(state.st_mode) == 0o700:
        return this.ok(folder)
    return this.fails(f"{folder}: owner {state.st_uid}, mode {stat.S_IMODE(state.st_mode):04o}", setting, "S")


@probe(
    "rt-auth",
    "W",
    symptom="credentials vanish between the steps of a job",
    evidence="section 4",
)
def credentials(this: Probe, subject: Subject) -> Finding | None:
    """In CI, REGISTRY_AUTH_FILE names a private file that outlives the step that logged in."""
    host = subject.host
    named = host.env.get("REGISTRY_AUTH_FILE")
    if named and host.path(named).is_file():
        mode = stat.S_IMODE(host.path(named).stat().st_mode)
        if mode & 0o077:
            return this.fails(f"{named} has mode {mode:04o}", f"`chmod 600 {named}`")
        return this.ok(named)
    if "CI" not in host.env:
        return None
    setting = "`REGISTRY_AUTH_FILE` in the job's folder, mode 0600, removed at the end"
    return this.fails(f"{named} is not there" if named else "REGISTRY_AUTH_FILE is not set", setting)


@probe("ca-bundle", "W", symptom="no TLS connection can be verified", evidence="section 4")
def bundle(this: Probe, subject: Subject) -> Finding | None:
    """The host has a bundle of certificates, which bic offers to steps."""
    named = subject.host.env.get("SSL_CERT_FILE")
    if named and not subject.host.path(named).is_file():
        return this.fails(f"SSL_CERT_FILE={named} is not there", "SSL_CERT_FILE: the bundle's path, or unset")
    found = find_ca_bundle(subject.host)
    return this.ok(found) if found else this.fails("none found", "`apt-get install ca-certificates`")


@probe(
    "ca-mount",
    "W",
    symptom="the ca-certificates package cannot replace its file; apt exits 100",
    evidence="measured",
)
def mounted_bundle(this: Probe, subject: Subject) -> Finding | None:
    """Nothing is mounted over the certificate bundle."""
    over = [mount.at for mount in subject.host.mounts() if mount.at in CA_BUNDLES]
    if not over:
        return None
    return this.fails(f"a mount over {over[0]}", "mount the bundle elsewhere, and name it in SSL_CERT_FILE")


@probe(
    "rt-rate",
    "F",
    symptom="pulls fail at random with 429",
    evidence="meta-scripts#10, jenkinsci/docker-agents#1163, blue-build/cli#809",
    net=True,
)
def rate(this: Probe, subject: Subject) -> Finding | None:
    """The default registry answers, and does not refuse for too many requests."""
    answer = ask(subject.host)
    if answer.status == 429:
        return this.fails(f"{REGISTRY} answers 429", "a mirror in registries.conf, or a login")
    if answer.status is None:
        setting = "the proxy (`https_proxy`), or a mirror in registries.conf"
        return this.fails(f"{REGISTRY}: {answer.error}", setting, "W")
    return this.ok(f"{REGISTRY} answers {answer.status}")


@probe(
    "rt-clock",
    "F",
    symptom="`certificate not yet valid`, `Release file is not valid yet`",
    evidence="section 4",
    net=True,
)
def clock(this: Probe, subject: Subject) -> Finding | None:
    """The clock agrees with that of a registry."""
    skew = clock_skew_s(ask(subject.host))
    if skew is None:
        return this.not_tried("no answer from the registry")
    if abs(skew) <= SKEW_S:
        return this.ok(f"{abs(skew):.0f} s apart")
    return this.fails(f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}", "the machine's time (NTP)")


@probe(
    "ca-intercept",
    "F",
    symptom="`certificate signed by unknown authority` in steps",
    evidence="section 4",
    net=True,
)
def intercept(this: Probe, subject: Subject) -> Finding | None:
    """TLS to a registry is verified, and by a public authority rather than a company's."""
    answer = ask(subject.host)
    if answer.untrusted:
        setting = "SSL_CERT_FILE: a bundle that holds the network's own CA"
        return this.fails(f"{REGISTRY}: {answer.error}", setting)
    if answer.issuer is None:
        return this.not_tried("no answer from the registry")
    if is_public(answer.issuer):
        return this.ok(f"certificate by {answer.issuer}")
    setting = f"none: bic mounts {find_ca_bundle(subject.host)} at /run/bic/ca.crt for steps"
    return this.fails(f"certificate by {answer.issuer}: TLS is intercepted", setting, "I")


PROBES = (runtime_folder, credentials, bundle, mounted_bundle)
NETWORK = (rate, clock, intercept)
