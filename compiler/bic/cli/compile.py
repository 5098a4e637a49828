"""`bic compile`: the intermediate representation, the scripts and the Dockerfile of specs."""

from __future__ import annotations

import click

from bic.passes.pipeline import NAMES


@click.command("compile")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--platform", "platforms", multiple=True, metavar="P", help="One of the spec's platforms.")
@click.option(
    "--emit", type=click.Choice(["ir", "script", "dockerfile"]), help="Print this instead of writing files."
)
@click.option("--after", type=click.Choice(NAMES), help="With --emit ir: as it is after this pass.")
@click.option("--locked", is_flag=True, help="Fail if a lock is missing or stale.")
def command(
    specs: tuple[str, ...], platforms: tuple[str, ...], emit: str | None, after: str | None, locked: bool
) -> None:
    """Compile SPECs (paths or names; all without one) into out/build/NAME.

    Writes ir.json, one shell script a platform, a Dockerfile, and the files that they copy. Needs neither
    root nor buildah, and no network once everything is locked.
    """
    from bic.cli.sources import compiled

    if after and emit != "ir":
        raise click.UsageError("--after goes with --emit ir")
    done = compiled(specs, platforms, locked=locked, after=after)
    from bic.engine import output

    for name in done.selected:
        definitions = tuple(done.definitions[name].values())
        if emit:
            click.echo(output.emit(emit, done.specs[name], definitions), nl=False)
        else:
            folder = output.write(done.workspace, done.specs[name], definitions)
            click.echo(folder.relative_to(done.workspace.root).as_posix())
