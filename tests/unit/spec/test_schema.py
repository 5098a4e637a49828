"""The JSON Schema against the loader: what loads validates, what the schema refuses does not load."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import tomli
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bic.errors import InputInvalid
from bic.spec import described
from bic.spec.grammar import GRAMMAR
from bic.spec.load import load
from bic.spec.model import EXECUTING, KINDS, Config, DebianBase, Image, Options
from bic.spec.schema import fragments_schema, spec_schema
from bic.spec.steps import beside
from bic.spec.structure import structure_value
from bic.spec.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
VALIDATOR = Draft202012Validator(spec_schema())
MINIMAL: dict[str, Any] = {
    "bic": 1,
    "image": {"name": "team/base", "platforms": ["linux/amd64"]},
    "base": {"scratch": True},
}
FRAGMENTS = """
[fragment.service-user]
description = "a user"
params.name = { type = "string" }
params.uid = { type = "integer", default = 1000, description = "its number" }
[[fragment.service-user.step]]
user = { name = "${with.name}", uid = "${with.uid}", system = true }
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("workspace")
    (root / "specs/fragments").mkdir(parents=True)
    (root / "specs/fragments/common.toml").write_text(FRAGMENTS)
    return Workspace(root)


def _loads(workspace: Workspace, spec: dict[str, Any]) -> bool:
    workspace.path_of("tried").write_text(tomli_w.dumps(spec))
    try:
        load(workspace, "tried")
    except InputInvalid:
        return False
    return True


def _faults(spec: dict[str, Any]) -> list[str]:
    return [f"{list(each.path)}: {each.message}" for each in VALIDATOR.iter_errors(spec)]


def _with(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**MINIMAL, **more, "step": list(steps)}


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the model as TOML data: the grammar's examples, put together."""
    if choices := described.choices(kind):
        return st.sampled_from(choices)
    if element := described.element(kind):
        return st.lists(_values(element), min_size=1, max_size=2, unique_by=str)
    if kind in GRAMMAR:
        return st.sampled_from(GRAMMAR[kind].examples)
    return _tables(kind)


def _tables(cls: type, only: tuple[str, ...] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    keys = [key for key in described.keys(cls) if only is None or key.name in only]
    needed = {key.name: _values(key.type) for key in keys if key.required}
    optional = {key.name: _values(key.type) for key in keys if not key.required}
    return st.fixed_dictionaries(needed, optional=optional)


@st.composite
def _steps(draw: st.DrawFn) -> dict[str, Any]:
    kind: Any = draw(st.sampled_from(KINDS))
    scalar = next(key.name for key in described.keys(kind)) == kind.SUBJECT
    step: dict[str, Any] = draw(_tables(kind, (kind.SUBJECT, *beside(kind))) if scalar else _tables(kind))
    step = step if scalar else {kind.SUBJECT: step}
    if kind in EXECUTING:
        step |= draw(_tables(Options))
    if draw(st.booleans()):
        step |= {"title": "a step", "platforms": ["linux/*"]}
    return step


BASES = st.sampled_from([{"scratch": True}, {"spec": "other"}, {"image": "docker.io/library/debian:12"}])
SPECS = st.fixed_dictionaries(
    {
        "bic": st.just(1),
        "image": _tables(Image),
        "base": BASES | _tables(DebianBase).map(lambda d: {"debian": d}),
    },
    optional={
        "vars": st.just({"uid": 1000, "on": True, "name": "app"}),
        "env": st.just({"A": "1", "B": "${vars.name}"}),
        "config": _tables(Config),
        "step": st.lists(_steps(), max_size=4),
        "stage": st.fixed_dictionaries({"helper": st.fixed_dictionaries({"base": BASES})}),
        "check": st.just({"a": {"run": ["true"]}}),
        "release": st.just({"registry": "registry.example.com"}),
    },
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in below for place in _places(each, (*path, key)))]


def _mutated(spec: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """One place of the spec removed, renamed, or given another value."""
    made = copy.deepcopy(spec)
    *path, last = chance.choice(_places(made)[1:])
    parent: Any = made
    for key in path:
        parent = parent[key]
    odd = [
        5,
        -1,
        True,
        "",
        "x",
        "/x",
        "${vars.uid}",
        "${vars.on}",
        "x${vars.name}",
        [],
        ["x"],
        {},
        {"x": "y"},
        1.5,
    ]
    match chance.choice(("replace", "replace", "remove", "rename")):
        case "remove":
            del parent[last]
        case "rename" if isinstance(last, str):
            parent[chance.choice((last + "x", "user", "env", "mode", "title", "run"))] = parent.pop(last)
        case _:
            parent[last] = chance.choice(odd)
    return made


@given(spec=SPECS)
def test_generated_specs_that_load_validate(workspace: Workspace, spec: dict[str, Any]) -> None:
    if _loads(workspace, spec):
        assert _faults(spec) == []


@given(spec=SPECS, chance=st.randoms(use_true_random=False))
def test_what_the_schema_refuses_does_not_load(
    workspace: Workspace, spec: dict[str, Any], chance: random.Random
) -> None:
    mutated = _mutated(spec, chance)
    if _faults(mutated):
        assert not _loads(workspace, mutated)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.SUBJECT)
