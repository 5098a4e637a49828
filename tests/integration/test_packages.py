"""Package managers: apt and pip for real, on a Debian of packages; dnf and apk by recording programs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support import everything
from support.accounts import Account
from support.exports import PlainBuildah, differences
from support.layout import Tree, image_tree, manifests, read_file
from support.remains import remains
from support.small import spec
from support.workspace import Workspace, make_workspace

AMD64 = "linux/amd64"

DEBIAN = """
bic = 1
[image]
name = "tests/debian"
platforms = ["linux/amd64"]
[base]
debian = { suite = "bookworm" }
[env]
MARK = "@MARK@"
[config]
user = "app"
workdir = "/app"
entrypoint = ["python3", "-c", "import idna, six; print(idna.encode('ü'))"]
[[step]]
apt = { packages = ["python3", "python3-pip", "socat=1.7.4.4-2"], upgrade = "full" }
[[step]]
pip = { packages = ["six==1.16.0"], break_system_packages = true }
[[step]]
pip = { requirements = "requirements.txt", break_system_packages = true }
[[step]]
user = { name = "app", uid = 1000, groups = ["staff"], home = "/app", create_home = true }
[[step]]
timezone = "Europe/Paris"
"""
REQUIREMENTS = "idna==3.7\n"


class Debian:
    """The spec in a workspace of one account, built once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        workspace.write({"requirements.txt": REQUIREMENTS})
        self.build("first")
        self.layout = workspace.layout("debian")
        self.log = self.read_log()

    def build(self, mark: str) -> None:
        """Another mark is another image from the first step on."""
        self.workspace.spec("debian", DEBIAN.replace("@MARK@", mark))
        self.workspace.bic("build", "debian").check()

    def read_log(self) -> str:
        return (self.workspace.layout("debian").parent / "linux-amd64.log").read_text()


@pytest.fixture(scope="module")
def debians(root_user: Account, builder_user: Account, session_directory: Path) -> dict[str, Debian]:
    env = {"SOURCE_DATE_EPOCH": str(everything.EPOCH)}
    accounts = {"root": root_user, "ordinary": builder_user}
    return {
        who: Debian(make_workspace(session_directory / f"debian-{who}", account, env))
        for who, account in accounts.items()
    }


@pytest.fixture(scope="module")
def debian(debians: dict[str, Debian]) -> Debian:
    return debians["ordinary"]


@pytest.fixture(scope="module")
def tree(debian: Debian) -> Tree:
    return image_tree(debian.layout, AMD64)


real = [pytest.mark.network, pytest.mark.root, pytest.mark.xdist_group("debian")]


def real_test(function: Callable[..., None]) -> Callable[..., None]:
    for mark in real:
        function = mark(function)
    return function


@real_test
def test_apt_and_pip_install_what_the_spec_names(debian: Debian, tree: Tree) -> None:
    status = read_file(debian.layout, AMD64, "/var/lib/dpkg/status").decode()
    assert re.search(r"^Package: socat\nStatus: install ok installed$", status, re.MULTILINE)
    packages = "/usr/local/lib/python3.11/dist-packages"
    assert {f"{packages}/six.py", f"{packages}/idna/core.py", f"{packages}/idna-3.7.dist-info/RECORD"} <= set(
        tree
    )
    assert tree["/etc/localtime"].target == "/usr/share/zoneinfo/Europe/Paris"


@real_test
def test_nothing_that_package_managers_fetch_or_log_is_in_the_image(tree: Tree) -> None:
    rubbish = (
        r"/usr/local/.*\.pyc|/var/cache/apt/(archives/)?[^/]*\.(deb|bin)|/var/lib/apt/lists/.+_.*"
        r"|/var/log/(apt/|dpkg|alternatives|bootstrap).*|/root/\.cache.*|/run/bic.*|/run/secrets.*"
        r"|/etc/(passwd|group|shadow|gshadow)-|/var/cache/ldconfig/aux-cache|/tmp/.+"
        r"|/etc/(resolv.conf|hostname)"
        r"|/var/lib/dpkg/.*-old|/dev/.+|/proc/.+|/sys/.+"
    )
    assert [path for path in tree if re.fullmatch(rubbish, path)] == []


