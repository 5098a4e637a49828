"""The examination as a whole: order, what is left out after a failure, exit codes, and the page for users."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_doctor_support import Machine

from bic.cli.doctor import command
from bic.engine.doctor.examine import PROBES, examine
from bic.engine.doctor.finding import Finding
from bic.engine.doctor.machine import Host
from bic.engine.doctor.manual import page
from bic.engine.doctor.subject import Subject

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def by_id(machine: Machine) -> dict[str, Finding]:
    return {finding.id: finding for finding in examine(Subject(machine.host())).findings}


def test_without_buildah_only_what_does_not_need_it_is_tried(machine: Machine) -> None:
    findings = by_id(machine)
    assert findings["tl-buildah"].severity == "F"
    for probe in ("ns-unshare", "id-tools", "st-driver", "pf-step", "iso-net"):
        assert findings[probe].found == "not tried: after tl-buildah"
        assert not findings[probe].tried


def test_the_first_failure_is_named_as_the_cause_of_what_was_not_tried(machine: Machine) -> None:
    machine.working().file("/etc/subuid", "")
    findings = by_id(machine)
    assert [item.id for item in findings.values() if item.severity == "F"] == ["id-range"]
    assert findings["pf-step"].found == "not tried: after id-range"


def test_no_probe_asks_the_network_unless_told(machine: Machine) -> None:
    assert not {"rt-rate", "rt-clock", "ca-intercept"} & by_id(machine).keys()


def test_every_need_names_a_probe_that_comes_before(machine: Machine) -> None:
    seen: set[str] = set()
    for probe in PROBES:
        assert set(probe.needs) <= seen, probe.id
        seen.add(probe.id)
    assert len(seen) == len(PROBES)


def test_every_failure_comes_with_a_setting(machine: Machine) -> None:
    for finding in by_id(machine).values():
        assert finding.setting or finding.severity in ("ok", "I"), finding.id


def test_the_facts_are_not_guessed_where_no_build_can_work(machine: Machine) -> None:
    report = examine(Subject(machine.host()))
    assert (report.driver, report.isolation, report.buildah) == (None, None, None)
    assert not report.is_healthy()


def test_the_command_ends_with_3_and_prints_plain_lines(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = machine.host()
    monkeypatch.setattr(Host, "here", classmethod(lambda cls, env: host))
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 3
    assert re.search(r"^F   tl-buildah +buildah is not on PATH$", result.output, re.MULTILINE)
    assert "setting: on Debian or Ubuntu: `apt-get install buildah`" in result.output
    assert "a build cannot work here: tl-buildah" in result.output
    assert "\x1b" not in result.output


def test_the_json_is_sorted_and_the_same_each_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    host = machine.host()
    monkeypatch.setattr(Host, "here", classmethod(lambda cls, env: host))
    first, second = (CliRunner().invoke(command, ["--json", "--platform", "linux/arm64"]) for _ in range(2))
    data = json.loads(first.output)
    ids = [finding["id"] for finding in data["findings"]]
    assert ids == sorted(ids)
    assert data["facts"]["architecture"] == "amd64"
    assert first.output == second.output


def test_the_page_for_users_is_current() -> None:
    renewal = "print(__import__('bic.engine.doctor.manual', fromlist=['page']).page(), end='')"
    assert PAGE.read_text() == page(), f'renew it: python -c "{renewal}" > docs/doctor.md'
