"""The command line: finds the verb, runs it, and renders what it raises.

Verbs are loaded when they are called: `bic --help` imports none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from bic import __version__
from bic.errors import BicError

VERBS = {
    "build": "Build specs into OCI images.",
    "compile": "Write the steps, scripts and Dockerfile of specs.",
    "doctor": "Tell what of this machine stands in a build's way.",
    "graph": "Show which spec builds on which.",
    "init": "Start a workspace.",
    "lint": "Find faults and doubtful places in specs.",
    "lock": "Pin what specs take from outside.",
    "schema": "Print the JSON Schema of the spec language.",
}
"""Each verb is one module of this package, with its short help."""


class Verbs(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        found = import_module(f"bic.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from bic.spec.near import did_you_mean

            hint = did_you_mean(args[0], VERBS) if args else None
            raise click.UsageError(f"{error.message} {hint or ''}".rstrip(), ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name]) for name in self.list_commands(ctx)])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bic")
def bic() -> None:
    """The base image compiler: TOML specs in, checked multi-arch OCI images out, rootless.

    Exit codes: 0 done, 1 the work failed, 2 the input is wrong, 3 the machine lacks something,
    4 nothing was selected, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    try:
        # click turns an `Exit` into the value that it returns.
        code = bic.main(arguments, prog_name="bic", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    except BicError as error:
        from bic.cli.render import render

        click.echo(render(error), err=True)
        code = error.code
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    sys.exit(code)
