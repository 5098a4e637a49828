"""docs/spec.md: current, complete, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
import tomli

from bic.cli.render import render
from bic.engine.lint import shellcheck
from bic.engine.lint.examine import lint
from bic.errors import InputInvalid
from bic.spec import described
from bic.spec.load import load_all
from bic.spec.model import KINDS, Base, Config, DebianBase, Image, Options
from bic.spec.reference import DERIVED, reference
from bic.spec.steps import step_of
from bic.spec.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
CLASSES: tuple[Any, ...] = (Image, Base, DebianBase, Config, Options, *KINDS)


def test_the_page_is_current() -> None:
    assert (ROOT / "docs/spec.md").read_text() == reference(), (
        "renew it: bic schema --markdown > docs/spec.md"
    )


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_of_the_model_is_documented(cls: Any) -> None:
    assert described.summary(cls)
    keys = described.keys(cls)
    assert [key.name for key in keys if not key.meaning] == []
    for key in keys:
        assert f"| `{key.name}` | " in reference()


def test_no_docstring_describes_a_field_that_is_gone() -> None:
    for cls in CLASSES:
        described_keys = set(described._meanings(cls))
        assert described_keys == {key.name for key in described.keys(cls)}, cls


def test_every_default_that_is_derived_is_described() -> None:
    derived = {
        (cls.__name__, attribute.name)
        for cls in CLASSES
        for attribute in attrs.fields(cls)
        if isinstance(attribute.default, attrs.Factory)
    }
    assert set(DERIVED) == derived


def _blocks() -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", reference(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def tutorial(tmp_path: Path) -> Workspace:
    """The workspace that the tutorial writes."""
    for text in _blocks():
        if match := re.match(r"# (\S+)\n", text):
            (tmp_path / match[1]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / match[1]).write_text(text)
    return Workspace(tmp_path)


def test_the_specs_of_the_tutorial_are_sound(tutorial: Workspace) -> None:
    specs = load_all(tutorial, tutorial.names())
    assert set(specs) == {"data", "hello", "service", "worker"}
    assert lint(tutorial, tutorial.names(), specs, shellcheck.program()).findings == ()


def test_the_fault_of_the_tutorial_is_shown_as_bic_shows_it(tutorial: Workspace) -> None:
    path = tutorial.path_of("hello")
    path.write_text(path.read_text().replace("owner =", "ownr ="))
    with pytest.raises(InputInvalid) as caught:
        load_all(tutorial, ["hello"])
    assert click.unstyle(render(caught.value)) in reference()


def test_there_is_an_example_of_every_kind_of_step() -> None:
    texts = [text for text in _blocks() if text.startswith("[[step]]")]
    steps = [step for text in texts for step in tomli.loads(text)["step"]]
    filled = [step | {"file": step["file"] | {"content": "x"}} if "file" in step else step for step in steps]
    made = [step_of(step, None) for step in filled]  # type: ignore[arg-type]
    assert [problems for _, problems in made if problems] == []
    assert [type(step.kind) for step, _ in made if step] == list(KINDS)


def test_every_link_within_the_page_leads_somewhere() -> None:
    page = reference()
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
