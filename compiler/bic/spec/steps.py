"""One raw step into a `Step`: dispatched by its one subject key, then structured strictly."""

from __future__ import annotations

import re
from typing import Any

import attrs

from bic.errors import Malformed, Span
from bic.oci.reference import Reference
from bic.spec.model import (
    EXECUTING,
    KINDS,
    Copy,
    Fetch,
    File,
    Options,
    Permissions,
    Pip,
    Step,
    Symlink,
    User,
)
from bic.spec.near import did_you_mean, near
from bic.spec.structure import Problem, structure, structure_value, toml_name
from bic.spec.toml import TomlPath
from bic.spec.values import PlatformGlob, Text, image_path, workspace_path

SUBJECTS: dict[str, type] = {kind.SUBJECT: kind for kind in KINDS}  # type: ignore[attr-defined]
"""The step kinds by the key that selects them."""

COMMON = ("title", "platforms")
OPTIONS = tuple(toml_name(a) for a in attrs.fields(Options))


def step_of(data: dict[str, Any], span: Span) -> tuple[Step | None, list[Problem]]:
    """The step that `data` describes, or None and what is wrong with it."""
    subjects = _subjects(data)
    if len(subjects) != 1:
        return None, [_not_one(data, subjects)]
    kind = SUBJECTS[subjects[0]]
    problems = _unknown_keys(data, kind)
    value, wrong = _kind(data, kind)
    problems += wrong
    options, wrong = _options(data, kind)
    problems += wrong
    title, wrong = structure_value(data.get("title", ""), Text)
    problems += _below("title", wrong)
    globs, wrong = structure_value(data.get("platforms", []), tuple[PlatformGlob, ...])
    problems += _below("platforms", wrong)
    if problems:
        return None, problems
    return Step(value, span, title, (globs,) if globs else (), options), []


def _subjects(data: dict[str, Any]) -> list[str]:
    """The keys that select a kind. Kinds that share a name with an option (`user`, `env`) yield to others."""
    found = [key for key in data if key in SUBJECTS]
    executing = [key for key in found if SUBJECTS[key] in EXECUTING]
    if executing:
        found = [key for key in found if key in executing or key not in OPTIONS]
    return found


def _not_one(data: dict[str, Any], subjects: list[str]) -> Problem:
    if len(subjects) > 1:
        both = " and ".join(f"`{key}`" for key in subjects)
        return Problem(
            (subjects[1],), f"a step has one kind, this one has {both}", "make it two steps", at_key=True
        )
    for key in data:
        match = near(key, SUBJECTS) if key not in (*COMMON, *OPTIONS) else None
        if match:
            return Problem((key,), f"unknown kind of step `{key}`", f"did you mean `{match}`?", at_key=True)
    kinds = ", ".join(f"`{name}`" for name in SUBJECTS)
    return Problem((), "the step has no kind", f"one of {kinds}, or `use`", at_key=True)


def _scalar(kind: type) -> bool:
    """Whether the subject key holds the value itself (`run`, `shell`, `env`, `timezone`), not a table."""
    return bool(attrs.fields(kind)[0].name == kind.SUBJECT)  # type: ignore[attr-defined]


def beside(kind: type) -> tuple[str, ...]:
    """Keys of a scalar kind that stand beside its subject, such as `interpreter`."""
    return tuple(toml_name(a) for a in attrs.fields(kind)[1:]) if _scalar(kind) else ()


def _unknown_keys(data: dict[str, Any], kind: type) -> list[Problem]:
    subject = kind.SUBJECT  # type: ignore[attr-defined]
    known = {subject, *COMMON, *beside(kind), *(OPTIONS if kind in EXECUTING else ())}
    problems = []
    for key in data:
        if key in known:
            continue
        if key in OPTIONS:
            message = f"`{key}` belongs to steps that execute, not to `{subject}`"
            problems.append(Problem((key,), message, at_key=True))
        else:
            problems.append(Problem((key,), f"unknown key `{key}`", did_you_mean(key, known), at_key=True))
    return problems


def _kind(data: dict[str, Any], kind: type) -> tuple[Any, list[Problem]]:
    subject = kind.SUBJECT  # type: ignore[attr-defined]
    value: Any
    if _scalar(kind):
        keys = (subject, *beside(kind))
        value, problems = structure({key: data[key] for key in keys if key in data}, kind)
    else:
        value, problems = structure(data[subject], kind)
        problems = _below(subject, problems)
    if value is not None:
        problems = problems + _below("" if _scalar(kind) else subject, _whole(value))
    if isinstance(value, Copy) and not problems:
        value = attrs.evolve(value, source=_source(value))
    return value, problems


def _options(data: dict[str, Any], kind: type) -> tuple[Options, list[Problem]]:
    if kind not in EXECUTING:
        return Options(), []
    options, problems = structure({key: data[key] for key in OPTIONS if key in data}, Options)
    return (options, _mounts(options)) if options is not None else (Options(), problems)


