"""`bic schema`: the JSON Schema of the spec language, and its reference."""

from __future__ import annotations

import click


@click.command("schema")
@click.argument("files", type=click.Choice(["spec", "fragments"]), default="spec", metavar="[spec|fragments]")
@click.option("--markdown", is_flag=True, help="Print the reference of the language instead.")
def command(files: str, markdown: bool) -> None:
    """Print the JSON Schema of spec files, or of the files with fragments that they include."""
    if markdown:
        from bic.spec.reference import reference

        click.echo(reference(), nl=False)
        return
    import json

    from bic.spec.schema import fragments_schema, spec_schema

    schema = fragments_schema() if files == "fragments" else spec_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
