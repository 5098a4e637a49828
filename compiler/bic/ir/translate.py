"""Values of the spec as values of the step IR: no state, no graph."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bic.errors import Malformed
from bic.ir.op import (
    Action,
    AddGroup,
    AddUser,
    Config,
    Entry,
    MakeDirectory,
    MakeSymlink,
    Pairs,
    Remove,
    SetPermissions,
    SetTimezone,
)
from bic.lock.inputs import InputEntry
from bic.spec import model
from bic.spec.near import did_you_mean


def entry_of(entry: InputEntry, mode: str | None) -> Entry:
    """A file of the workspace as it is in the image; `mode` overrides what its x bit says."""
    if entry.type == "file":
        return Entry(entry.path, "file", mode or ("0755" if entry.executable else "0644"), entry.digest)
    if entry.type == "directory":
        return Entry(entry.path, "directory", "0755")
    return Entry(entry.path, "symlink", "0777", target=entry.target)


_ENV_REFERENCE = re.compile(r"(\$?)\$\{env\.([^{}]*)\}")


def fill(value: str, known: Mapping[str, str]) -> str:
    """`${env.NAME}` in an environment value: what is in force before it."""

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        if match[2] not in known:
            raise Malformed(f"`{match[2]}` is not set here: `{match[0]}`", did_you_mean(match[2], known))
        return known[match[2]]

    return _ENV_REFERENCE.sub(replace, value)


def action(kind: object) -> Action:
    """The file action that a step kind means; kinds that copy or execute have none."""
    match kind:
        case model.Directory(path=path, mode=mode, owner=owner):
            return MakeDirectory(path, mode, owner)
        case model.Symlink(path=path, target=target):
            return MakeSymlink(path, target)
        case model.Remove(paths=paths):
            return Remove(paths)
        case model.Permissions(path=path, mode=mode, owner=owner, recursive=recursive):
            return SetPermissions(path, mode, owner, recursive)
        case model.Group(name=name, gid=gid):
            return AddGroup(name, gid)
        case model.User() as user:
            return _user(user)
        case model.Timezone(timezone=zone):
            return SetTimezone(zone)
        case _:
            raise AssertionError(f"no action for {kind!r}")


def _user(user: model.User) -> AddUser:
    return AddUser(
        user.name,
        user.uid,
        user.gid,
        user.group,
        user.groups,
        user.home,
        user.create_home,
        user.shell,
        user.comment,
    )


DESCRIPTION = "org.opencontainers.image.description"


def config_of(spec: model.Spec) -> Config:
    """The config that a spec gives its image, apart from the environment."""
    config = spec.config
    described = ((DESCRIPTION, str(spec.image.description)),) if spec.image.description else ()
    cmd = config.cmd
    if cmd is None and config.entrypoint is not None:
        cmd = ()
    return Config(
        labels=_over(described, spec.image.labels),
        annotations=_over(described, spec.image.annotations),
        user=config.user,
        workdir=config.workdir,
        entrypoint=config.entrypoint,
        cmd=cmd,
        ports=config.ports or (),
        volumes=config.volumes or (),
        stop_signal=config.stop_signal,
    )


def _over(first: Pairs, second: Pairs) -> Pairs:
    """Both tables, the second winning, sorted by name."""
    return tuple(sorted({**dict(first), **dict(second)}.items()))
