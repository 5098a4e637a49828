"""The small values of the spec language: each is made by a parser that refuses everything else.

Parsers take the text as written and raise `Malformed`; what comes out is normalised and needs no
second look. Where a value is still text (a path, a name) its type is a `NewType`, so that no raw
string reaches the intermediate representation.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any, NewType

from attrs import frozen

from bic.errors import Malformed
from bic.oci.platform import Platform

ImagePath = NewType("ImagePath", str)
"""An absolute, normalised path in the image: no `..`, no double or trailing slash."""

ImageGlob = NewType("ImageGlob", str)
"""An image path whose components may hold `*`, `?` and `[…]`."""

WorkspacePath = NewType("WorkspacePath", str)
"""A normalised path relative to the workspace root that does not leave it."""

Mode = NewType("Mode", str)
"""Four octal digits, such as `0755`."""

ModeChange = NewType("ModeChange", str)
"""Four octal digits, or symbolic clauses of chmod(1): `u+x,o-w`."""

Name = NewType("Name", str)
"""A user or group name as useradd(8) allows it."""

Port = NewType("Port", str)
"""A port of the OCI config with its protocol: `80/tcp`."""

Sha256 = NewType("Sha256", str)
"""64 lower-case hexadecimal digits."""

Url = NewType("Url", str)
EnvName = NewType("EnvName", str)
Text = NewType("Text", str)
"""A string on one line without NUL: what an environment variable, label or argument may hold."""

Repository = NewType("Repository", str)
Zone = NewType("Zone", str)
SecretId = NewType("SecretId", str)
PlatformGlob = NewType("PlatformGlob", str)
DebianPackage = NewType("DebianPackage", str)
Package = NewType("Package", str)
Word = NewType("Word", str)
"""A short identifier: letters, digits, `.`, `_`, `-`."""


@frozen
class Owner:
    """User and group, each a name or a decimal number; an empty group means the login group of a name."""

    user: str
    group: str

    def __str__(self) -> str:
        return f"{self.user}:{self.group}"

    @property
    def is_numeric(self) -> bool:
        return self.user.isdecimal() and self.group.isdecimal()


@frozen
class CopySource:
    """Where a `copy` step takes its files: the workspace, a stage of the spec, or another image."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


def image_path(text: str) -> ImagePath:
    if not text.startswith("/"):
        absolute = posixpath.normpath(f"/{text}")
        raise Malformed(f"a path in the image must be absolute: `{text}`", hint=f"write `{absolute}`")
    _refuse_control(text, "path")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Malformed(
            f"a path in the image must not contain `..`: `{text}`",
            hint=f"write `{posixpath.normpath(text)}`",
        )
    return ImagePath("/" + "/".join(parts))


def image_glob(text: str) -> ImageGlob:
    path = image_path(text)
    if path == "/":
        raise Malformed("the root directory cannot be removed: `/`")
    return ImageGlob(path)


def is_glob(path: str) -> bool:
    return any(char in path for char in "*?[")


def workspace_path(text: str) -> WorkspacePath:
    if not text:
        raise Malformed(
            "a path in the workspace must not be empty", hint="write `.` for the workspace itself"
        )
    _refuse_control(text, "path")
    if text.startswith("/"):
        raise Malformed(
            f"a path in the workspace must be relative: `{text}`",
            hint="paths count from the workspace root",
        )
    normal = posixpath.normpath(text)
    if normal == ".." or normal.startswith("../"):
        raise Malformed(
            f"a path must not leave the workspace: `{text}`", hint="move the file into the workspace"
        )
    return WorkspacePath(normal)


def mode(text: str) -> Mode:
    if not re.fullmatch(r"0?[0-7]{3}|[0-7]{4}", text):
        raise Malformed(f"a mode is three or four octal digits: `{text}`", hint='for example `mode = "0755"`')
    return Mode(text.zfill(4))


def mode_change(text: str) -> ModeChange:
    if re.fullmatch(r"[0-7]{3,4}", text):
        return ModeChange(text.zfill(4))
    clause = r"[ugoa]*([-+]([rwxXst]+|[ugo])|=([rwxXst]*|[ugo]))+"
    if not re.fullmatch(rf"{clause}(,{clause})*", text):
        raise Malformed(
            f"a mode is octal digits or symbolic clauses: `{text}`", hint='for example "0644" or "u+x,o-w"'
        )
    return ModeChange(text)


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?")


def name(text: str) -> Name:
    if not _NAME.fullmatch(text):
        raise Malformed(
            f"not a user or group name: `{text}`",
            hint="up to 32 letters, digits, `_`, `-`, `.`, and no digit or dash first",
        )
    return Name(text)


def owner(text: str) -> Owner:
    user, colon, group = text.partition(":")
    if colon and not group:
        raise Malformed(
            f"the group after `:` is missing: `{text}`", hint='for example "airbyte:airbyte" or "1000:1000"'
        )
    parsed = _account(user, text)
    if colon:
        return Owner(parsed, _account(group, text))
    return Owner(parsed, parsed if parsed.isdecimal() else "")


def _account(part: str, whole: str) -> str:
    if re.fullmatch(r"[0-9]{1,20}", part) and int(part) < 2**32 - 1:
        return str(int(part))
    if not _NAME.fullmatch(part):
        raise Malformed(
            f"an owner is `user:group`, names or numbers: `{whole}`",
            hint='for example "airbyte:airbyte" or "1000:1000"',
        )
    return part


