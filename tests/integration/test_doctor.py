"""The doctor with the real tools of this machine."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.accounts import Account

from bic.cli.doctor import command
from bic.engine.doctor.examine import examine
from bic.engine.doctor.machine import Host
from bic.engine.doctor.subject import Subject
from bic.engine.doctor.trial import trial
from bic.engine.host import choose_driver, probe_host, scratch_folder
from bic.errors import HostLacking

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("buildah") is None, reason="needs buildah"),
]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def leftovers(folder: Path) -> list[str]:
    mounts = Path("/proc/self/mountinfo").read_text()
    return [*map(str, folder.iterdir()), *(line for line in mounts.splitlines() if "bic-doctor" in line)]


def test_a_build_works_here_and_nothing_of_the_examination_stays(scratch: Path) -> None:
    findings = {item.id: item for item in examine(Subject(Host.here())).findings}
    for probe in ("pf-commit", "pf-step", "iso-net", "iso-host"):
        assert findings[probe].severity == "ok", findings[probe]
    assert leftovers(scratch) == []


def test_a_trial_keeps_to_its_folder_whatever_the_users_settings_say(scratch: Path) -> None:
    other = scratch / "other"
    settings = scratch / "storage.conf"
    settings.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{other}/g"\nrunroot = "{other}/r"\n')
    host = Host.here({**os.environ, "CONTAINERS_STORAGE_CONF": str(settings)})
    with scratch_folder(host, host.store) as folder, trial(host, folder, "vfs") as attempt:
        assert attempt.is_apart()
        assert attempt.buildah("from", "scratch").returncode == 0
    assert not other.exists()


def test_a_trial_writes_nothing_where_buildah_uses_another_store(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A buildah that drops the flags, as a rootless one does with `graphroot` of CONTAINERS_STORAGE_CONF.
    calls = scratch / "calls"
    fake = scratch / "bin" / "buildah"
    fake.parent.mkdir()
    info = '{"store": {"GraphRoot": "/home/user/store", "RunRoot": "/run/user"}}'
    fake.write_text(f"#!/bin/sh\necho \"$*\" >> {calls}\ncase $* in *unshare*) ;; *) echo '{info}';; esac\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    host = Host.here()
    with scratch_folder(host, host.store) as folder:
        with pytest.raises(HostLacking, match="store of its own"), trial(host, folder, "vfs"):
            raise AssertionError("must not be entered")
        called = calls.read_text()
    assert "info" in called
    assert not {"from", "rm", "rmi", "commit"} & {
        word for line in called.splitlines() if not line.startswith("unshare") for word in line.split()
    }


def test_a_mount_that_fails_ends_in_a_build_with_vfs(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = scratch / "bin"
    shim.mkdir()
    for name in ("mount", "fuse-overlayfs"):
        (shim / name).write_text("#!/bin/sh\nexit 32\n")
        (shim / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim}:{os.environ['PATH']}")
    host = Host.here()
    assert choose_driver(host, host.store) == "vfs"
    assert Subject(host).proof.built == ""


def test_the_json_says_what_the_engine_gets(scratch: Path) -> None:
    result = CliRunner().invoke(command, ["--json"])
    facts = json.loads(result.output)["facts"]
    chosen = probe_host()
    assert result.exit_code == 0
    assert (facts["driver"], facts["isolation"]) == (chosen.driver, "chroot")
    assert facts["emulated"] == sorted(chosen.emulated)


def test_an_ordinary_user_is_told_that_builds_work(builder_user: Account) -> None:
    done = builder_user.run([str(builder_user.bic), "doctor", "--json"])
    found = {each["id"]: each["severity"] for each in json.loads(done.stdout)["findings"]}
    assert done.code == 0, done.stderr
    assert (found["id-tools"], found["pf-commit"], found["pf-step"], found["iso-net"]) == ("ok",) * 4
