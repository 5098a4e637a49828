"""Each probe on a machine that has its fault, and on one that has not."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_doctor_support import AARCH64, FULL_CAPABILITIES, Machine

from bic.engine.doctor import ci, foreign, internet, isolation, storage, surroundings, userns

NFS = "22 1 0:5 / / rw,nosuid - nfs4 server:/x rw\n"
OVERLAY = "22 1 0:5 / / rw - overlay overlay rw\n"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_enough_ids_in_both_files_are_fine(machine: Machine) -> None:
    assert machine.severity(userns.id_range) == "ok"


def test_ids_given_by_number_count_as_well(machine: Machine) -> None:
    machine.file("/etc/subuid", "1000:100000:65536\n")
    assert machine.severity(userns.id_range) == "ok"


def test_ids_in_one_file_only_are_fatal_and_the_setting_avoids_the_ranges_of_others(machine: Machine) -> None:
    machine.file("/etc/subgid", "bob:200000:65536\n")
    finding = machine.finding(userns.id_range)
    assert finding is not None
    assert (finding.severity, finding.found) == ("F", "65536 ids in /etc/subuid, 0 ids in /etc/subgid")
    assert "--add-subuids 265536-331071" in finding.setting


def test_root_needs_no_ids(machine: Machine) -> None:
    machine.uid = 0
    machine.file("/proc/self/status", f"CapEff:\t{FULL_CAPABILITIES}\n")
    machine.file("/etc/subuid", "")
    assert machine.finding(userns.id_range) is None


def test_a_range_that_holds_the_own_uid_is_fatal(machine: Machine) -> None:
    machine.file("/etc/subuid", "alice:1:65535\n")
    assert machine.severity(userns.id_nested) == "F"


def test_a_range_outside_of_the_containers_ids_is_fatal(machine: Machine) -> None:
    machine.file("/proc/self/uid_map", "0 100000 65536\n")
    finding = machine.finding(userns.id_nested)
    assert finding is not None
    assert finding.found == "id 100000 of a range does not exist in this namespace"


def test_tools_without_setuid_bit_or_capability_are_named(machine: Machine) -> None:
    machine.working().program("newgidmap", mode=0o755)
    finding = machine.finding(userns.id_tools)
    assert finding is not None
    assert finding.found == f"without privilege: {machine.bin}/newgidmap"


def test_missing_tools_name_their_package(machine: Machine) -> None:
    finding = machine.finding(userns.id_tools)
    assert finding is not None
    assert "apt-get install uidmap" in finding.setting


def test_a_namespace_with_a_single_id_is_not_enough(machine: Machine) -> None:
    machine.working().program("cat", 'echo "0 1000 1"')
    finding = machine.finding(userns.id_tools)
    assert finding is not None
    assert finding.severity == "F"
    assert finding.found.startswith("1 ids mapped")


def test_no_new_privileges_is_fatal_for_a_user_only(machine: Machine) -> None:
    machine.file("/proc/self/status", f"NoNewPrivs:\t1\nCapEff:\t{FULL_CAPABILITIES}\n")
    assert machine.severity(userns.no_new_privileges) == "F"
    machine.uid = 0
    assert machine.finding(userns.no_new_privileges) is None


@pytest.mark.parametrize(("effective", "severity"), [("0", "F"), ("0000000080000000", "ok")])
def test_root_in_a_pod_needs_setfcap(machine: Machine, effective: str, severity: str) -> None:
    machine.uid = 0
    machine.file("/proc/self/status", f"CapEff:\t{effective}\n")
    assert machine.severity(userns.root_in_pod) == severity


@pytest.mark.parametrize(("allowed", "severity"), [(0, "F"), (100, "I"), (63000, "ok")])
def test_the_number_of_namespaces_is_judged(machine: Machine, allowed: int, severity: str) -> None:
    machine.file("/proc/sys/user/max_user_namespaces", f"{allowed}\n")
    assert machine.severity(userns.maximum) == severity


def test_namespaces_that_cannot_be_made_are_fatal_with_what_was_said(machine: Machine) -> None:
    for name in ("unshare", "buildah"):
        machine.program(name, "echo 'unshare failed: Operation not permitted' >&2; exit 1")
    finding = machine.finding(userns.unshare)
    assert finding is not None
    assert (finding.severity, finding.found) == ("F", "unshare failed: Operation not permitted")


def test_a_profile_for_buildah_alone_is_enough(machine: Machine) -> None:
    machine.working().program("unshare", "exit 1")
    machine.program("cat")
    assert machine.severity(userns.unshare) == "ok"


def test_apparmors_restriction_is_fatal_where_buildah_has_no_profile(machine: Machine) -> None:
    machine.file(userns.APPARMOR, "1\n")
    machine.env |= {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}
    finding = machine.finding(userns.apparmor)
    assert finding is not None
    assert finding.severity == "F"
    assert finding.setting.startswith("`sudo sysctl")
    machine.working().program("cat")
    assert machine.severity(userns.apparmor) == "I"


def test_a_store_on_nfs_is_fatal_for_a_user(machine: Machine) -> None:
    machine.file("/proc/self/mountinfo", NFS)
    assert machine.severity(storage.network_file_system) == "F"
    assert machine.severity(storage.nosuid) == "W"


def test_a_store_on_an_overlay_is_slow_and_the_setting_names_the_volume(machine: Machine) -> None:
    machine.file("/proc/self/mountinfo", OVERLAY)
    machine.file("/.dockerenv", "")
    machine.working().program("sh", "exit 1")
    finding = machine.finding(storage.nested)
    assert finding is not None
    assert finding.severity == "S"
    assert "--volume /home/alice/.local/share/containers/storage" in finding.setting


def test_vfs_is_slow_and_misses_writes(machine: Machine) -> None:
    machine.working().program("sh", "echo 'mount: EINVAL' >&2; exit 1")
    finding = machine.finding(storage.driver)
    assert finding is not None
    assert (finding.severity, finding.found) == ("S", "vfs, because a native overlay fails: mount: EINVAL")
    assert machine.severity(storage.writes) == "W"
    assert machine.severity(storage.fuse) == "S"


def test_an_old_kernel_is_blamed_where_the_mount_fails(machine: Machine) -> None:
    machine.kernel = "5.4.0-150-generic"
    machine.working().program("sh", "exit 1")
    assert machine.severity(storage.kernel) == "S"


def test_overlay_options_for_vfs_are_told(machine: Machine) -> None:
    text = '[storage]\ndriver = "vfs"\n[storage.options.overlay]\nmount_program = "/usr/bin/fuse-overlayfs"\n'
    machine.file("/home/alice/.config/containers/storage.conf", text)
    assert machine.severity(storage.vfs_options) == "I"


def test_a_broken_storage_conf_is_not_the_doctors_failure(machine: Machine) -> None:
    machine.file("/etc/containers/storage.conf", "driver = ")
    assert machine.finding(storage.vfs_options) is None


def test_layers_of_ids_that_the_user_does_not_have_are_stale(machine: Machine, tmp_path: Path) -> None:
    (machine.root / "home/alice/.local/share/containers/storage/overlay/abc/diff").mkdir(parents=True)
    owner = tmp_path.stat().st_uid
    machine.uid = owner + 1 if owner != 0 else 4242
    assert machine.severity(storage.stale_ids) == "F"


def test_a_runtime_folder_that_others_may_read_is_told(machine: Machine) -> None:
    assert machine.severity(surroundings.runtime_folder) == "I"
    folder = machine.root / "run/user/1000"
    folder.mkdir(parents=True, mode=0o755)
    machine.env["XDG_RUNTIME_DIR"] = "/run/user/1000"
    assert machine.severity(surroundings.runtime_folder) == "S"


def test_credentials_matter_in_ci_and_must_be_private(machine: Machine) -> None:
    assert machine.finding(surroundings.credentials) is None
    machine.env["CI"] = "true"
    assert machine.severity(surroundings.credentials) == "W"
    machine.env["REGISTRY_AUTH_FILE"] = "/auth.json"
    machine.file("/auth.json", "{}").chmod(0o644)
    assert machine.severity(surroundings.credentials) == "W"
    machine.file("/auth.json", "{}").chmod(0o600)
    assert machine.severity(surroundings.credentials) == "ok"


def test_a_mount_over_the_bundle_is_told(machine: Machine) -> None:
    line = "30 22 0:9 / /etc/ssl/certs/ca-certificates.crt ro - ext4 /dev/vda ro\n"
    machine.file("/proc/self/mountinfo", OVERLAY + line)
    assert machine.severity(surroundings.mounted_bundle) == "W"


def test_a_named_bundle_that_is_not_there_is_told(machine: Machine) -> None:
    machine.env["SSL_CERT_FILE"] = "/gone.pem"
    finding = machine.finding(surroundings.bundle)
    assert finding is not None
    assert finding.found == "SSL_CERT_FILE=/gone.pem is not there"


def test_the_clock_is_compared_with_the_date_of_an_answer() -> None:
    answer = internet.Answer(401, "Thu, 01 Jan 1970 00:00:10 GMT", "Amazon", at=1000.0)
    assert internet.clock_skew_s(answer) == 990.0
    assert internet.clock_skew_s(internet.Answer()) is None


def test_a_company_is_not_taken_for_a_public_authority() -> None:
    assert internet.is_public("DigiCert Inc")
    assert not internet.is_public("Example Corp Proxy")


def test_foreign_platforms_are_judged_only_when_asked_for(machine: Machine) -> None:
    assert machine.finding(foreign.mounted) is None
    assert machine.finding(foreign.mounted, "linux/amd64") is None
    assert machine.severity(foreign.mounted, "linux/arm64") == "F"


def test_a_foreign_platform_without_a_handler_names_the_command(machine: Machine) -> None:
    finding = machine.finding(foreign.registered, "linux/arm64")
    assert finding is not None
    assert "update-binfmts --enable qemu-aarch64" in finding.setting
    machine.file("/proc/sys/fs/binfmt_misc/qemu-aarch64", AARCH64)
    assert machine.severity(foreign.registered, "linux/arm64") == "ok"


def test_a_handler_without_flag_f_is_fatal_and_emulation_is_slow(machine: Machine) -> None:
    machine.file("/proc/sys/fs/binfmt_misc/status", "enabled\n")
    machine.file("/proc/sys/fs/binfmt_misc/qemu-aarch64", AARCH64.replace("PF", "P"))
    assert machine.severity(foreign.fixed, "linux/arm64/v8") == "F"
    machine.file("/proc/sys/fs/binfmt_misc/qemu-aarch64", AARCH64)
    assert machine.severity(foreign.fixed, "linux/arm64/v8") == "ok"
    assert machine.severity(foreign.slow, "linux/arm64/v8") == "S"


def test_an_old_buildah_is_told_and_a_missing_one_is_fatal(machine: Machine) -> None:
    assert machine.severity(isolation.buildah) == "F"
    machine.program("buildah", "echo 'buildah version 1.23.1 (image-spec 1.0.2)'")
    assert machine.severity(isolation.buildah) == "W"
    machine.program("buildah", "echo 'buildah version 1.28.2 (image-spec 1.1.0-rc2)'")
    assert machine.severity(isolation.buildah) == "ok"


def test_a_masked_proc_is_told(machine: Machine) -> None:
    machine.file("/proc/self/mountinfo", OVERLAY + "31 22 0:9 / /proc/kcore rw - tmpfs tmpfs rw\n")
    assert machine.severity(isolation.masked_proc) == "I"


@pytest.mark.parametrize(
    ("env", "files", "system"),
    [
        ({"GITLAB_CI": "true"}, (), "gitlab-docker"),
        ({"GITLAB_CI": "true", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, (), "gitlab-kubernetes"),
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}, (), "github-hosted"),
        (
            {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "self-hosted"},
            (ci.SERVICE_ACCOUNT,),
            "github-arc",
        ),
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "self-hosted"}, (), "host"),
        ({}, ("/var/run/secrets/openshift.io/x", ci.SERVICE_ACCOUNT), "openshift"),
        ({}, (ci.SERVICE_ACCOUNT,), "kubernetes"),
        ({"BITBUCKET_BUILD_NUMBER": "1"}, (), "bitbucket"),
        ({}, ("/.dockerenv",), "docker"),
        ({}, (), "host"),
    ],
)
def test_ci_systems_are_recognised(
    machine: Machine, env: dict[str, str], files: tuple[str, ...], system: str
) -> None:
    machine.env |= env
    for file in files:
        machine.file(file, "x")
    assert ci.recognise(machine.host()) == system
