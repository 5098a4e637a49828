"""`bic graph`: which spec builds on which."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("graph")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option(
    "--format", "form", type=click.Choice(["text", "dot", "svg"]), default="text", help="Default: text."
)
def command(specs: tuple[str, ...], form: str) -> None:
    """Show what SPECs (paths or names; all without one) build on, stages and bases from outside included."""
    from bic.cli.sources import workspace
    from bic.spec.graph import as_dot, as_text, graph
    from bic.spec.load import load_all
    from bic.spec.svg import as_svg

    place = workspace()
    found = graph(load_all(place, place.select(specs, Path.cwd())))
    click.echo({"text": as_text, "dot": as_dot, "svg": as_svg}[form](found), nl=False)
