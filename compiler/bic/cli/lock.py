"""`bic lock`: pin what specs take from outside."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("lock")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--check", is_flag=True, help="Change nothing; fail if a lock is missing or stale.")
@click.option("--upgrade", is_flag=True, help="Ask anew for everything instead of keeping pins.")
@click.option("--resolver", type=click.Choice(["crane", "skopeo"]), help="Who asks registries.")
def command(specs: tuple[str, ...], check: bool, upgrade: bool, resolver: str | None) -> None:
    """Pin base images and downloads of SPECs by digest, in specs/NAME.lock.toml."""
    from bic.cli.locking import read_lock, relock
    from bic.cli.sources import workspace
    from bic.lock.needs import is_current, needs
    from bic.spec.load import load_all

    place = workspace()
    loaded = load_all(place, place.select(specs, Path.cwd()))
    stale = []
    for spec in loaded.values():
        lock = read_lock(place, spec)
        current = is_current(spec, lock)
        if needs(spec).is_empty and lock is None:
            click.echo(f"{spec.name}: nothing to pin", err=True)
        elif check:
            click.echo(f"{spec.name}: {'current' if current else 'stale'}", err=True)
            stale += [] if current else [spec.name]
        elif current and not upgrade:
            click.echo(f"{spec.name}: current", err=True)
        else:
            relock(place, spec, None if upgrade else lock, resolver)
            click.echo(f"{spec.name}: locked", err=True)
    if stale:
        raise click.exceptions.Exit(1)
