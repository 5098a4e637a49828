"""What a probe is, and what it finds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Literal

from attrs import frozen

from bic.engine.doctor.subject import Subject

Severity = Literal["F", "S", "W", "I", "ok"]
"""Fatal (no build possible), slow or wasteful, wrong result possible, information, in order."""


@frozen
class Finding:
    """What one probe found; `symptom` and `setting` are empty where nothing is to be changed.

    `setting` is meant for this machine and its CI system. `tried` is False for a probe that was left out, and
    `found` then says why.
    """

    id: str
    severity: Severity
    found: str
    symptom: str = ""
    setting: str = ""
    evidence: str = ""
    tried: bool = True


Judge = Callable[["Probe", Subject], Finding | None]


@frozen
class Probe:
    """A check with what is told about it wherever it fails; call it with a subject.

    `worst` is the worst severity it gives, `needs` names the probes without whose success it says nothing,
    and `net` marks one that asks the network.
    """

    id: str
    worst: Severity
    symptom: str
    evidence: str
    judge: Judge
    needs: tuple[str, ...] = ()
    net: bool = False

    def __call__(self, host: Subject) -> Finding | None:
        """The finding, or None where the probe does not apply to this machine."""
        return self.judge(self, host)

    @property
    def promise(self) -> str:
        """The first line of the probe's docstring: what it looks at."""
        return (inspect.getdoc(self.judge) or "").split("\n")[0]

    def ok(self, found: str) -> Finding:
        return Finding(self.id, "ok", found, evidence=self.evidence)

    def fails(self, found: str, setting: str, severity: Severity | None = None) -> Finding:
        return Finding(self.id, severity or self.worst, found, self.symptom, setting, self.evidence)

    def tells(self, found: str, setting: str = "") -> Finding:
        return Finding(self.id, "I", found, setting=setting, evidence=self.evidence)

    def not_tried(self, why: str) -> Finding:
        return Finding(self.id, "I", f"not tried: {why}", evidence=self.evidence, tried=False)


def probe(
    id: str,
    worst: Severity,
    *,
    symptom: str,
    evidence: str,
    needs: tuple[str, ...] = (),
    net: bool = False,
) -> Callable[[Judge], Probe]:
    """Make a probe of a function that judges; its docstring's first line goes into the documentation."""

    def make(judge: Judge) -> Probe:
        return Probe(id, worst, symptom, evidence, judge, needs, net)

    return make
