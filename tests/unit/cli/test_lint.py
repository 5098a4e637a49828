"""`bic lint`: each rule finds what it is for, nothing in sound specs, and at its place in the TOML file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bic.cli.lint import command
from bic.engine.lint import shellcheck
from bic.engine.lint.examine import RULES, Report, lint
from bic.engine.lint.literal import located
from bic.engine.lint.manual import page
from bic.errors import InputInvalid
from bic.spec.load import load_all
from bic.spec.toml import parse
from bic.spec.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
HEAD = """\
bic = 1
[image]
name = "team/a"
platforms = ["linux/amd64"]
"""
SOUND = HEAD + '[base]\ndebian = { suite = "bookworm" }\n'


def _workspace(root: Path, **specs: str) -> Workspace:
    for name, text in specs.items():
        path = root / "specs" / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Workspace(root)


def _report(root: Path, program: str | None = None, **specs: str) -> Report:
    workspace = _workspace(root, **specs)
    names = workspace.names()
    return lint(workspace, names, load_all(workspace, names), program)


def _found(report: Report) -> list[str]:
    return [f"{finding.rule} {finding.fault.span}" for finding in report.findings]


def _run(root: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.chdir(root)
    return CliRunner().invoke(command, arguments)


STAGE = "[stage.s]\nbase = { scratch = true }\n"
USER = '[[step]]\nuser = { name = "app", uid = 1000 }\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SOUND, []),
        (SOUND + USER, ["unused-user specs/a.toml:8:1"]),
        (SOUND + USER + '[config]\nuser = "app"\n', []),
        (SOUND + USER + '[config]\nuser = "1000:1000"\n', []),
        (SOUND + USER + '[[step]]\nrun = ["id"]\nuser = "app"\n', []),
        (SOUND + STAGE, ["unused-stage specs/a.toml:7:2"]),
        (SOUND + STAGE + '[[step]]\ncopy = { from = "stage:s", source = "/a", path = "/b" }\n', []),
        (SOUND + "[vars]\nx = 1\n", ["unused-variable specs/a.toml:8:1"]),
        (SOUND + '[vars]\nx = "1"\n[check.a]\nstdout = "${vars.x}"\n', ["not-evaluated specs/a.toml:9:2"]),
        (
            SOUND + '[[step]]\ntimezone = "UTC"\nplatforms = ["linux/arm*"]\n',
            ["no-platform specs/a.toml:9:13"],
        ),
        (SOUND + '[[step]]\ntimezone = "UTC"\nplatforms = ["linux/amd*"]\n', []),
        (
            HEAD + '[base]\nimage = "docker.io/library/debian:latest"\n',
            ["latest-tag specs/a.toml:6:9"],
        ),
        (HEAD + '[base]\nimage = "docker.io/library/debian"\n', ["latest-tag specs/a.toml:6:9"]),
        (HEAD + '[base]\nimage = "docker.io/library/debian:12"\n', []),
        (
            SOUND + '[[step]]\ncopy = { from = "image:docker.io/library/a", source = "/a", path = "/b" }\n',
            ["latest-tag specs/a.toml:8:17"],
        ),
        (SOUND + '[config]\ncmd = ["a"]\n', ["no-workdir specs/a.toml:7:2"]),
        (SOUND + '[config]\ncmd = ["a"]\nworkdir = "/"\n', []),
        (SOUND + '[config]\nuser = "app"\nworkdir = "/app"\n', ["workdir-of-root specs/a.toml:9:11"]),
        (SOUND + '[config]\nuser = "a"\nworkdir = "/app"\n[[step]]\ndirectory = { path = "/app" }\n', []),
        (SOUND + "[release]\n", ["not-evaluated specs/a.toml:7:2"]),
        (SOUND + '[env]\nPATH = "/x:$PATH"\n', ["unexpanded-variable specs/a.toml:8:8"]),
        (SOUND + '[[step]]\nenv = { PATH = "${PATH}" }\n', ["unexpanded-variable specs/a.toml:8:16"]),
        (SOUND + '[env]\nPATH = "/x:${env.PATH}"\nPRICE = "5$"\n', []),
        (SOUND + '[env]\nDB_PASSWORD = "x"\nTOKEN_FILE = "/t"\nNO_TOKENS = "1"\nAPI_KEY = ""\n',
         ["secret-in-env specs/a.toml:8:15"]),
        (
            SOUND + '[[step]]\nrun = ["a"]\nenv = { GITHUB_TOKEN = "x" }\n',
            ["secret-in-env specs/a.toml:9:24"],
        ),
        (
            SOUND + '[[step]]\nfetch = { url = "https://a.org/b", path = "/b", unpinned = true }\n',
            ["unpinned-download specs/a.toml:8:60"],
        ),
        (SOUND + '[[step]]\nfetch = { url = "https://a.org/b", path = "/b" }\n', []),
        (SOUND + '[[step]]\nshell = """\ntouch /a\ntouch -d @0 /a"""\n', ["mtime-trick specs/a.toml:10:1"]),
        (SOUND + "[[step]]\nshell = 'find / -newermt x | xargs rm'\n", ["mtime-trick specs/a.toml:8:10"]),
        (SOUND + '[[step]]\nrun = ["touch", "-t", "0", "/a"]\n', ["mtime-trick specs/a.toml:8:7"]),
        (SOUND + '[[step]]\napt = { packages = ["socat"] }\n', []),
    ],
)  # fmt: skip
def test_a_rule_finds_what_it_is_for(tmp_path: Path, text: str, found: list[str]) -> None:
    assert _found(_report(tmp_path, a=text)) == found


def test_every_rule_is_tried_above() -> None:
    source = Path(__file__).read_text()
    assert [rule.id for rule in RULES if f"{rule.id} specs/" not in source] == []


def test_a_workdir_that_a_parent_makes_is_no_finding(tmp_path: Path) -> None:
    child = (
        HEAD.replace("team/a", "team/b") + '[base]\nspec = "a"\n[config]\nuser = "app"\nworkdir = "/app"\n'
    )
    parent = SOUND + '[[step]]\ndirectory = { path = "/app" }\n'
    assert _found(_report(tmp_path, a=parent, b=child)) == []


FRAGMENT = """\
[fragment.clean]
params.path = { type = "string" }
[[fragment.clean.step]]
shell = '''

  rm -rf ${with.path}/$dir
'''
"""


def test_a_place_in_a_fragment_is_reported_once(tmp_path: Path) -> None:
    use = '[[step]]\nuse = "clean"\nwith = { path = "/x" }\n'
    one = SOUND.replace("bic = 1", 'bic = 1\ninclude = ["fragments/f.toml"]') + use + use
    specs = {"a": one, "b": one.replace("team/a", "team/b"), "fragments__f": FRAGMENT}
    report = _report(tmp_path, shellcheck.program(), **specs)
    assert _found(report) == ["SC2086 specs/fragments/f.toml:6:23", "SC2154 specs/fragments/f.toml:6:23"]


@pytest.mark.parametrize(
    ("shell", "places"),
    [
        ("'echo $x'", ["8:15"]),
        ('"echo $x"', ["8:15"]),
        ('"\\"a\\" && echo \\\\ $x"', ["8:27"]),
        ('"""\necho $x"""', ["9:6"]),
        ('"""echo $x"""', ["8:17"]),
        ('"""\n\n\\u0065cho \\\n   $x"""', ["11:4"]),
        ("'''\n\techo $x\n'''", ["9:7"]),
        ('"""\necho ä€😀 $x"""', ["9:10"]),
        ('"""\necho ${vars.long} $x"""', ["9:19"]),
    ],
)
def test_shellcheck_finds_the_place_in_the_toml_file(tmp_path: Path, shell: str, places: list[str]) -> None:
    text = (
        SOUND + f'[[step]]\nshell = {shell}\n[vars]\nlong = "a ; b"\n[check.a]\nstdout = "${{vars.long}}"\n'
    )
    report = _report(tmp_path, shellcheck.program(), a=text)
    found = [finding.fault.span for finding in report.findings if finding.rule == "SC2086"]
    assert [f"{span.start.line}:{span.start.column}" for span in found if span] == places


def test_a_file_with_crlf_has_the_same_places(tmp_path: Path) -> None:
    text = (SOUND + '[[step]]\nshell = """\necho 1\necho $x\n"""\n').replace("\n", "\r\n")
    workspace = _workspace(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/a.toml").write_bytes(text.encode())
    report = lint(workspace, ["a"], load_all(workspace, ["a"]), shellcheck.program())
    assert "SC2086 specs/a.toml:10:6" in _found(report)


@pytest.mark.parametrize(
    ("interpreter", "is_checked"),
    [
        ('["/bin/sh", "-c"]', True),
        ('["/bin/dash", "-c"]', True),
        ('["bash", "-euo", "pipefail", "-c"]', True),
        ('["/usr/bin/env", "bash", "-c"]', True),
        ('["python3", "-c"]', False),
    ],
)
def test_scripts_of_other_interpreters_are_left_alone(
    tmp_path: Path, interpreter: str, is_checked: bool
) -> None:
    text = SOUND + f"[[step]]\nshell = 'echo $x'\ninterpreter = {interpreter}\n"
    assert bool(_report(tmp_path, shellcheck.program(), a=text).findings) == is_checked


def test_a_script_knows_the_options_of_its_interpreter(tmp_path: Path) -> None:
    with_e = SOUND + "[[step]]\nshell = 'cd /x; ls'\n"
    without = with_e + 'interpreter = ["/bin/sh", "-c"]\n'
    program = shellcheck.program()
    assert _found(_report(tmp_path / "1", program, a=with_e)) == []
    assert _found(_report(tmp_path / "2", program, a=without)) == ["SC2164 specs/a.toml:8:10"]


def test_a_script_can_accept_a_finding(tmp_path: Path) -> None:
    text = SOUND + "[[step]]\nshell = '''\n# shellcheck disable=SC2086\necho $X\n'''\n"
    assert _found(_report(tmp_path, shellcheck.program(), a=text)) == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=30))
def test_every_character_of_a_string_has_its_place(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    document = parse(f'x = """\n{escaped}"""'.encode(), "a.toml")
    found = located(document, document.value_span(("x",)), document.data["x"])
    lines = document.text.split("\n")
    for char, place in zip(found.text, found.places, strict=False):
        there = (lines[place.line - 1] + "\n")[place.column - 1]
        assert there == char or there == "\\"


def test_without_shellcheck_it_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workspace(tmp_path, a=SOUND + "[[step]]\nshell = 'echo $x'\n[release]\n")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = _run(tmp_path, monkeypatch)
    assert result.exit_code == 0
    assert "ShellCheck is not installed" in result.stderr
    assert "[not-evaluated]" in result.stdout


def test_warnings_fail_only_with_strict_and_notes_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _workspace(tmp_path, note=SOUND + "[release]\n", warning=SOUND.replace("m/a", "m/b") + STAGE)
    codes = [
        _run(tmp_path, monkeypatch, *arguments).exit_code
        for arguments in (["note"], ["note", "--strict"], ["warning"], ["warning", "--strict"])
    ]
    assert codes == [0, 0, 0, 1]


def test_json_holds_rule_severity_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workspace(tmp_path, a=SOUND + "[vars]\nx = 1\n")
    (finding,) = json.loads(_run(tmp_path, monkeypatch, "--json").stdout)
    assert finding == {
        "rule": "unused-variable",
        "severity": "warning",
        "message": "the variable `x` is never used",
        "file": "specs/a.toml",
        "line": 8,
        "column": 1,
        "end_line": 8,
        "end_column": 2,
    }


def test_what_does_not_load_is_raised_and_in_json_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _workspace(tmp_path, a=SOUND + "[imge]\n[[step]]\nrun = 5\n")
    assert isinstance(_run(tmp_path, monkeypatch).exception, InputInvalid)
    result = _run(tmp_path, monkeypatch, "--json")
    assert result.exit_code == 2
    found = [(each["rule"], each["severity"], each["line"]) for each in json.loads(result.stdout)]
    assert found == [("error", "error", 7), ("error", "error", 9)]


def test_text_shows_the_rule_and_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workspace(tmp_path, a=SOUND + "[vars]\nx = 1\n")
    result = _run(tmp_path, monkeypatch)
    assert "warning: the variable `x` is never used [unused-variable]\n --> specs/a.toml:8:1" in result.stdout
    assert result.stderr == "1 warning\n"


def test_the_page_is_current() -> None:
    renewal = "from bic.engine.lint.manual import page; print(page(), end='')"
    assert (ROOT / "docs/lint.md").read_text() == page(), f'renew it: python -c "{renewal}" > docs/lint.md'
