"""`bic lint`: faults and doubtful places in specs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bic.errors import InputInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bic.engine.lint.examine import Report
    from bic.engine.lint.finding import Finding


@click.command("lint")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--json", "as_json", is_flag=True, help="Print an array of findings.")
@click.option("--strict", is_flag=True, help="Fail for warnings as well.")
@click.pass_context
def command(context: click.Context, specs: tuple[str, ...], as_json: bool, strict: bool) -> None:
    """Find faults and doubtful places in SPECs (paths or names; all without one).

    What does not load is an error (exit code 2). Warnings fail only with --strict, notes never.
    """
    from bic.engine.lint.finding import Finding

    try:
        report = _report(specs)
    except InputInvalid as error:
        if not as_json:
            raise
        _print_json(Finding("error", fault) for fault in error.faults)
        context.exit(error.code)
    if report.skipped:
        click.echo(report.skipped, err=True)
    if as_json:
        _print_json(report.findings)
    else:
        _print_text(report)
    context.exit(1 if strict and report.has_warnings else 0)


def _report(specs: tuple[str, ...]) -> Report:
    from bic.cli.sources import workspace
    from bic.engine.lint import shellcheck
    from bic.engine.lint.examine import lint
    from bic.spec.load import load_all

    place = workspace()
    selected = place.select(specs, Path.cwd())
    return lint(place, selected, load_all(place, selected), shellcheck.program())


def _print_json(findings: Iterable[Finding]) -> None:
    import json

    click.echo(json.dumps([finding.as_data() for finding in findings], indent=2, ensure_ascii=False))


def _print_text(report: Report) -> None:
    from attrs import evolve

    from bic.cli.render import count, render_fault

    for finding in report.findings:
        message = f"{finding.fault.message} [{finding.rule}]"
        click.echo(render_fault(evolve(finding.fault, message=message)) + "\n")
    faults = tuple(finding.fault for finding in report.findings)
    click.echo(count(faults) or "nothing to mend", err=True)
