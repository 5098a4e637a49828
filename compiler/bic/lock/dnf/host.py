"""This machine's dnf: the Python that has it, and asking it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bic.errors import HostLacking
from bic.process import Cancel, Command, run

SOLVER = Path(__file__).with_name("solver.py")

PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python", "python3")
"""dnf belongs to the distribution's Python, which a virtual environment hides."""

MACROS = "%_dbpath /var/lib/rpm\n"
"""Debian's rpm would have its database in the home of whoever runs it."""

HINT = (
    "locks of `dnf` steps need it; on Debian or Ubuntu: `apt-get install dnf rpm`; on Fedora and its kin: "
    "`dnf install python3-dnf rpm`"
)


def python(cancel: Cancel | None = None) -> str:
    """The Python that has dnf 4; `HostLacking` says what to install."""
    for each in PYTHONS:
        if _has_dnf(each, cancel):
            return each
    raise HostLacking("dnf 4 with its Python module is not installed", hint=HINT)


def _has_dnf(program: str, cancel: Cancel | None) -> bool:
    try:
        argv = (program, "-I", "-c", "import dnf.base, rpm")
        return run(Command(argv), check=False, cancel=cancel).returncode == 0
    except HostLacking:
        return False


def ask(question: dict[str, Any], folder: Path, cancel: Cancel | None = None) -> dict[str, Any]:
    """What `solver.py` answers; its files are made in `folder`, which is its home meanwhile."""
    paths = (folder / "question.json", folder / "answer.json")
    paths[0].write_text(json.dumps(question), encoding="utf-8")
    (folder / ".rpmmacros").write_text(MACROS, encoding="utf-8")
    argv = (python(cancel), "-I", str(SOLVER), *map(str, paths))
    run(Command(argv, env=home(folder)), cancel=cancel)
    answer = json.loads(paths[1].read_bytes())
    assert isinstance(answer, dict)
    return answer


def home(folder: Path) -> tuple[tuple[str, str], ...]:
    """The variables for programs that take rpm's macros from `folder`, and none from the user's home."""
    return (("HOME", str(folder)), ("XDG_RUNTIME_DIR", str(folder)))
