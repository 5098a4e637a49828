"""`bic init`: a workspace to start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from bic.errors import Fault, InputInvalid, Malformed, WorkFailed

TEMPLATES = {
    "bic.toml": "bic.toml",
    "specs/@NAME@.toml": "spec.toml",
    "checks/@NAME@.toml": "checks.toml",
    ".gitignore": "gitignore",
}
"""Files of a workspace, and the templates that they are made from."""

CI = {
    "gitlab": {".gitlab-ci.yml": "gitlab-ci.yml"},
    "github": {".github/workflows/images.yml": "github.yml"},
    "none": {},
}


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--name", default="base", show_default=True, help="Name of the first spec.")
@click.option(
    "--ci",
    type=click.Choice(["gitlab", "github", "both", "none"]),
    default="both",
    show_default=True,
    help="For which CI to write a snippet.",
)
def command(folder: Path, name: str, ci: str) -> None:
    """Start a workspace in DIR (here without it): a spec that builds, a check suite, CI snippets.

    Prints what it wrote. Files that are there already are kept; a spec of that name is an error.
    """
    _check_name(name)
    root = folder.absolute()
    if (root / f"specs/{name}.toml").exists():
        hint = "choose another name with --name"
        raise InputInvalid(Fault(f"there is a spec already: `{folder / f'specs/{name}.toml'}`", hint=hint))
    for path, text in _files(name, ci):
        if _write(root / path, text):
            click.echo(path)
        else:
            click.echo(f"kept as it is: {path}", err=True)
    where = "" if root == Path.cwd() else f"cd {folder} && "
    click.echo(f"next: {where}bic lint, bic doctor, bic build", err=True)


def _check_name(name: str) -> None:
    from bic.spec.values import repository
    from bic.spec.workspace import refuse_name

    refuse_name(name, f"specs/{name}.toml")
    if name.split("/")[0] in ("fragments", "procedures") or name.endswith(".lock"):
        raise InputInvalid(f"not a name for a spec: `{name}`")
    try:
        repository(name)
    except Malformed as error:
        raise InputInvalid(Fault(error.message, hint=error.hint)) from error


def _files(name: str, ci: str) -> Iterator[tuple[str, str]]:
    """Each file below the workspace's root with its text."""
    import platform
    from importlib.resources import files

    from bic.oci.platform import Platform

    chosen = CI["gitlab"] | CI["github"] if ci == "both" else CI[ci]
    values = {
        "@NAME@": name,
        "@IMAGE@": name,
        "@SUITE@": name.rsplit("/", 1)[-1].replace(".", "-"),
        "@UP@": "../" * (name.count("/") + 1),
        "@PLATFORM@": str(Platform.parse(f"linux/{platform.machine()}")),
    }
    for path, template in {**TEMPLATES, **chosen}.items():
        text = files("bic.cli").joinpath("templates", template).read_text("utf-8")
        yield _filled(path, values), _filled(text, values)


def _filled(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _write(path: Path, text: str) -> bool:
    """Whether the file was made; one that is there, be it a dangling link, is left alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.is_dir() or not path.parent.is_dir():
            raise InputInvalid(f"in the way of a file to write: `{path}`") from None
        return False
    except OSError as error:
        raise WorkFailed(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from error
    return True