@real_test
def test_root_and_an_ordinary_user_make_the_same_debian(debians: dict[str, Debian]) -> None:
    root, ordinary = (manifests(each.layout)[AMD64] for each in debians.values())
    assert root == ordinary


@real_test
def test_the_script_builds_the_same_debian(debian: Debian) -> None:
    debian.workspace.bic("compile", "debian").check()
    made = plain(debian).script("debian", AMD64)
    assert differences(debian.layout, made, AMD64) == []


def plain(debian: Debian) -> PlainBuildah:
    return PlainBuildah(debian.workspace)


@real_test
def test_the_next_build_finds_packages_where_the_first_left_them(
    debians: dict[str, Debian],
) -> None:
    debian = debians["root"]
    assert re.search(r"Need to get \d+.* MB of archives", debian.log)
    debian.build("second")
    log = debian.read_log()
    assert re.search(r"Need to get 0 B/\d+.* MB of archives", log)
    assert remains(debian.workspace) == []
    debian.build("first")


# Managers that no Debian image has: what they are called with


RECORDER = """#!/bin/sh
echo "$0" "$@" >> /called
case " $* " in *" --cache-dir "* | *cachedir=*) ;; *) exit 1 ;; esac
echo cached >> "/run/bic/${0##*/}/file"
"""


@pytest.mark.parametrize(
    ("program", "step", "calls"),
    [
        (
            "apk",
            'apk = { packages = ["curl", "jq=1.7"], upgrade = "full" }',
            [
                "/bin/apk upgrade --cache-dir /run/bic/apk --update-cache",
                "/bin/apk add --cache-dir /run/bic/apk --update-cache -- curl jq=1.7",
            ],
        ),
        (
            "dnf",
            'dnf = { packages = ["curl"], upgrade = "safe" }',
            [
                f"/bin/dnf -y --setopt=cachedir=/run/bic/dnf --setopt=keepcache=1 "
                f"--setopt=install_weak_deps=False {what}"
                for what in ("upgrade --security", "install curl")
            ],
        ),
        (
            "microdnf",
            'dnf = { packages = ["curl"] }',
            [
                "/bin/microdnf -y --setopt=cachedir=/run/bic/dnf --setopt=keepcache=1 "
                "--setopt=install_weak_deps=0 install curl"
            ],
        ),
        (
            "yum",
            'dnf = { packages = ["curl"] }',
            ["/bin/yum -y --setopt=cachedir=/run/bic/dnf --setopt=keepcache=1 install curl"],
        ),
    ],
)
def test_other_managers_are_called_with_a_cache_of_bics(
    current_user: Account, tiny_workspace: Callable[..., Workspace], program: str, step: str, calls: list[str]
) -> None:
    place = tiny_workspace(current_user)
    place.write({"recorder": RECORDER.replace("${0##*/}", "apk" if program == "apk" else "dnf")})
    put = f'file = {{ path = "/bin/{program}", source = "recorder", mode = "0755" }}'
    steps = f"[[step]]\n{put}\n[[step]]\n{step}\n"
    place.spec("managed", spec("managed", steps))
    place.bic("build", "managed").check()
    layout = place.layout("managed")
    assert read_file(layout, AMD64, "/called").decode().splitlines() == calls
    assert "/run/bic" not in image_tree(layout, AMD64)


def test_a_manager_that_the_image_lacks_is_said(
    current_user: Account, tiny_workspace: Callable[..., Workspace]
) -> None:
    place = tiny_workspace(current_user)
    place.spec("managed", spec("managed", '[[step]]\ndnf = { packages = ["curl"] }\n'))
    done = place.bic("build", "managed")
    assert done.code == 1
    assert "the image has none of dnf5, dnf, microdnf, yum" in done.stderr
