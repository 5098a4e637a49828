"""What users see, kept as files: `make goldens` (or pytest --snapshot-update) renews them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from bic.lower.shell import library

from .conftest import SPECS, Bic

SHELLCHECK = Path(sys.executable).with_name("shellcheck")

EXCLUDED = (
    "SC1003",  # a backslash before a closing quote is meant likewise
    "SC2016",  # a dollar sign in single quotes is meant: it is text of the spec
    "SC2034",  # fields that `read` must name to get at those behind them
    "SC2317",  # one library for all scripts: none uses every function
    "SC2329",  # likewise
)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("kind", ["ir.json", ".sh", "Dockerfile"])
def test_what_is_compiled_stays_as_it_is(
    built: Path, golden: SnapshotAssertion, spec: str, kind: str
) -> None:
    texts = [each.read_text() for each in sorted((built / spec).glob(f"*{kind}"))]
    assert "".join(without_libraries(each) for each in texts) == golden


def without_libraries(text: str) -> str:
    """A script without the functions that all scripts share, which have tests of their own."""
    for name in ("tree.sh", "prepare.sh"):
        body = library(name).partition("\n\n")[2]
        text = text.replace(body, f"\n… {name} …\n")
    return text


def test_outputs_can_be_printed_instead(bic: Bic, built: Path) -> None:
    for kind, name in (("ir", "ir.json"), ("script", "linux-amd64.sh"), ("dockerfile", "Dockerfile")):
        done = bic("compile", "--locked", "debian", "--emit", kind)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (built / "debian" / name).read_text()


def test_all_faults_of_all_files_are_told_at_once(bic: Bic, golden: SnapshotAssertion) -> None:
    done = bic("compile", "broken/first", "broken/second", "broken/third")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == golden


def test_faults_of_families_and_inputs_are_told_at_once(
    bic: Bic, folder: Path, golden: SnapshotAssertion
) -> None:
    """What shows only when files are compared: parents, names, missing inputs, and what is not set."""
    head = 'bic = 1\nimage = { name = "golden/%s", platforms = ["linux/amd64", "linux/s390x"] }\n'
    (folder / "specs/family.toml").write_text(head % "static" + 'base = { spec = "static" }\n')
    (folder / "specs/orphan.toml").write_text(head % "orphan" + 'base = { spec = "statik" }\n')
    (folder / "specs/circle.toml").write_text(head % "circle" + 'base = { spec = "circle" }\n')
    steps = (
        'copy = { source = "file", path = "/x" }',
        'file = { source = "files/run", path = "/x" }',
    )
    inputs = "".join(f"[[step]]\n{step}\n" for step in steps)
    (folder / "specs/inputs.toml").write_text(head % "inputs" + "base = { scratch = true }\n" + inputs)
    unset = (
        'env = { A = "${env.NONE}", B = "${env.PTH}" }\n[[step]]\nfile = { source = "files", path = "/x" }\n'
    )
    (folder / "specs/unset.toml").write_text(head % "unset" + "base = { scratch = true }\n" + unset)
    texts = []
    for specs in (("family", "orphan", "circle"), ("inputs",), ("unset",)):
        done = bic("compile", *specs)
        assert (done.returncode, done.stdout) == (2, "")
        texts.append(done.stderr)
    assert "\n".join(texts) == golden


def test_compiling_again_elsewhere_writes_the_same_files(bic: Bic, folder: Path, built: Path) -> None:
    def files(place: Path) -> dict[str, bytes]:
        return {
            str(each.relative_to(place)): each.read_bytes() for each in place.rglob("*") if each.is_file()
        }

    for _ in range(2):
        assert bic("compile", "--locked", *SPECS).returncode == 0
        assert files(folder / "out/build") == files(built)


@pytest.mark.parametrize("spec", SPECS)
def test_scripts_are_sound_shell(built: Path, spec: str) -> None:
    script, *others = sorted((built / spec).glob("*.sh"))
    for each in (script, *others):
        assert subprocess.run(["sh", "-n", each], check=False).returncode == 0
    command = [SHELLCHECK, "-s", "sh", "--exclude", ",".join(EXCLUDED), script]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


INSTRUCTIONS = re.compile(
    "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|LABEL|RUN|STOPSIGNAL|USER|VOLUME|WORKDIR"
)


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile: continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r" *\\\n *", " ", "\n".join(lines))
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in joined.splitlines()]


@pytest.mark.parametrize("spec", SPECS)
def test_dockerfiles_hold_instructions_with_valid_json(built: Path, spec: str) -> None:
    found = instructions((built / spec / "Dockerfile").read_text())
    assert [word for word, _ in found if not INSTRUCTIONS.fullmatch(word)] == []
    names = set()
    for word, rest in found:
        if word == "FROM":
            source, _, name = rest.partition(" AS ")
            assert source in names | {"scratch"} or ":" in source or "@" in source or "${" in source
            names.add(name)
        if word in ("RUN", "CMD", "ENTRYPOINT", "VOLUME"):
            argv = json.loads(re.sub(r"^(--\S+ )*", "", rest))
            assert all(isinstance(each, str) for each in argv)
        if word == "COPY":
            assert rest.split()[0].startswith("--from=")
