"""What the values of the language look like: one entry a type of `bic.spec.model`, with examples that parse.

The schema takes patterns from here, the reference its table of values. A pattern may be looser than the
parser of the type, never stricter.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import frozen

from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.spec import values
from bic.spec.model import Account, BindTable, EnvTable, NonEmptyText, TextTable, UserId


@frozen
class Grammar:
    """A type of value: its name for people, the TOML type, what it means, examples, a pattern of its text."""

    name: str
    toml: Literal["string", "integer", "boolean", "table"]
    meaning: str
    examples: tuple[Any, ...]
    pattern: str | None = None


def _text(name: str, meaning: str, *examples: str, pattern: str | None = None) -> Grammar:
    return Grammar(name, "string", meaning, examples, pattern)


_OWNER_MEANING = "`user:group`, each a name or a number; `user` alone means its login group"

GRAMMAR: dict[Any, Grammar] = {
    str: _text("text", "any string, several lines included", "python3", "two words"),
    values.Text: _text("line", "a string on one line", "as it is"),
    NonEmptyText: _text("script", "a string that is not empty", "echo hello\n"),
    bool: Grammar("boolean", "boolean", "`true` or `false`", (True, False)),
    UserId: Grammar("number", "integer", "0 to 4294967294", (0, 1000)),
    values.ImagePath: _text(
        "image path",
        "absolute path in the image, without `..`; normalised",
        "/usr/share/nltk_data",
        pattern="^/",
    ),
    values.ImageGlob: _text(
        "image pattern",
        "image path whose parts may hold `*`, `?` and `[…]`; not `/`",
        "/var/log/*.log",
        pattern="^/",
    ),
    values.WorkspacePath: _text(
        "workspace path",
        "path counted from the workspace's root, which it may not leave",
        "files/main.py",
        pattern="^[^/]",
    ),
    values.Mode: _text("mode", "three or four octal digits", "0755", "644", pattern="^[0-7]{3,4}$"),
    values.ModeChange: _text(
        "mode change",
        "octal digits, or symbolic clauses as in chmod(1)",
        "0644",
        "u+x,o-w",
        pattern="^[0-7]{3,4}$|^[ugoa]*[-+=]",
    ),
    values.Owner: _text("owner", _OWNER_MEANING, "app:app", "1000:1000"),
    Account: _text("account", "`user` or `user:group`, names or numbers", "app", "1000:1000"),
    values.Name: _text(
        "name",
        "user or group name: at most 32 letters, digits, `_`, `-`, `.`, no digit or dash first",
        "app",
        pattern="^[A-Za-z_]",
    ),
    values.Port: _text(
        "port", "number with an optional protocol (tcp, udp, sctp)", "8080", "53/udp", pattern="^[0-9]{1,5}"
    ),
    values.Sha256: _text(
        "sha256", "64 lower-case hexadecimal digits", "9f86d081884c7d65" * 4, pattern="[0-9a-f]{64}$"
    ),
    values.Url: _text(
        "address",
        "http or https address without user name and password",
        "https://example.org/data.tar.gz",
        pattern="^https?://",
    ),
    values.EnvName: _text(
        "variable", "letters, digits and `_`, no digit first", "LANG", pattern="^[A-Za-z_][A-Za-z0-9_]*$"
    ),
    values.Repository: _text(
        "repository",
        "lower-case path without registry and tag",
        "team/python-base",
        pattern="^[a-z0-9]",
    ),
    values.Zone: _text(
        "time zone",
        "name in the time zone database",
        "UTC",
        "Europe/Paris",
        pattern="^[A-Za-z][A-Za-z0-9_+/-]*$",
    ),
    values.SecretId: _text(
        "secret id", "letters, digits, `.`, `_`, `-`", "pip-token", pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$"
    ),
    values.Word: _text(
        "word", "letters, digits, `.`, `_`, `-`", "bookworm", pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$"
    ),
    values.PlatformGlob: _text(
        "platform pattern",
        "platform whose parts may hold `*`, `?` and `[…]`; `!` before it excludes",
        "linux/arm64",
        "linux/arm*",
        "!linux/s390x",
    ),
    values.DebianPackage: _text(
        "Debian package",
        "name, `name=version`, or `name/suite`",
        "socat",
        "socat=1.7.4.4-2",
        pattern="^[a-z0-9]",
    ),
    values.Package: _text(
        "package",
        "name, with a version in the spelling of the package manager",
        "poetry==1.6.1",
        pattern="^[A-Za-z0-9@/.]",
    ),
    values.CopySource: _text(
        "copy source",
        "`workspace`, `stage:NAME` or `image:REFERENCE`",
        "workspace",
        pattern="^(workspace$|stage:|image:)",
    ),
    Platform: _text(
        "platform", "`os/architecture`, with an optional `/variant`", "linux/amd64", "linux/arm/v7"
    ),
    Reference: _text(
        "image reference",
        "image with its registry, and a tag or a digest",
        "docker.io/library/debian:bookworm-slim",
    ),
    EnvTable: Grammar(
        "variables",
        "table",
        "table of variables to lines; kept in order",
        ({"LANG": "C.UTF-8"},),
        "^[A-Za-z_][A-Za-z0-9_]*$",
    ),
    TextTable: Grammar("labels", "table", "table of lines to lines", ({"org.example.team": "platform"},)),
    BindTable: Grammar(
        "binds", "table", "table of image paths to workspace paths", ({"/mnt/files": "files"},), "^/"
    ),
}
"""The grammar of each leaf type; for tables, the pattern is that of their keys."""