def _below(key: str, problems: list[Problem]) -> list[Problem]:
    return [attrs.evolve(each, path=(key, *each.path)) for each in problems] if key else problems


def _whole(value: Any) -> list[Problem]:
    """What no single field shows."""
    match value:
        case File():
            return _file(value)
        case Permissions(mode=None, owner=None):
            return [Problem((), "permissions need `mode` or `owner`", at_key=True)]
        case Pip(packages=(), requirements=None):
            return [Problem((), "pip needs `packages` or `requirements`", at_key=True)]
        case Fetch():
            return _fetch(value)
        case Copy():
            return _copy(value)
        case User():
            return _user(value)
        case Symlink():
            return _no_root(value.path, "a symbolic link") + (
                [] if value.target else [Problem(("target",), "a symbolic link points somewhere")]
            )
        case _:
            return _nothing_to_do(value)


def _file(value: File) -> list[Problem]:
    problems = _no_root(value.path, "a file")
    if value.content is None and value.source is None:
        problems.append(Problem((), "a file needs `content` or `source`", at_key=True))
    if value.content is not None and value.source is not None:
        problems.append(Problem(("source",), "a file has `content` or `source`, not both", at_key=True))
    return problems


def _fetch(value: Fetch) -> list[Problem]:
    problems = [] if value.extract else _no_root(value.path, "a file")
    if value.sha256 is not None and value.unpinned:
        message = "`sha256` pins the content, `unpinned` says that nothing does"
        problems.append(Problem(("unpinned",), message, at_key=True))
    if value.strip and not value.extract:
        problems.append(Problem(("strip",), "`strip` needs `extract = true`", at_key=True))
    if value.mode is not None and value.extract:
        message = "`mode` is for a single file; what is unpacked gets 0644 or 0755"
        problems.append(Problem(("mode",), message, "a `permissions` step changes it", at_key=True))
    return problems


def _no_root(path: str, what: str) -> list[Problem]:
    return [Problem(("path",), f"{what} cannot be the root directory")] if path == "/" else []


def _user(value: User) -> list[Problem]:
    """The fields of /etc/passwd are separated by colons."""
    return [
        Problem((key,), f"`{key}` must not hold a colon: `{getattr(value, key)}`")
        for key in ("home", "shell", "comment")
        if ":" in getattr(value, key)
    ]


def _nothing_to_do(value: Any) -> list[Problem]:
    subject = value.SUBJECT
    if subject in ("apt", "apk", "dnf") and not value.packages and value.upgrade == "none":
        return [Problem((), f"{subject} needs `packages` or `upgrade`", at_key=True)]
    if subject == "run" and not any(value.run[:1]):
        return [Problem(("run",), "expected a program, found nothing to run")]
    if subject == "shell" and not any(value.interpreter[:1]):
        return [Problem(("interpreter",), "expected a program, found nothing to run")]
    if subject == "remove" and not value.paths:
        return [Problem(("paths",), "expected paths, found an empty array")]
    return []


def _copy(value: Copy) -> list[Problem]:
    problems = []
    try:
        _source(value)
    except Malformed as wrong:
        problems.append(Problem(("source",), wrong.message, wrong.hint))
    if value.origin.kind == "image":
        try:
            Reference.parse(value.origin.name)
        except Malformed as wrong:
            problems.append(Problem(("from",), wrong.message, wrong.hint))
    for index, pattern in enumerate(value.exclude):
        if not _is_pattern(pattern):
            message = f"not a pattern of names: `{pattern}`"
            hint = "parts of names, `*`, `?` and `[…]`; no `**`, `!`, `..` or backslash"
            problems.append(Problem(("exclude", index), message, hint))
    return problems


def _source(value: Copy) -> Text:
    is_local = value.origin.kind == "workspace"
    return Text(workspace_path(value.source) if is_local else image_path(value.source))


def _is_pattern(text: str) -> bool:
    """Patterns mean the same to `.gitignore` and to a shell, for the workspace uses one, stages the other."""
    parts = text.strip("/").split("/")
    odd = text.startswith(("!", "#")) or text != text.strip() or "\\" in text or "**" in text
    return not odd and all(part not in ("", ".", "..") for part in parts)


def _mounts(options: Options) -> list[Problem]:
    """Paths of mounts are words of `--volume A:B` and of a Dockerfile's `--mount=…,target=B`."""
    problems = []
    taken: set[str] = set()
    paths: list[tuple[TomlPath, str]] = [(("cache", index), path) for index, path in enumerate(options.cache)]
    for place, path in [*paths, *((("bind", path), path) for path, _ in options.bind)]:
        if not re.fullmatch(r"[A-Za-z0-9_./+@%=~-]+", path) or path == "/":
            hint = "letters, digits and `_./+@%=~-`"
            problems.append(Problem(place, f"nothing can be mounted at this path: `{path}`", hint))
        elif path in taken:
            problems.append(Problem(place, f"two mounts at one path: `{path}`"))
        taken.add(path)
    return problems
