"""A script as text: POSIX sh that builds the same image with plain buildah."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bic.ir.definition import Origin
from bic.lower.script import (
    Argument,
    Call,
    Changes,
    Command,
    Function,
    Given,
    Prepare,
    Scratchpad,
    Script,
    Var,
    Word,
    root_of,
)


@cache
def library(name: str) -> str:
    """The text of tree.sh or prepare.sh."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def text(script: Script) -> str:
    """The whole script: one file that needs only the context directory beside it."""
    parts = [
        _head(script),
        "\n# What the build does to files.\n" + _uncommented(library("tree.sh")),
        "\n# What the build fetches.\n" + _uncommented(library("prepare.sh")),
        _cleanup(script),
        "\nprepare() {\n" + _block(script.prepare, "  ") + "}\n",
        "\nbuild() {\n" + _block(script.body, "  ") + "}\n",
        _main(script),
    ]
    return "".join(parts)


def _head(script: Script) -> str:
    secrets = "".join(f"\n#   BIC_SECRETS/{each}: a secret that a step reads" for each in script.secrets)
    return f"""\
#!/bin/sh
# {script.name} for {script.platform}. Made by `bic compile`; needs buildah, nothing of bic.
#
#   sh {script.platform.slug}.sh [IMAGE]    builds it; IMAGE is a target of `buildah commit`
#   sh {script.platform.slug}.sh --prepare  only fills the context directory, for the Dockerfile
#
# Environment: SOURCE_DATE_EPOCH (seconds; times in the image), BIC_CACHE (packages between builds),
# BIC_SECRETS (a directory with one file a secret).{secrets}
set -eu
umask 022

if [ "$(id -u)" != 0 ]; then
  exec buildah unshare sh "$0" "$@"
fi

here=$(cd "$(dirname "$0")" && pwd)
context=$here/context
target=${{1:-oci:$here/image-{script.platform.slug}}}
cache=${{BIC_CACHE:-${{XDG_CACHE_HOME:-$HOME/.cache}}/bic/packages}}
secrets=${{BIC_SECRETS:-$here/secrets}}
epoch=${{SOURCE_DATE_EPOCH:-0}}
unset SOURCE_DATE_EPOCH BUILDAH_ISOLATION BUILDAH_FORMAT
unique=build-$$
work=$(mktemp -d)
ca=
for each in "${{SSL_CERT_FILE:-}}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  if [ -z "$ca" ] && [ -f "$each" ]; then
    ca=$each
  fi
done
"""


def _uncommented(source: str) -> str:
    """A library without its first comment block, which speaks of it as a file."""
    _, _, rest = source.partition("\n\n")
    return rest if source.startswith("#") else source


def _cleanup(script: Script) -> str:
    names = "".join(f"{each.name}=\n" for each in script.containers)
    lines = []
    for command in script.cleanup:
        assert isinstance(command, Call)
        line = f"{_words(command.argv)} >/dev/null 2>&1 || :"
        held = [each for each in script.containers if (each,) in command.argv]
        lines.append(f'  [ -z "${held[0].name}" ] || {line}\n' if held else f"  {line}\n")
    return f"""
{names}
clean_up() {{
  status=$?
  trap - EXIT
{"".join(lines)}  rm -rf "$work"
  exit "$status"
}}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"""


def _main(script: Script) -> str:
    return """
mkdir -p "$context" "$cache"
prepare
[ "${1:-}" != --prepare ] || exit 0
build
printf '%s\\n' "$target"
"""


def _block(commands: tuple[Command, ...], indent: str) -> str:
    if not commands:
        return f"{indent}:\n"
    lines: list[str] = []
    shown = Origin()
    for command in commands:
        for origin, line in _lines(command):
            if origin != shown and (origin.span or origin.title):
                lines.append(f"\n{indent}# {describe(origin)}\n")
                shown = origin
            lines.append(f"{indent}{line}\n")
    return "".join(lines).lstrip("\n")


def describe(origin: Origin) -> str:
    """An origin in a comment: `specs/python.toml:12 install the tools`."""
    place = f"{origin.span.file}:{origin.span.start.line}" if origin.span else ""
    return " ".join(filter(None, [place, origin.title]))


def _lines(command: Command) -> Iterator[tuple[Origin, str]]:
    match command:
        case Call(argv=argv, origin=origin, save=save):
            words = _words(argv)
            yield origin, words if save is None else f"{save.name}=$({words})"
        case Changes(container=container, functions=functions):
            yield functions[0].origin, f"R=${root_of(container).name}"
            for each in functions:
                yield each.origin, call(each)
        case Prepare(function=function):
            yield function.origin, call(function)
        case Scratchpad(path=path):
            yield Origin(), f"mkdir -p {word(path)}"


def call(function: Function) -> str:
    """One function call as a line of shell."""
    return _words(function.words)


def _words(words: tuple[Argument, ...]) -> str:
    return " ".join(_argument(each) for each in words)


def _argument(argument: Argument) -> str:
    if isinstance(argument, Given):
        return f"${{{argument.var.name}:+{' '.join(word(each) for each in argument.words)}}}"
    return word(argument)


def word(value: Word) -> str:
    """A word quoted for the shell, its variables in double quotes."""
    if isinstance(value, str):
        return shlex.quote(value)
    pieces = (
        f'"${{{each.name}}}"' if isinstance(each, Var) else shlex.quote(each) for each in value if each != ""
    )
    return "".join(pieces) or "''"
