"""What is read of a machine, and what is chosen from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_doctor_support import AARCH64, FULL_CAPABILITIES, Machine

from bic.engine.doctor import binfmt
from bic.engine.host import choose_driver, find_ca_bundle, probe_host
from bic.errors import HostLacking


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_root_without_sys_admin_is_rootless_as_buildah_sees_it(machine: Machine) -> None:
    machine.uid = 0
    assert machine.host().rootless
    machine.file("/proc/self/status", f"CapEff:\t{FULL_CAPABILITIES}\n")
    assert not machine.host().rootless


def test_the_mount_of_a_path_is_the_deepest_and_last_one_above_it(machine: Machine) -> None:
    machine.file(
        "/proc/self/mountinfo",
        "1 0 0:1 / / rw - overlay o rw\n"
        "2 1 0:2 / /home rw,nosuid - ext4 /dev/a rw\n"
        "3 2 0:3 / /home/a\\040b rw - nfs4 srv:/x rw\n"
        "4 2 0:4 / /home rw - xfs /dev/b rw\n",
    )
    kinds = {path: machine.host().mount_of(path) for path in ("/homes", "/home/c", "/home/a b/c")}
    assert {path: mount.kind for path, mount in kinds.items() if mount} == {
        "/homes": "overlay",
        "/home/c": "xfs",
        "/home/a b/c": "nfs4",
    }


def test_a_handler_is_known_by_its_magic_and_not_by_its_name(machine: Machine) -> None:
    machine.file("/proc/sys/fs/binfmt_misc/status", "enabled\n")
    machine.file("/proc/sys/fs/binfmt_misc/whatever", AARCH64)
    machine.file("/proc/sys/fs/binfmt_misc/python3.11", "enabled\ninterpreter /usr/bin/python3.11\nflags: \n")
    assert binfmt.emulated(machine.host()) == {"arm64"}


@pytest.mark.parametrize(
    ("status", "handler"),
    [("disabled\n", AARCH64), ("enabled\n", AARCH64.replace("PF", "P"))],
)
def test_a_handler_that_is_off_or_without_flag_f_runs_nothing(
    machine: Machine, status: str, handler: str
) -> None:
    machine.file("/proc/sys/fs/binfmt_misc/status", status)
    machine.file("/proc/sys/fs/binfmt_misc/qemu-aarch64", handler)
    assert binfmt.emulated(machine.host()) == frozenset()


def test_a_big_endian_magic_is_read_in_its_order(machine: Machine) -> None:
    s390x = "enabled\ninterpreter /q\nflags: F\noffset 0\nmagic 7f454c4602020100000000000000000000020016\n"
    machine.file("/proc/sys/fs/binfmt_misc/status", "enabled\n")
    machine.file("/proc/sys/fs/binfmt_misc/qemu-s390x", s390x)
    assert binfmt.emulated(machine.host()) == {"s390x"}


def test_the_named_bundle_wins_over_the_usual_places_if_it_is_there(machine: Machine) -> None:
    machine.file("/etc/ssl/cert.pem", "x")
    machine.env["SSL_CERT_FILE"] = "/corp.pem"
    assert find_ca_bundle(machine.host()) == "/etc/ssl/cert.pem"
    machine.file("/corp.pem", "x")
    assert find_ca_bundle(machine.host()) == "/corp.pem"


def test_without_a_mount_that_works_the_driver_is_vfs(machine: Machine) -> None:
    machine.working().program("sh", "echo denied >&2; exit 1")
    assert choose_driver(machine.host(), "/home/alice/store") == "vfs"


def test_with_a_mount_that_works_the_driver_is_overlay(machine: Machine) -> None:
    machine.working().program("sh", "exit 0")
    assert choose_driver(machine.host(), "/home/alice/store") == "overlay"


def test_an_overlay_with_an_empty_root_is_not_chosen(machine: Machine) -> None:
    # The mount "succeeds", but the lower file does not show through (buildah#1831).
    machine.working().program("mount", "exit 0")
    machine.program("umount", "exit 0")
    machine.env["PATH"] += ":/usr/bin:/bin"
    assert choose_driver(machine.host(), "/home/alice/store") == "vfs"


def test_nothing_of_a_trial_mount_stays_behind(machine: Machine, tmp_path: Path) -> None:
    machine.working().program("mount", "exit 1")
    machine.env["PATH"] += ":/usr/bin:/bin"
    choose_driver(machine.host(), "/home/alice/store")
    assert not list(tmp_path.glob("bic-doctor-*"))


def test_a_machine_without_buildah_lacks_something(machine: Machine) -> None:
    with pytest.raises(HostLacking, match="not installed: `buildah`"):
        probe_host(machine.host())


def test_the_facts_hold_what_was_chosen(machine: Machine) -> None:
    machine.working().program("sh", "exit 0")
    facts = probe_host(machine.host())
    assert (facts.rootless, facts.driver) == (True, "overlay")
    assert facts.runs("amd64")
    assert not facts.runs("arm64")