def test_a_step_of_each_kind_loads_and_validates(workspace: Workspace, kind: Any) -> None:
    scalar = next(key.name for key in described.keys(kind)) == kind.SUBJECT
    table = {key.name: _example(key.type) for key in described.keys(kind) if key.name not in _EXCLUDED}
    step = table if scalar else {kind.SUBJECT: table}
    if kind in EXECUTING:
        step |= {key.name: _example(key.type) for key in described.keys(Options)}
    spec = _with({"title": "all keys", **step})
    assert _loads(workspace, spec)
    assert _faults(spec) == []


_EXCLUDED = ("content", "unpinned", "upgrade", "extract", "strip")


def _example(kind: Any) -> Any:
    if choices := described.choices(kind):
        return choices[-1]
    if element := described.element(kind):
        return [_example(element)]
    return GRAMMAR[kind].examples[0]


@pytest.mark.parametrize("kind", GRAMMAR, ids=lambda kind: GRAMMAR[kind].name)
def test_the_examples_of_each_type_are_accepted(kind: Any) -> None:
    for example in GRAMMAR[kind].examples:
        assert structure_value(example, kind)[1] == []


@pytest.mark.parametrize(
    "step",
    [
        {"user": {"name": "app", "uid": "${vars.uid}", "system": "${vars.on}"}},
        {"user": "${vars.user}"},
        {"apt": {"packages": "${vars.packages}", "upgrade": "${vars.upgrade}"}},
        {"directory": {"path": "${vars.home}/data", "mode": "${vars.mode}"}},
        {"run": "${vars.argv}"},
        {"run": ["id"], "user": "app", "env": {"A": "1"}, "network": "none"},
        {"shell": "id", "interpreter": ["/bin/bash", "-c"], "env": {"B": "${env.A}"}},
    ],
)
def test_references_stand_where_typed_values_do(workspace: Workspace, step: dict[str, Any]) -> None:
    user = {"name": "app", "uid": 1}
    texts = {"home": "/app", "mode": "0700", "upgrade": "full"}
    variables = {"uid": 1, "on": True, "user": user, "packages": ["socat"], "argv": ["true"], **texts}
    spec = _with(step, vars=variables)
    assert _loads(workspace, spec)
    assert _faults(spec) == []


def test_a_use_of_a_fragment_validates(workspace: Workspace) -> None:
    use = {"use": "service-user", "with": {"name": "app"}, "platforms": ["linux/*"], "title": "a user"}
    spec = _with(use, include=["fragments/common.toml"])
    assert _loads(workspace, spec)
    assert _faults(spec) == []


def test_the_schema_of_fragments_takes_them_and_no_unknown_key() -> None:
    validator = Draft202012Validator(fragments_schema())
    assert list(validator.iter_errors(tomli.loads(FRAGMENTS))) == []
    (fault,) = validator.iter_errors(tomli.loads(FRAGMENTS.replace('description = "a user"', "titel = 'x'")))
    assert "'titel' was unexpected" in fault.message


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"imge": {}}, "[]", "'imge' was unexpected"),
        ({"base": {"scratch": True, "spec": "a"}}, "['base']", "is valid under each of"),
        ({"step": [{"shel": "x"}]}, "['step', 0]", "is not valid under any"),
        ({"step": [{"run": ["x"], "shell": "x"}]}, "['step', 0]", "'shell' was unexpected"),
        ({"step": [{"timezone": "UTC", "network": "none"}]}, "['step', 0]", "'network' was unexpected"),
        ({"step": [{"user": {"name": "a", "uid": "1"}}]}, "['step', 0, 'user', 'uid']", "'1' does not match"),
        ({"step": [{"apt": {"upgrade": "ful"}}]}, "['step', 0, 'apt', 'upgrade']", "'ful' is not valid"),
        ({"stage": {"a": {"bse": {}}}}, "['stage', 'a']", "'bse' was unexpected"),
        ({"config": {"workdir": "app"}}, "['config', 'workdir']", "'app' does not match"),
    ],
)
def test_faults_are_found_where_they_are(change: dict[str, Any], where: str, what: str) -> None:
    assert any(each.startswith(f"{where}: ") and what in each for each in _faults({**MINIMAL, **change}))


@pytest.mark.parametrize(
    ("file", "made"), [("bic-spec.json", spec_schema), ("bic-fragments.json", fragments_schema)]
)
def test_the_committed_schema_is_current(file: str, made: Any) -> None:
    text = json.dumps(made(), indent=2, ensure_ascii=False) + "\n"
    assert (ROOT / "schema" / file).read_text() == text, f"renew it: bic schema > schema/{file}"


def test_every_shipped_spec_and_fragment_validates() -> None:
    fragments = Draft202012Validator(fragments_schema())
    for path in sorted((ROOT / "specs").rglob("*.toml")):
        if path.name.endswith(".lock.toml"):
            continue
        validator = fragments if path.parts[-2] == "fragments" else VALIDATOR
        assert list(validator.iter_errors(tomli.loads(path.read_text()))) == [], path
