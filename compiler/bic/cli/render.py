"""Faults as text: what is wrong, where, the line, and what to do."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import evolve

from bic.errors import BicError, Fault
from bic.spec.toml import excerpt
from bic.spec.workspace import find

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def render(error: BicError) -> str:
    """All faults of an error, and a count where they are several."""
    texts = [render_fault(with_excerpt(fault)) for fault in error.faults]
    if len(texts) > 1:
        texts.append(count(error.faults))
    return "\n\n".join(texts)


def with_excerpt(fault: Fault) -> Fault:
    """The fault with its source line, where whoever raised it had only the place."""
    if fault.span is None or fault.excerpt is not None:
        return fault
    try:
        source = find(Path.cwd()).root / fault.span.file
        return evolve(fault, excerpt=excerpt(source.read_text(encoding="utf-8"), fault.span.start.line))
    except (BicError, OSError, ValueError):
        return fault


def count(faults: tuple[Fault, ...]) -> str:
    parts = []
    for severity in COLOURS:
        number = sum(1 for fault in faults if fault.severity == severity)
        if number:
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    return ", ".join(parts)


def render_fault(fault: Fault) -> str:
    head = click.style(fault.severity, fg=COLOURS[fault.severity], bold=True)
    lines = [f"{head}: {fault.message}"]
    margin = " "
    if fault.span is not None:
        margin = " " * len(str(fault.span.start.line))
        lines.append(f"{margin}--> {fault.span}")
        lines.extend(_excerpt(fault, margin))
    lines += [_attached(margin, "hint", fault.hint)] if fault.hint else []
    lines += [_attached(margin, "note", note) for note in fault.notes]
    return "\n".join(lines)


def _excerpt(fault: Fault, margin: str) -> list[str]:
    span, text = fault.span, fault.excerpt
    if span is None or text is None:
        return []
    start = span.start.column
    end = span.end.column if span.end.line == span.start.line else len(text) + 1
    marks = "^" * max(1, min(end, len(text) + 1) - start)
    indent = "".join("\t" if char == "\t" else " " for char in text[: start - 1])
    bar = click.style("|", dim=True)
    colour = COLOURS[fault.severity]
    return [
        f"{margin} {bar}",
        f"{span.start.line} {bar} {text}",
        f"{margin} {bar} {indent}{click.style(marks, fg=colour)}",
    ]


def _attached(margin: str, kind: str, text: str) -> str:
    first, *rest = text.splitlines() or [""]
    label = f"{margin} = {click.style(kind, bold=True)}: "
    indent = " " * (len(margin) + len(kind) + 5)
    return "\n".join([label + first, *(indent + line for line in rest)])
