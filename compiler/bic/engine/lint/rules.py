"""The rules about specs as a whole. A rule's docstring is its entry in docs/lint.md."""

from __future__ import annotations

from collections.abc import Iterator

from bic.engine.lint.finding import rule
from bic.engine.lint.subject import Subject
from bic.errors import Fault
from bic.oci.reference import Reference
from bic.spec.interpolate import references
from bic.spec.model import EXECUTING, Base, Copy, Directory, Run, Shell, Spec, StepKind, User


@rule("note")
def unused_user(subject: Subject) -> Iterator[Fault]:
    """A user is created, but neither the image nor a step runs as it. Files that belong to it do not count: a
    service user that nothing runs as protects nothing."""
    runs_as = {str(subject.spec.config.user).partition(":")[0]}
    runs_as |= {
        step.options.user.partition(":")[0] for step, _ in subject.steps if type(step.kind) in EXECUTING
    }
    for step, place in subject.steps:
        if isinstance(step.kind, User) and not {step.kind.name, str(step.kind.uid)} & runs_as:
            message = f"the user `{step.kind.name}` is created, but nothing runs as it"
            hint = f'`[config]` with `user = "{step.kind.name}"`, unless images on top of this one use it'
            yield place.fault(message, "user", hint=hint, at_key=True)


@rule("warning")
def unused_stage(subject: Subject) -> Iterator[Fault]:
    """Nothing is copied from a stage: it is built for nothing."""
    used = {
        step.kind.origin.name
        for step, _ in subject.steps
        if isinstance(step.kind, Copy) and step.kind.origin.kind == "stage"
    }
    for stage in subject.spec.stages:
        if stage.name not in used:
            path = ("stage", stage.name)
            hint = f'`copy = {{ from = "stage:{stage.name}", … }}` takes files from it'
            yield subject.top.fault(f"nothing is copied from the stage `{stage.name}`", *path, hint=hint)


@rule("warning")
def unused_variable(subject: Subject) -> Iterator[Fault]:
    """A variable of `[vars]` is never referred to, in the spec, its checks or the fragments that it
    includes."""
    used = {key for data in subject.sources for scope, key in references(data) if scope == "vars"}
    for name in subject.document.data.get("vars", {}):
        if name not in used:
            yield subject.top.fault(f"the variable `{name}` is never used", "vars", name, at_key=True)


@rule("warning")
def no_platform(subject: Subject) -> Iterator[Fault]:
    """A step's `platforms` match none of the image's platforms, so that it never runs."""
    platforms = subject.spec.image.platforms
    for step, place in subject.steps:
        if step.platforms and not any(step.runs_on(platform) for platform in platforms):
            there = ", ".join(str(platform) for platform in platforms)
            yield place.fault(
                "the step runs on none of the image's platforms", "platforms", hint=f"they are {there}"
            )


@rule("warning")
def latest_tag(subject: Subject) -> Iterator[Fault]:
    """An image from outside is named without a tag, or by `latest`. The lock pins it, but what the next
    `bic lock` brings can be anything."""
    bases: list[tuple[Base, tuple[str, ...]]] = [(subject.spec.base, ("base",))]
    bases += [(stage.base, ("stage", stage.name, "base")) for stage in subject.spec.stages]
    for base, path in bases:
        if base.image is not None and _is_latest(base.image):
            yield subject.top.fault(*_latest(base.image), *path, "image")
    for step, place in subject.steps:
        if isinstance(step.kind, Copy) and step.kind.origin.kind == "image":
            image = Reference.parse(step.kind.origin.name)
            if _is_latest(image):
                yield place.fault(*_latest(image), "copy", "from")


def _is_latest(reference: Reference) -> bool:
    return reference.digest is None and reference.tag in (None, "latest")


def _latest(reference: Reference) -> tuple[str]:
    how = "by the tag `latest`" if reference.tag else "without a tag"
    return (f"the image is named {how}: `{reference}`",)


@rule("note")
def no_workdir(subject: Subject) -> Iterator[Fault]:
    """The image says what runs (`entrypoint` or `cmd`) and no spec of its family says where: it runs in
    `/`. Images on a base from a registry are left out, since that base may say it."""
    config = subject.spec.config
    family = (subject.spec, *subject.parents)
    if not (config.entrypoint or config.cmd) or family[-1].base.image is not None:
        return
    if all(spec.config.workdir is None for spec in family):
        yield subject.top.fault(
            "what the image runs starts in `/`", "config", hint="set `workdir`", at_key=True
        )


@rule("note")
def workdir_of_root(subject: Subject) -> Iterator[Fault]:
    """The image runs as an ordinary user in a `workdir` that no step makes: it is made, owned by root, and
    the user cannot write there. Images on a base from a registry are left out, since that base may have
    it."""
    config = subject.spec.config
    family = (subject.spec, *subject.parents)
    if config.user in (None, "root", "0", "0:0", "root:root") or family[-1].base.image is not None:
        return
    if config.workdir not in (None, "/") and not any(_makes(spec, str(config.workdir)) for spec in family):
        hint = f'`directory = {{ path = "{config.workdir}", owner = "{config.user}" }}`'
        message = f"no step makes `{config.workdir}`, so it belongs to root"
        yield subject.top.fault(message, "config", "workdir", hint=hint)


def _makes(spec: Spec, path: str) -> bool:
    """Whether a step makes the directory, or may do so in a way that cannot be seen from here."""
    return any(_makes_directory(step.kind, path) for step in spec.steps)


def _makes_directory(kind: StepKind, path: str) -> bool:
    match kind:
        case Directory(path=made) | User(home=made, create_home=True) | Copy(path=made):
            return made == path
        case Shell(shell=text):
            return path in text
        case Run(run=words):
            return path in words
        case _:
            return False


@rule("note")
def not_evaluated(subject: Subject) -> Iterator[Fault]:
    """A table of the language that this version reads as data and does not act on yet: `check`, `checks`,
    `use`, `release`."""
    for key, _ in subject.spec.later:
        yield subject.top.fault(f"this version of bic does not act on `{key}` yet", key, at_key=True)


RULES = (
    unused_user,
    unused_stage,
    unused_variable,
    no_platform,
    latest_tag,
    no_workdir,
    workdir_of_root,
    not_evaluated,
)
