"""What dnf steps ask for, the folder that dnf takes for the base, and the host's dnf."""

from __future__ import annotations

from pathlib import Path

import pytest

from bic.errors import HostLacking, InputInvalid
from bic.lock.base.files import Tree
from bic.lock.dnf import host
from bic.lock.dnf.request import architecture
from bic.lock.dnf.root import lay_out, release
from bic.oci.platform import Platform

OLD = Tree({"/var/lib/rpm/Packages": b"bdb", "/var/lib/rpm/__db.001": b"index"})
NEW = Tree(
    {"/usr/lib/sysimage/rpm/rpmdb.sqlite": b"new", "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal": b"log"},
    {"/var/lib/rpm": "../../usr/lib/sysimage/rpm", "/etc/os-release": "../usr/lib/os-release"},
)


@pytest.mark.parametrize(
    ("platform", "machine"),
    [
        ("linux/amd64", "x86_64"),
        ("linux/arm64", "aarch64"),
        ("linux/arm/v7", "armv7hl"),
        ("linux/386", "i686"),
    ],
)
def test_platforms_have_rpms_names(platform: str, machine: str) -> None:
    assert architecture(Platform.parse(platform)) == machine


def test_a_platform_without_rpm_distributions_is_refused() -> None:
    with pytest.raises(InputInvalid, match="`linux/mips`"):
        architecture(Platform.parse("linux/mips"))


def tree(root: Path) -> dict[str, bytes]:
    return {f"/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_database_lies_in_one_place_wherever_the_base_has_it(tmp_path: Path) -> None:
    lay_out(NEW, tmp_path / "new")
    lay_out(OLD, tmp_path / "old")
    assert tree(tmp_path / "new") == {
        "/var/lib/rpm/rpmdb.sqlite": b"new",
        "/var/lib/rpm/rpmdb.sqlite-wal": b"log",
    }
    assert tree(tmp_path / "old") == {"/var/lib/rpm/Packages": b"bdb"}


def test_a_base_without_a_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="no database of RPM packages"):
        lay_out(Tree({"/etc/dnf/dnf.conf": b"[main]\n"}), tmp_path / "root")


def test_configuration_variables_and_named_keys_are_there_and_nothing_else(tmp_path: Path) -> None:
    base = OLD
    repo = "[a]\ngpgkey=file:///etc/keys/one file:///etc/keys/two,file:///etc/../keys/three\n file:///etc/keys/$x\n"
    for path, text in {
        "/etc/yum.repos.d/a.repo": repo,
        "/etc/dnf/dnf.conf": "[main]\n",
        "/etc/dnf/vars/stream": "9-stream",
        "/etc/pki/rpm-gpg/key": "key",
        "/etc/keys/one": "1",
        "/etc/keys/two": "2",
        "/etc/keys/unused": "3",
        "/etc/shadow": "secret",
        "/usr/bin/bash": "program",
    }.items():
        base = base.with_file(path, text.encode())
    lay_out(base, tmp_path / "root")
    assert sorted(tree(tmp_path / "root")) == [
        "/etc/dnf/dnf.conf",
        "/etc/dnf/vars/stream",
        "/etc/keys/one",
        "/etc/keys/two",
        "/etc/pki/rpm-gpg/key",
        "/etc/yum.repos.d/a.repo",
        "/var/lib/rpm/Packages",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [('ID=x\nVERSION_ID="9.3"\n', "9.3"), ("VERSION_ID=41\n", "41"), ("VERSION_ID=\n", None), ("ID=x", None)],
)
def test_the_release_is_that_of_os_release(tmp_path: Path, text: str, expected: str | None) -> None:
    lay_out(NEW.with_file("/usr/lib/os-release", text.encode()), tmp_path / "root")
    assert release(tmp_path / "root") == expected


def test_a_base_without_os_release_has_no_release(tmp_path: Path) -> None:
    lay_out(OLD, tmp_path / "root")
    assert release(tmp_path / "root") is None


def test_a_host_without_dnf_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PYTHONS", ("/nonexistent/python3",))
    with pytest.raises(HostLacking) as caught:
        host.python()
    hint = caught.value.faults[0].hint or ""
    assert "`apt-get install dnf rpm`" in hint
    assert "`dnf install python3-dnf rpm`" in hint
