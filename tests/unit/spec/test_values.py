# ruff: noqa: E501 (tables of cases read best with one case a line)
"""Parsers of values: what they accept, as what, and what they refuse."""

from typing import Any

import pytest

from bic.errors import Malformed
from bic.spec import values


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        ("image_path", "/", "/"), ("image_path", "//a///b/./c/", "/a/b/c"), ("image_path", "/a b/ü", "/a b/ü"),
        ("image_path", "/...", "/..."), ("image_path", "/a..b", "/a..b"), ("image_path", "/-rf", "/-rf"),
        ("image_glob", "/a/*/", "/a/*"), ("workspace_path", ".", "."), ("workspace_path", "a//b/../c/", "a/c"),
        ("workspace_path", "./x", "x"), ("workspace_path", "..a", "..a"),
        ("mode", "755", "0755"), ("mode", "0644", "0644"), ("mode", "4755", "4755"),
        ("mode_change", "644", "0644"), ("mode_change", "u+x,o-w", "u+x,o-w"), ("mode_change", "a=rX", "a=rX"),
        ("mode_change", "o=", "o="), ("mode_change", "g=u", "g=u"), ("mode_change", "u+s,+t", "u+s,+t"),
        ("name", "www-data", "www-data"), ("name", "_x", "_x"), ("name", "host$", "host$"), ("name", "a" * 32, "a" * 32),
        ("account", "app", "app"), ("account", "0:app", "0:app"), ("account", "007", "7"),
        ("port", "80", "80/tcp"), ("port", "53/udp", "53/udp"), ("port", "65535", "65535/tcp"), ("port", "080", "80/tcp"),
        ("sha256", "sha256:" + "a" * 64, "a" * 64), ("sha256", "0" * 64, "0" * 64),
        ("url", "https://example.com", "https://example.com"), ("url", "http://h:8080/a?b=c#d", "http://h:8080/a?b=c#d"),
        ("url", "https://h/a@b", "https://h/a@b"), ("url", "https://h/$x;y&z", "https://h/$x;y&z"),
        ("env_name", "_A9", "_A9"), ("line", "", ""), ("line", 'a "b" $c \\', 'a "b" $c \\'), ("label", "a.b/c", "a.b/c"),
        ("repository", "a", "a"), ("repository", "a/b-c/d__e.f", "a/b-c/d__e.f"), ("zone", "Etc/GMT+1", "Etc/GMT+1"),
        ("zone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"), ("secret_id", "pip.conf", "pip.conf"),
        ("platform_glob", "linux/arm*", "linux/arm*"), ("platform_glob", "!linux/aarch64", "!linux/arm64"),
        ("platform_glob", "linux/x86_64", "linux/amd64"), ("platform_glob", "*", "*"), ("platform_glob", "linux/arm", "linux/arm/v7"),
        ("debian_package", "g++", "g++"), ("debian_package", "libc6:arm64=2.36-9+deb12u4", "libc6:arm64=2.36-9+deb12u4"),
        ("debian_package", "curl/bookworm-backports", "curl/bookworm-backports"), ("debian_package", "a1=1:2~rc1", "a1=1:2~rc1"),
        ("package", "poetry==1.6.1", "poetry==1.6.1"), ("package", "a>1; python_version<'3'", "a>1; python_version<'3'"),
        ("word", "bookworm", "bookworm"),
    ],
)  # fmt: skip
def test_good_text_is_normalised(parser: str, text: str, value: str) -> None:
    assert getattr(values, parser)(text) == value


BAD: dict[str, list[str]] = {
    "image_path": ["", "a", "./a", "/a/../b", "/..", "/a\nb", "/a\0", "/a\x7f"],
    "image_glob": ["/", "/.", "*", "/../*"],
    "workspace_path": ["", "/etc/passwd", "..", "../x", "a/../../x", "a\0b", "a\nb"],
    "mode": ["", "7", "75", "0o755", "888", "00755", "u+x", "+755", "-755", "٧٥٥", "0755 ", "755\n"],
    "mode_change": ["", "-", "+", "u", "u+", "u+y", "u+x,", ",u+x", "u+x o-w", "8", "00755", "-rf", "--help", "u+xg"],
    "name": ["", "1a", "-a", "a b", "a:b", "a" * 33, "ä", "a\n", "root/x", "$"],
    "account": ["", ":", "a:", ":a", "a:b:c", "-1", "4294967295", "9" * 5000, "٣"],
    "owner": ["", ":", "a:", ":a", "a:b:c", "-1", "1.5", "4294967295", "9" * 5000, "a b", "٣:٣"],
    "port": ["", "0", "65536", "80/", "80/http", "-1", "٨٠", "80 ", "8_0", "80\n"],
    "sha256": ["", "0" * 63, "0" * 65, "A" * 64, "md5:" + "0" * 64, "0" * 64 + "\n"],
    "url": ["", "ftp://h/a", "file:///etc/passwd", "https://", "https:///a", "https://u:p@h/a", "https://h/a b", "-https://h",
            "https://h/a'b", "https://h/\x01", "https://h\\a", "https://h/a\n"],
    "env_name": ["", "1A", "A-B", "A B", "A=B", "Ä", "A\n"],
    "line": ["a\nb", "a\0", "a\tb", "\x1b[0m", "a\r"],
    "label": ["", " ", "a=b", "a\nb"],
    "repository": ["", "A", "/a", "a/", "a//b", "a:b", "a..b", "-a", "a@b", "a" * 256, "a_-b"],
    "zone": ["", "/etc/passwd", "../x", "Europe/../x", "Europe Paris", "9"],
    "secret_id": ["", "a/b", "..", "-a", "a b", "a,b"],
    "platform_glob": ["", "linux", "linux/amd46", "linux/arm64/v8/x", "a b*", "!"],
    "debian_package": ["", "a", "-y", "Curl", "curl-", "curl=1.0-", "curl=", "curl =1", "curl;x", "a_b", "./curl.deb"],
    "package": ["", "-e", "--index-url=x", "a\nb", " a"],
    "word": ["", "-a", "a/b", "a b", ".", "a\n"],
    "copy_source": ["", "stage", "stage:", "image:", "workspace:", "workspace:x", "host:/etc"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("parser", "text"), [(parser, text) for parser, texts in BAD.items() for text in texts]
)
def test_bad_text_is_refused_on_one_line(parser: str, text: str) -> None:
    with pytest.raises(Malformed) as caught:
        getattr(values, parser)(text)
    assert caught.value.message


@pytest.mark.parametrize(
    ("text", "owner", "written"),
    [
        ("app", values.Owner("app", ""), "app:"),
        ("app:staff", values.Owner("app", "staff"), "app:staff"),
        ("1000", values.Owner("1000", "1000"), "1000:1000"),
        ("0:app", values.Owner("0", "app"), "0:app"),
        ("00", values.Owner("0", "0"), "0:0"),
    ],
)
def test_owners(text: str, owner: values.Owner, written: str) -> None:
    assert values.owner(text) == owner
    assert str(owner) == written


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("workspace", values.CopySource("workspace")),
        ("stage:a", values.CopySource("stage", "a")),
        ("image:docker.io/library/a:b", values.CopySource("image", "docker.io/library/a:b")),
    ],
)
def test_sources_of_copies(text: str, source: values.CopySource) -> None:
    assert values.copy_source(text) == source
    assert str(source) == text


def test_every_value_type_has_one_parser() -> None:
    kinds: list[Any] = list(values.PARSERS)
    assert len(kinds) == len(set(map(str, kinds)))
