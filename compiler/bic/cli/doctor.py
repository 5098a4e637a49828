"""`bic doctor`: what of this machine stands in a build's way, and the setting that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bic.engine.doctor.examine import Report
    from bic.engine.doctor.finding import Finding

LACKING = 3
COLOURS = {"F": "bold red", "W": "yellow", "S": "yellow", "I": "dim", "ok": "green"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print findings and chosen facts as JSON.")
@click.option("--strict", is_flag=True, help="Fail for warnings (W) as well.")
@click.option("--net", is_flag=True, help="Also ask the network: registry, clock, certificates.")
@click.option(
    "--platform", "platforms", multiple=True, metavar="P", help="A platform to build, as linux/arm64."
)
@click.pass_context
def command(
    context: click.Context, as_json: bool, strict: bool, net: bool, platforms: tuple[str, ...]
) -> None:
    """Tell whether this machine can build, and which setting to change where it cannot."""
    import os

    from bic.engine.doctor.examine import examine
    from bic.engine.doctor.machine import Host
    from bic.engine.doctor.subject import Subject

    report = examine(Subject(Host.here(os.environ), platforms=platforms, net=net))
    if as_json:
        _print_json(report)
    else:
        _print_table(report)
    context.exit(0 if report.is_healthy(strict) else LACKING)


def _print_json(report: Report) -> None:
    import json

    click.echo(json.dumps(report.as_data(), indent=2, sort_keys=True, ensure_ascii=False))


def _print_table(report: Report) -> None:
    """Rich on a terminal (which obeys NO_COLOR), aligned lines elsewhere."""
    import sys

    if sys.stdout.isatty():
        _print_rich(report)
        return
    for finding in report.findings:
        head, *rest = _lines(finding)
        click.echo(f"{finding.severity:<3} {finding.id:<14} {head}")
        for line in rest:
            click.echo(f"{'':<19}{line}")
    click.echo()
    click.echo(_summary(report))


def _print_rich(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in report.findings:
        colour = COLOURS[finding.severity]
        text = Text("\n".join(_lines(finding)))
        table.add_row(Text(finding.severity, style=colour), Text(finding.id), text)
    console = Console()
    console.print(table)
    console.print()
    console.print(Text(_summary(report)))


def _lines(finding: Finding) -> Iterator[str]:
    yield finding.found
    if finding.symptom:
        yield f"symptom: {finding.symptom}"
    if finding.setting:
        yield f"setting: {finding.setting}"
    if finding.symptom and finding.evidence:
        yield f"see:     {finding.evidence}"


def _summary(report: Report) -> str:
    failed = [finding.id for finding in report.findings if finding.severity == "F"]
    if failed:
        return f"a build cannot work here: {', '.join(failed)}"
    warned = [finding.id for finding in report.findings if finding.severity == "W"]
    chosen = (
        f"driver {report.driver}, isolation {report.isolation}, {'rootless' if report.rootless else 'root'}"
    )
    return f"a build can work here: {chosen}" + (
        f"; results may be wrong: {', '.join(warned)}" if warned else ""
    )
