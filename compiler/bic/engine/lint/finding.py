"""Findings of the linter, and its rules: functions whose docstring tells users what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from bic.engine.lint.subject import Subject
from bic.errors import Fault, Severity


@frozen
class Finding:
    """One doubtful place: the rule that found it, and the fault to show."""

    rule: str
    fault: Fault

    def as_data(self) -> dict[str, Any]:
        """For `--json`: lines and columns from 1."""
        fault, span = self.fault, self.fault.span
        data: dict[str, Any] = {"rule": self.rule, "severity": fault.severity, "message": fault.message}
        if span is not None:
            data |= {"file": span.file, "line": span.start.line, "column": span.start.column}
            data |= {"end_line": span.end.line, "end_column": span.end.column}
        return data | ({"hint": fault.hint} if fault.hint else {})


Find = Callable[[Subject], Iterator[Fault]]


@frozen
class Rule:
    """A rule of bic's own: its id, what its findings weigh, and how it finds them."""

    id: str
    severity: Severity
    find: Find = field(repr=False)

    @property
    def meaning(self) -> str:
        """What it finds and why that is doubtful, from its docstring."""
        return " ".join((self.find.__doc__ or "").split())


def rule(severity: Severity) -> Callable[[Find], Rule]:
    """A decorator: the function becomes a rule whose id is its name, with dashes."""
    return lambda find: Rule(find.__name__.replace("_", "-"), severity, find)
