"""ShellCheck's findings in the scripts of specs, at their places in the TOML source.

Effects: starts ShellCheck, writes the scripts to a temporary folder.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bic.engine.lint.finding import Finding
from bic.engine.lint.scripts import Script
from bic.errors import Severity
from bic.process import Command, ProcessFailed, run

SEVERITIES: Mapping[str, Severity] = {
    "error": "warning",
    "warning": "warning",
    "info": "note",
    "style": "note",
}
NOT_ASKED = ("SC1091", "SC1128", "SC2148")
"""Files that are not here, and the first line: a step's script has no `#!`."""

CONSTANT = {2043, 2050, 2157, 2193, 2194}
"""Findings about constants, which a variable of bic's only seems to be."""


def program() -> str | None:
    """ShellCheck beside the interpreter that runs bic (the `lint` extra), else on PATH."""
    beside = Path(sys.executable).with_name("shellcheck")
    return str(beside) if beside.is_file() else shutil.which("shellcheck")


def check(scripts: Iterable[Script], shellcheck: str) -> Iterator[Finding]:
    """The findings in all scripts, ShellCheck started once a dialect; what is no shell is left out."""
    by_dialect: dict[str, list[Script]] = {}
    for script in scripts:
        if script.dialect is not None:
            by_dialect.setdefault(script.dialect, []).append(script)
    for dialect, group in sorted(by_dialect.items()):
        for number, comment in _comments(group, dialect, shellcheck):
            yield from _finding(group[number], comment)


def _comments(group: list[Script], dialect: str, shellcheck: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with tempfile.TemporaryDirectory(prefix="bic-lint-") as folder:
        for number, script in enumerate(group):
            Path(folder, str(number)).write_text(_header(script) + script.text, "utf-8")
        files = tuple(str(number) for number in range(len(group)))
        options = ("--norc", "--format=json1", f"--shell={dialect}", f"--exclude={','.join(NOT_ASKED)}")
        done = run(Command((shellcheck, *options, *files), cwd=folder), check=False)
    if done.returncode not in (0, 1):
        raise ProcessFailed(done)
    for comment in json.loads(done.stdout)["comments"]:
        yield int(comment["file"]), comment


def _header(script: Script) -> str:
    """A first line that says what the interpreter's options do; it is subtracted from all lines."""
    return f"set -{script.options}\n" if script.options else "\n"


def _finding(script: Script, comment: dict[str, Any]) -> Iterator[Finding]:
    code = comment["code"]
    if code in CONSTANT and script.has_references:
        return
    start = script.located.at(comment["line"] - 1, comment["column"])
    end = script.located.at(comment["endLine"] - 1, comment["endColumn"])
    hint = f"https://www.shellcheck.net/wiki/SC{code}"
    message = comment["message"].rstrip(".")
    message = message[:1].lower() + message[1:] if message[1:2].islower() else message
    yield Finding(f"SC{code}", script.fault(start, end, message, hint, SEVERITIES[comment["level"]]))