def account(text: str) -> Text:
    """A user for a step or the image: `user`, `user:group`, names or numbers."""
    user, colon, group = text.partition(":")
    parsed = _account(user, text) + (f":{_account(group, text)}" if colon else "")
    return Text(parsed)


def port(text: str) -> Port:
    match = re.fullmatch(r"([0-9]{1,5})(?:/(tcp|udp|sctp))?", text)
    if match is None or not 0 < int(match[1]) < 65536:
        raise Malformed(
            f"a port is a number up to 65535 with an optional protocol: `{text}`", hint='"8080", "53/udp"'
        )
    return Port(f"{int(match[1])}/{match[2] or 'tcp'}")


def sha256(text: str) -> Sha256:
    bare = text.removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", bare):
        raise Malformed(f"a sha256 is 64 lower-case hexadecimal digits: `{text}`")
    return Sha256(bare)


def url(text: str) -> Url:
    _refuse_control(text, "URL")
    if not re.fullmatch(r"https?://[^\s/@'\"\\]+(/[^\s'\"\\]*)?", text):
        raise Malformed(
            f"not a plain http or https address: `{text}`",
            hint="user names and passwords do not belong in a spec",
        )
    return Url(text)


def env_name(text: str) -> EnvName:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise Malformed(f"not the name of an environment variable: `{text}`", hint="letters, digits and `_`")
    return EnvName(text)


def line(text: str) -> Text:
    _refuse_control(text, "value")
    return Text(text)


def label(text: str) -> Text:
    """The name of a label or an annotation; tools write `NAME=VALUE`, so it holds no `=`."""
    _refuse_control(text, "name")
    if not text.strip() or "=" in text:
        raise Malformed(f"not the name of a label: `{text}`", hint="a name is not empty and holds no `=`")
    return Text(text)


def repository(text: str) -> Repository:
    component = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    if not re.fullmatch(rf"{component}(?:/{component})*", text) or len(text) > 255:
        raise Malformed(
            f"not a repository name: `{text}`",
            hint="lower-case letters, digits, `.`, `_`, `-` inside, `/` between parts; no registry, no tag",
        )
    return Repository(text)


def zone(text: str) -> Zone:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", text):
        raise Malformed(f"not the name of a time zone: `{text}`", hint='for example "UTC" or "Europe/Paris"')
    return Zone(text)


def secret_id(text: str) -> SecretId:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise Malformed(
            f"not a secret id: `{text}`", hint="letters, digits, `.`, `_`, `-`; it becomes /run/secrets/ID"
        )
    return SecretId(text)


def word(text: str) -> Word:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise Malformed(f"letters, digits, `.`, `_` and `-` only: `{text}`")
    return Word(text)


def platform_glob(text: str) -> PlatformGlob:
    if not re.fullmatch(r"!?[a-z0-9_*?\[\]-]+(/[a-z0-9_*?\[\]-]+){0,2}", text):
        raise Malformed(
            f"not a platform or a pattern of platforms: `{text}`", hint='"linux/arm64", "linux/arm*"'
        )
    if is_glob(text):
        return PlatformGlob(text)
    # A platform by name is spelt as images spell it: `linux/aarch64` would never match.
    negation = "!" if text.startswith("!") else ""
    return PlatformGlob(negation + str(Platform.parse(text.removeprefix("!"))))


def debian_package(text: str) -> DebianPackage:
    if text.endswith("-"):
        raise Malformed(f"apt would remove this package: `{text}`", hint="a `-` at the end means removal")
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+|/[A-Za-z0-9._-]+)?", text):
        raise Malformed(
            f"not a Debian package: `{text}`", hint='"socat", or with a version "socat=1.7.4.4-2"'
        )
    return DebianPackage(text)


def package(text: str) -> Package:
    """A package with an optional version constraint, for the managers without a stricter rule here."""
    _refuse_control(text, "package")
    if not re.match(r"[A-Za-z0-9@/.]", text):
        raise Malformed(
            f"not a package: `{text}`", hint="options of the package manager cannot be given here"
        )
    return Package(text)


def copy_source(text: str) -> CopySource:
    kind, colon, rest = text.partition(":")
    if text == "workspace":
        return CopySource("workspace")
    if kind in ("stage", "image") and colon and rest:
        return CopySource(kind, rest)
    raise Malformed(
        f"`from` is `workspace`, `stage:NAME` or `image:REFERENCE`: `{text}`",
        hint=f"did you mean `stage:{text}`?" if re.fullmatch(r"[A-Za-z0-9_.-]+", text) else None,
    )


def _refuse_control(text: str, what: str) -> None:
    for char in text:
        if ord(char) < 32 or ord(char) == 127:
            raise Malformed(f"a {what} must not contain control characters: {text!r}")


PARSERS: dict[Any, Callable[[str], Any]] = {
    ImagePath: image_path,
    ImageGlob: image_glob,
    WorkspacePath: workspace_path,
    Mode: mode,
    ModeChange: mode_change,
    Name: name,
    Owner: owner,
    Port: port,
    Sha256: sha256,
    Url: url,
    EnvName: env_name,
    Text: line,
    Repository: repository,
    Zone: zone,
    SecretId: secret_id,
    PlatformGlob: platform_glob,
    DebianPackage: debian_package,
    Package: package,
    Word: word,
    CopySource: copy_source,
}
"""The parser of each value type, for the structuring of specs and of the schema's descriptions."""
