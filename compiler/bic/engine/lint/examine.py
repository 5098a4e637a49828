"""All rules on all specs: `lint` gives the findings in the order of their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, frozen

from bic.engine.lint import rules, rules_of_steps, shellcheck
from bic.engine.lint.finding import Finding, Rule
from bic.engine.lint.scripts import Script, scripts
from bic.engine.lint.subject import Subject
from bic.errors import Fault, Position, Span
from bic.spec.model import Spec
from bic.spec.workspace import Workspace

RULES: tuple[Rule, ...] = (*rules.RULES, *rules_of_steps.RULES)


@frozen
class Report:
    """What was found; `skipped` says in one line what could not be looked for."""

    findings: tuple[Finding, ...]
    skipped: str | None = None

    @property
    def has_warnings(self) -> bool:
        return any(finding.fault.severity == "warning" for finding in self.findings)


def lint(
    workspace: Workspace, selected: Iterable[str], specs: Mapping[str, Spec], program: str | None
) -> Report:
    """The findings in the selected specs; `specs` holds also those that they build on.

    `program` is ShellCheck, None where there is none. A place in a fragment that several specs use is
    reported once.
    """
    subjects = [Subject.of(workspace, specs[name], specs) for name in selected]
    found = [
        Finding(rule.id, evolve(fault, severity=rule.severity, notes=_notes(subject, fault)))
        for subject in subjects
        for rule in RULES
        for fault in rule.find(subject)
    ]
    written = [script for subject in subjects for script in scripts(subject)]
    if program is not None:
        found += shellcheck.check(_once(written), program)
    is_skipped = program is None and any(script.dialect for script in written)
    skipped = "shell steps were not checked: ShellCheck is not installed (bic's extra `lint` brings it)"
    return Report(tuple(sorted(set(found), key=_place)), skipped if is_skipped else None)


def _notes(subject: Subject, fault: Fault) -> tuple[str, ...]:
    """Which spec it is about, where the place is in a fragment."""
    here = fault.span is None or fault.span.file == subject.spec.file
    return () if here else (f"used by `{subject.spec.file}`",)


def _once(written: Iterable[Script]) -> list[Script]:
    """One of the scripts that stand at the same place: a fragment is read anew for each spec."""
    return list({(s.place.document.file, s.place.path, s.interpreter): s for s in written}.values())


def _place(finding: Finding) -> tuple[Span, str, str]:
    start = Position(0, 0)
    return finding.fault.span or Span("", start, start), finding.rule, finding.fault.message
