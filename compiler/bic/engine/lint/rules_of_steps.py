"""The rules about single values and steps. A rule's docstring is its entry in docs/lint.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bic.engine.lint.finding import rule
from bic.engine.lint.scripts import scripts
from bic.engine.lint.subject import Place, Subject
from bic.errors import Fault
from bic.spec.model import EXECUTING, Env, EnvTable, Fetch, Run

_SHELL_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)\}")
_SECRET = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)(_|$)", re.I
)
_HARMLESS = re.compile(r"_(FILE|PATH|DIR|URL|TTL|LENGTH)$", re.I)
_MTIME = re.compile(
    r"\btouch\s+(?:-\w+\s+)*(?:-\w*[dtr]\b|--date\b|--reference\b)[^\n;&|]*"
    r"|\bfind\b[^\n;&|]*\s-newermt\b[^\n;&|]*"
)


@rule("warning")
def unexpanded_variable(subject: Subject) -> Iterator[Fault]:
    """The value of an environment variable holds `$NAME`. Values are literal: the image would hold the dollar
    sign. `${env.NAME}` is the value that a variable has so far."""
    for place, keys, name, value in _variables(subject):
        if match := _SHELL_VARIABLE.search(value):
            variable = match[1] or match[2]
            message = f"`{match[0]}` in `{name}` stays as it is: values of variables are literal"
            yield place.fault(message, *keys, name, hint=f"write `${{env.{variable}}}` for the value so far")


@rule("warning")
def secret_in_env(subject: Subject) -> Iterator[Fault]:
    """An environment variable that is named like a secret has a value. Whoever pulls the image can read it,
    and whoever reads the spec."""
    for place, keys, name, value in _variables(subject):
        if value and _SECRET.search(name) and not _HARMLESS.search(name):
            hint = "`secrets` gives a step a file under /run/secrets; what runs is told when it is started"
            yield place.fault(f"`{name}` looks like a secret, and stays in the image", *keys, name, hint=hint)


@rule("warning")
def unpinned_download(subject: Subject) -> Iterator[Fault]:
    """A `fetch` says `unpinned = true`: nothing tells whether the next build gets the same file."""
    for step, place in subject.steps:
        if isinstance(step.kind, Fetch) and step.kind.unpinned:
            hint = "leave out `unpinned`, and the lock pins the content"
            yield place.fault("the content of the download is not pinned", "fetch", "unpinned", hint=hint)


@rule("warning")
def mtime_trick(subject: Subject) -> Iterator[Fault]:
    """A step sets times of files (`touch -d`, `find … -newermt`). bic gives all files of an image their times
    itself, and some storage drivers miss a change that keeps a file's size and time."""
    hint = "bic sets the times of all files in the image; leave it out"
    for script in scripts(subject):
        for match in _MTIME.finditer(script.text):
            start, end = (script.located.position(offset) for offset in match.span())
            yield script.fault(start, end, "the script sets times of files", hint, "warning")
    for step, place in subject.steps:
        if isinstance(step.kind, Run) and _MTIME.search(" ".join(step.kind.run)):
            yield place.fault("the command sets times of files", "run", hint=hint)


def _variables(subject: Subject) -> Iterator[tuple[Place, tuple[str, ...], str, str]]:
    """Each variable that the spec sets: where its table stands, its name and value."""
    tables: list[tuple[Place, tuple[str, ...], EnvTable]] = [(subject.top, ("env",), subject.spec.env)]
    tables += [(subject.top, ("stage", stage.name, "env"), stage.env) for stage in subject.spec.stages]
    for step, place in subject.steps:
        if isinstance(step.kind, Env):
            tables.append((place, ("env",), step.kind.env))
        elif type(step.kind) in EXECUTING:
            tables.append((place, ("env",), step.options.env))
    for place, keys, table in tables:
        for name, value in table:
            yield place, keys, name, value


RULES = (unexpanded_variable, secret_in_env, unpinned_download, mtime_trick)
