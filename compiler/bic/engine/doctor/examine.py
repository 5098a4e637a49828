"""The examination: all probes in the order of section 7, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import asdict, frozen

from bic.engine.doctor import binfmt, ci, foreign, isolation, storage, surroundings, userns
from bic.engine.doctor.finding import Finding, Probe
from bic.engine.doctor.subject import Subject
from bic.engine.doctor.trial import ISOLATION
from bic.engine.host import find_ca_bundle

SECTIONS: tuple[tuple[str, tuple[Probe, ...]], ...] = (
    ("This machine", (*ci.PROBES, *isolation.TOOLS)),
    ("User namespaces and ids", userns.PROBES),
    ("Storage", storage.PROBES),
    ("Isolation, network, cgroups", isolation.PROBES),
    ("Proof: a real build in a temporary store", isolation.PROOF),
    ("Runtime folders, credentials, certificates", surroundings.PROBES),
    ("Foreign architectures", foreign.PROBES),
    ("Network (only with `--net`)", surroundings.NETWORK),
)

PROBES: tuple[Probe, ...] = tuple(probe for _, probes in SECTIONS for probe in probes)


@frozen
class Report:
    """The findings in order, and what was chosen; None where an earlier failure leaves no choice."""

    findings: tuple[Finding, ...]
    driver: str | None
    isolation: str | None
    rootless: bool
    architecture: str
    emulated: tuple[str, ...]
    ca_bundle: str | None
    buildah: str | None

    def is_healthy(self, strict: bool = False) -> bool:
        """Whether a build can work: no F, and with `strict` no W either."""
        bad = {"F", "W"} if strict else {"F"}
        return not any(finding.severity in bad for finding in self.findings)

    def as_data(self) -> dict[str, Any]:
        """For JSON: `facts`, and `findings` sorted by id."""
        facts = {key: value for key, value in asdict(self).items() if key != "findings"}
        findings = [asdict(finding) for finding in sorted(self.findings, key=lambda finding: finding.id)]
        return {"facts": facts, "findings": findings}


def examine(subject: Subject) -> Report:
    """Run every probe that applies; one whose needs failed is reported as not tried."""
    findings = tuple(_findings(subject))
    blocked = {finding.id for finding in findings if finding.severity == "F"}
    works = not blocked & {"tl-buildah", *isolation.READY}
    return Report(
        findings=findings,
        driver=subject.driver if works else None,
        isolation=ISOLATION if works else None,
        rootless=subject.host.rootless,
        architecture=binfmt.native(subject.host),
        emulated=tuple(sorted(binfmt.emulated(subject.host))),
        ca_bundle=find_ca_bundle(subject.host),
        buildah=subject.host.which("buildah"),
    )


def _findings(subject: Subject) -> Iterator[Finding]:
    # An F is mostly the cause of the next ones, and an effect reported beside its cause misleads.
    unmet: dict[str, str] = {}
    for probe in PROBES:
        if probe.net and not subject.net:
            continue
        cause = next((unmet[need] for need in probe.needs if need in unmet), None)
        if cause is not None:
            unmet[probe.id] = cause
            yield probe.not_tried(f"after {cause}")
        elif (finding := probe(subject)) is not None:
            if finding.severity == "F":
                unmet[probe.id] = probe.id
            yield finding
