"""`bic init`: a workspace that lints and compiles, made without harm to what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bic.cli import compile as compile_
from bic.cli import init, lint
from bic.errors import BicError, InputInvalid, WorkFailed

ALL = [
    "bic.toml",
    "specs/base.toml",
    "checks/base.toml",
    ".gitignore",
    ".gitlab-ci.yml",
    ".github/workflows/images.yml",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _init(*arguments: str) -> Result:
    return CliRunner().invoke(init.command, arguments)


def _files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["base", "team/python.base", "a_b-c"])
def test_a_new_workspace_lints_without_a_finding_and_compiles(here: Path, name: str) -> None:
    assert _init("--name", name).exit_code == 0
    linted = CliRunner().invoke(lint.command, ["--strict"])
    assert (linted.exit_code, linted.stdout) == (0, "")
    compiled = CliRunner().invoke(compile_.command, [], catch_exceptions=False)
    assert compiled.stdout == f"out/build/{name}\n"
    assert (here / f"out/build/{name}/Dockerfile").is_file()


def test_it_prints_what_it_wrote(here: Path) -> None:
    result = _init()
    assert result.stdout.split() == ALL
    assert _files(here) == set(ALL)
    assert result.stderr == "next: bic lint, bic doctor, bic build\n"


def test_a_folder_is_made(here: Path) -> None:
    result = _init("images/base", "--ci", "none")
    assert _files(here / "images/base") == {"bic.toml", "specs/base.toml", "checks/base.toml", ".gitignore"}
    assert result.stderr.startswith("next: cd images/base && ")


@pytest.mark.parametrize(
    ("system", "files"),
    [
        ("gitlab", {".gitlab-ci.yml"}),
        ("github", {".github/workflows/images.yml"}),
        ("both", {".gitlab-ci.yml", ".github/workflows/images.yml"}),
        ("none", set()),
    ],
)
def test_snippets_are_for_the_systems_asked_for(here: Path, system: str, files: set[str]) -> None:
    _init("--ci", system)
    assert {file for file in _files(here) if file.endswith(".yml")} == files


def test_what_is_there_is_kept_and_named(here: Path) -> None:
    (here / ".gitignore").write_text("mine\n")
    (here / ".gitlab-ci.yml").symlink_to("nowhere")
    result = _init()
    assert result.exit_code == 0
    assert (here / ".gitignore").read_text() == "mine\n"
    assert "kept as it is: .gitignore\nkept as it is: .gitlab-ci.yml\n" in result.stderr
    assert ".gitignore" not in result.stdout.split()
    assert not (here / "nowhere").exists()


def test_a_spec_that_exists_is_an_error_and_nothing_is_written(here: Path) -> None:
    (here / "specs").mkdir()
    (here / "specs/base.toml").write_text("mine\n")
    error = _init().exception
    assert isinstance(error, InputInvalid)
    assert error.faults[0].message == "there is a spec already: `specs/base.toml`"
    assert _files(here) == {"specs/base.toml"}


@pytest.mark.parametrize("name", ["", "/x", "../x", "a//b", "Base", "fragments/x", "x.lock", "a b", "-x"])
def test_a_name_that_no_spec_can_have_is_an_error(here: Path, name: str) -> None:
    assert isinstance(_init("--name", name).exception, InputInvalid)
    assert _files(here) == set()


def test_a_file_in_the_way_of_a_folder_is_told(here: Path) -> None:
    (here / "checks").write_text("a file\n")
    error = _init().exception
    assert isinstance(error, (InputInvalid, WorkFailed))
    assert "checks" in error.faults[0].message


def test_the_check_suite_is_toml_and_says_that_it_is_not_evaluated(here: Path) -> None:
    _init("--name", "team/base")
    text = (here / "checks/team/base.toml").read_text()
    assert "does not evaluate checks yet" in text
    assert set(tomllib.loads(text)["suite"]["base"]["check"]) == {
        "user",
        "not-root",
        "directory",
        "utc",
        "runs",
    }


def test_the_suite_is_found_from_the_spec_once_its_lines_are_put_in_force(here: Path) -> None:
    _init("--name", "team/base")
    path = here / "specs/team/base.toml"
    tail = path.read_text().partition("# [checks]")[2]
    (included,) = tomllib.loads("[checks]" + re.sub(r"^# ?", "", tail, flags=re.MULTILINE))["checks"][
        "include"
    ]
    assert (path.parent / included).resolve() == here / "checks/team/base.toml"


def test_no_mark_of_a_template_is_left(here: Path) -> None:
    _init()
    assert [file for file in _files(here) if re.search(r"@[A-Z]+@", (here / file).read_text())] == []


def test_the_snippets_have_the_settings_of_rootless_runners(here: Path) -> None:
    _init()
    gitlab = (here / ".gitlab-ci.yml").read_text()
    github = (here / ".github/workflows/images.yml").read_text()
    assert 'BIC_HOME: "$CI_PROJECT_DIR/.bic"' in gitlab
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in github
    for text in (gitlab, github):
        assert "bic lint --strict" in text
        assert "bic build --locked" in text
    assert "/.bic/" in (here / ".gitignore").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bic = 2\n", "unknown language version `2`"),
        ("bic = true\n", "unknown language version `True`"),
        ("bik = 1\n", "unknown key `bik`"),
        ("bic =\n", "not valid TOML"),
    ],
)
def test_a_fault_in_bic_toml_is_told_by_every_verb(here: Path, text: str, message: str) -> None:
    _init()
    (here / "bic.toml").write_text(text)
    for verb in (lint.command, compile_.command):
        error = CliRunner().invoke(verb, []).exception
        assert isinstance(error, BicError)
        assert error.code == 2
        assert error.faults[0].message.startswith(message)
        assert str(error.faults[0].span).startswith("bic.toml:1:")


@pytest.mark.parametrize("text", ["", "bic = 1\n", "# a comment\n"])
def test_a_sound_bic_toml_changes_nothing(here: Path, text: str) -> None:
    _init()
    (here / "bic.toml").write_text(text)
    assert CliRunner().invoke(lint.command, ["--strict"]).exit_code == 0
