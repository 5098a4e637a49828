import os
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from bic.errors import Malformed
from bic.oci.platform import Platform


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("Linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/arm64", "linux/arm64"),
        ("linux/Aarch64", "linux/arm64"),
        ("linux/aarch64/v8", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/arm/5", "linux/arm/v5"),
        ("linux/arm/v8", "linux/arm/v8"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/i386", "linux/386"),
        ("linux/386", "linux/386"),
        ("linux/s390x", "linux/s390x"),
        ("linux/ppc64le", "linux/ppc64le"),
        ("linux/riscv64", "linux/riscv64"),
        ("macOS/arm64", "darwin/arm64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_a_platform_is_normalised_as_containerd_does(text: str, normal: str) -> None:
    platform = Platform.parse(text)
    assert str(platform) == normal
    assert Platform.parse(normal) == platform


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "linux",
        "amd64",
        "linux/",
        "/amd64",
        "/linux/arm",
        "linux/arm/",
        "linux /arm",
        "linux/&arm",
        "linux/arm/foo/bar",
        "linux/*",
        "*/*",
        "unknown/unknown",
        "windows(10.0.17763)/amd64",
        "linux/arm/../v7",
        "linux/arm/v-7",
        "linux/amd64\n",
    ],
)
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("linx/amd64", "unknown operating system `linx`", "did you mean `linux`?"),
        ("linux/amd46", "unknown architecture `amd46`", "did you mean `amd64`?"),
        ("linux/arm46", "unknown architecture `arm46`", "did you mean `arm64`?"),
        (
            "linux",
            "a platform is not of the form OS/ARCHITECTURE[/VARIANT]: `linux`",
            "write it as `linux/amd64`",
        ),
    ],
)
def test_the_hint_names_what_was_meant(text: str, message: str, hint: str) -> None:
    with pytest.raises(Malformed) as caught:
        Platform.parse(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_platforms_are_ordered_by_system_architecture_and_variant() -> None:
    texts = ["darwin/arm64", "linux/386", "linux/amd64", "linux/amd64/v3", "linux/arm/v6", "linux/arm/v7"]
    platforms = [Platform.parse(text) for text in texts]
    assert sorted(set(platforms)) == platforms


@pytest.mark.parametrize(("text", "slug"), [("linux/arm64", "linux-arm64"), ("linux/arm", "linux-arm-v7")])
def test_a_slug_is_fit_for_a_file_name(text: str, slug: str) -> None:
    assert Platform.parse(text).slug == slug


@pytest.mark.parametrize(
    ("glob", "matched"),
    [
        ("linux/amd64", True),
        ("linux/*", True),
        ("*/amd64", True),
        ("*", True),
        ("linux/a[mr]*", True),
        ("Linux/*", False),
        ("linux", False),
        ("linux/arm64", False),
    ],
)
def test_a_glob_is_matched_against_the_whole_text(glob: str, matched: bool) -> None:
    assert Platform.parse("linux/amd64").matches(glob) is matched


def test_the_star_of_a_glob_covers_variants() -> None:
    assert Platform.parse("linux/arm/v7").matches("linux/arm*")


Uname = Callable[[str, str], None]


@pytest.fixture
def uname(monkeypatch: pytest.MonkeyPatch) -> Uname:
    def pretend(sysname: str, machine: str) -> None:
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(sysname=sysname, machine=machine))

    return pretend


@pytest.mark.parametrize(
    ("sysname", "machine", "platform"),
    [
        ("Linux", "x86_64", "linux/amd64"),
        ("Linux", "aarch64", "linux/arm64"),
        ("Linux", "armv7l", "linux/arm/v7"),
        ("Linux", "armv6l", "linux/arm/v6"),
        ("Linux", "i686", "linux/386"),
        ("Linux", "loongarch64", "linux/loong64"),
        ("Darwin", "arm64", "darwin/arm64"),
    ],
)
def test_the_host_has_the_platform_of_its_kernel(
    uname: Uname, sysname: str, machine: str, platform: str
) -> None:
    uname(sysname, machine)
    assert str(Platform.host()) == platform


def test_a_host_that_has_no_name_is_refused(uname: Uname) -> None:
    uname("Linux", "tricore9000")
    with pytest.raises(Malformed):
        Platform.host()
