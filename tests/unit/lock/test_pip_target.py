"""The Python and the C library of an image, from what is known of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import frozen

from bic.errors import InputInvalid
from bic.lock.pip.libc import libc
from bic.lock.pip.target import find
from bic.oci.platform import Platform

AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
DEBIAN = {
    "libc6": "2.36-9+deb12u4",
    "python3": "3.11.2-1+b1",
    "python3.11-minimal": "3.11.2-6+deb12u3",
    "libpython3.11-stdlib": "3.11.2-6+deb12u3",
}
DEBIAN_LINKS = {"/usr/bin/python3": "python3.11"}
OFFICIAL_LINKS = {"/usr/local/bin/python": "python3", "/usr/local/bin/python3": "python3.10"}


@frozen
class Image:
    """Files of an image, without its links to directories."""

    links: Mapping[str, str] = {}
    files: Mapping[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def link(self, path: str) -> str | None:
        return self.links.get(path)


def python(
    program: str, image: Image, packages: Mapping[str, str] = DEBIAN, env: Mapping[str, str] | None = None
) -> str:
    return find(program, image, {"libc6": "2.36-9", **packages}, env or {}, AMD64).python


@pytest.mark.parametrize("program", ["python3.10", "/opt/venv/bin/python3.10"])
def test_the_name_of_the_program_tells_first(program: str) -> None:
    assert python(program, Image(DEBIAN_LINKS)) == "3.10"


def test_the_patch_of_a_named_version_comes_from_what_else_is_known() -> None:
    env = {"PYTHON_VERSION": "3.10.14"}
    official = Image(OFFICIAL_LINKS, {"/usr/local/bin/python3.10": b"ELF"})
    assert python("python3.11", Image(DEBIAN_LINKS)) == "3.11.2"
    assert python("python3.10", official, {}, env) == "3.10.14"
    assert python("python3.9", Image(DEBIAN_LINKS), DEBIAN) == "3.9"


def test_a_link_leads_to_the_name_with_the_version() -> None:
    assert python("python3", Image(DEBIAN_LINKS), {}) == "3.11"
    assert python("/usr/local/bin/python", Image(OFFICIAL_LINKS), {}) == "3.10"
    alternatives = {"/usr/bin/python3": "/etc/alternatives/python3"}
    chain = {**alternatives, "/etc/alternatives/python3": "../../usr/bin/python3.9"}
    assert python("python3", Image(chain), {}) == "3.9"


def test_links_are_looked_for_in_the_order_of_path() -> None:
    both = Image({**DEBIAN_LINKS, **OFFICIAL_LINKS})
    assert python("python3", both) == "3.10"
    assert python("python3", both, env={"PATH": "/usr/bin:/usr/local/bin"}) == "3.11.2"


def test_links_in_a_circle_tell_nothing() -> None:
    with pytest.raises(InputInvalid):
        python("/opt/a/python", Image({"/opt/a/python": "other", "/opt/a/other": "python"}))


@pytest.mark.parametrize("line", ["version = 3.9.18", "version_info = 3.9.18.final.0"])
def test_a_virtual_environment_tells_its_version(line: str) -> None:
    config = f"home = /usr/bin\ninclude-system-site-packages = false\n{line}\n".encode()
    venv = {"/opt/venv/pyvenv.cfg": config, "/opt/venv/bin/python": b"ELF"}
    assert python("/opt/venv/bin/python", Image({}, venv)) == "3.9.18"
    assert python("python", Image({}, venv), env={"PATH": "/opt/venv/bin:/usr/bin"}) == "3.9.18"


def test_the_variable_of_official_images_counts_for_what_lies_below_usr_local() -> None:
    env = {"PYTHON_VERSION": "3.12.4"}
    local = Image({}, {"/usr/local/bin/python3": b"ELF"})
    assert python("python3", local, env=env) == "3.12.4"
    assert python("python3", Image(DEBIAN_LINKS), env=env) == "3.11.2"


@pytest.mark.parametrize(
    ("packages", "version"),
    [
        (DEBIAN, "3.11.2"),
        ({"python3.11-minimal": "3.11.2-6"}, "3.11.2"),
        ({"musl": "1.2.4-r2", "python3": "3.12.7-r1"}, "3.12.7"),
        ({"glibc": "2.34-100.el9", "python3": "3.9.18-3.el9", "python3.11": "3.11.7-1.el9"}, "3.9.18"),
        ({"python3.11": "0:3.11.7-1.el9"}, "3.11.7"),
    ],
)
def test_packages_tell_for_an_image_whose_python_is_yet_to_come(
    packages: Mapping[str, str], version: str
) -> None:
    assert python("python3", Image(), packages) == version


def test_two_pythons_without_the_distributions_own_are_not_guessed_between() -> None:
    with pytest.raises(InputInvalid):
        python("python3", Image(), {"python3.11-minimal": "3.11.2-6", "python3.9-minimal": "3.9.2-1"})


def test_what_cannot_be_decided_is_told_with_a_way_out() -> None:
    with pytest.raises(InputInvalid) as refused:
        find("/opt/app/python", Image(), DEBIAN, {}, ARM64)
    (fault,) = refused.value.faults
    assert fault.message == "the version of `/opt/app/python` in the image for `linux/arm64` is not known"
    assert fault.hint is not None and 'python = "python3.11"' in fault.hint


def test_a_platform_that_has_no_wheels_is_told() -> None:
    with pytest.raises(InputInvalid, match="there are no wheels for the platform `linux/mips64le`"):
        find("python3", Image(), DEBIAN, {}, Platform.parse("linux/mips64le"))


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ({"libc6": "2.36-9+deb12u4", "musl": "1.2.3-1"}, "glibc 2.36"),
        ({"musl": "1.2.4_git20230717-r4", "glibc": "2.35-r1"}, "musl 1.2"),
        ({"glibc": "2.34-100.el9_4.2"}, "glibc 2.34"),
        ({"glibc": "0:2.28-251.el8"}, "glibc 2.28"),
    ],
)
def test_packages_tell_the_c_library(packages: Mapping[str, str], expected: str) -> None:
    assert libc(Image(), packages, AMD64) == expected


def test_the_c_library_itself_tells_where_no_package_does() -> None:
    banner = b"\x00GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nCopyright\x00"
    glibc = Image({}, {"/lib/aarch64-linux-gnu/libc.so.6": banner})
    musl = Image({}, {"/lib/ld-musl-x86_64.so.1": b"\x00Version %s\x001.2.5\x00"})
    assert libc(glibc, {}, ARM64) == "glibc 2.36"
    assert libc(musl, {}, AMD64) == "musl 1.2"
    with pytest.raises(InputInvalid, match="the C library of the image for `linux/amd64` is not known"):
        libc(Image(), {}, AMD64)
