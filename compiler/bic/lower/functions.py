"""File actions as calls of the functions in tree.sh."""

from __future__ import annotations

from typing import assert_never

from bic.ir.definition import Origin
from bic.ir.op import (
    Action,
    AddGroup,
    AddUser,
    Content,
    CopyFrom,
    Download,
    EnsureDirectory,
    Inline,
    Local,
    MakeDirectory,
    MakeSymlink,
    Remove,
    RemoveMatching,
    SetFileModes,
    SetPermissions,
    SetTimezone,
)
from bic.lower.context import entry_name
from bic.lower.script import CONTEXT, Function, Word, join

ROOT = "0:0"


def function(action: Action, origin: Origin, content: Content | None = None) -> tuple[Function, ...]:
    """The calls that carry out an action; a `CopyFrom` needs the content that it copies."""
    return tuple(Function(words, origin) for words in _words(action, content))


def _words(action: Action, content: Content | None) -> tuple[tuple[Word, ...], ...]:
    match action:
        case MakeDirectory(path=path, mode=mode, owner=owner):
            return (("make_directory", path, mode, str(owner)),)
        case EnsureDirectory(path=path):
            return (("ensure_directory", path),)
        case MakeSymlink(path=path, target=target):
            return (("make_symlink", path, target),)
        case Remove(paths=paths, force=force):
            return (("remove_all" if force else "remove", *paths),)
        case RemoveMatching(path=path, patterns=patterns):
            return (("remove_matching", path, *patterns),)
        case SetFileModes(path=path, mode=mode):
            return (("set_file_modes", path, mode),)
        case SetPermissions(path=path, mode=permissions, owner=maybe, recursive=recursive):
            changed = str(maybe) if maybe else "-"
            return (("set_permissions", path, permissions or "-", changed, "yes" if recursive else "no"),)
        case AddGroup(name=name, gid=gid):
            return (("add_group", name, str(gid)),)
        case AddUser() as user:
            return (_user(user),)
        case SetTimezone(zone=zone):
            return (("set_timezone", zone),)
        case CopyFrom() as copy:
            assert content is not None
            return (_put(copy, content),)
        case _:
            assert_never(action)


def _user(user: AddUser) -> tuple[Word, ...]:
    created = "yes" if user.create_home else "no"
    numbers = (str(user.uid), str(user.gid))
    described = (user.group, user.home, user.shell, user.comment)
    return ("add_user", user.name, *numbers, *described, created, *user.groups)


def _put(copy: CopyFrom, content: Content) -> tuple[Word, ...]:
    source = join(CONTEXT, "/", entry_name(content))
    owner = str(copy.owner) if copy.owner else ROOT
    if copy.is_directory:
        return ("put_tree", source, copy.path, owner)
    return ("put_file", source, copy.path, _mode(content), owner)


def _mode(content: Content) -> str:
    match content:
        case Inline(mode=mode):
            return mode
        case Local(entries=entries):
            return entries[0].mode
        case Download(mode=mode):
            return mode or "0644"
