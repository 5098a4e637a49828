# ruff: noqa: E501 (tables of cases read best with one case a line)
"""Included files: parameters, defaults, nesting, and everything that can be wrong with them."""

from collections.abc import Callable

import pytest

from bic.errors import Fault
from bic.spec.model import Group, Run, Spec

Load = Callable[..., Spec]
FaultOf = Callable[..., Fault]
FaultsOf = Callable[..., list[Fault]]

USE = 'include = ["f.toml"]\n'
GROUP = """
[fragment.g]
params.name = { type = "string", default = "${vars.team}s" }
params.gid = { type = "integer" }
[[fragment.g.step]]
group = { name = "${with.name}", gid = "${with.gid}" }
"""


def test_parameters_are_given_or_have_defaults(load: Load) -> None:
    text = USE + 'vars = { team = "dev", id = 7 }\n[[step]]\nuse = "g"\nwith = { gid = "${vars.id}" }\n'
    spec = load(text + '[[step]]\nuse = "g"\nwith = { gid = 8, name = "x" }\n', {"specs/f.toml": GROUP})
    assert [step.kind for step in spec.steps] == [Group("devs", 7), Group("x", 8)]
    assert str(spec.steps[0].span) == "specs/f.toml:5:3"


def test_fragments_use_each_other_and_platforms_add_up(load: Load) -> None:
    files = {
        "specs/f.toml": """
include = ["sub/g.toml"]
[fragment.outer]
params.word = { type = "string" }
[[fragment.outer.step]]
use = "inner"
with = { words = ["a", "${with.word}"] }
platforms = ["linux/*"]
""",
        "specs/sub/g.toml": """
[fragment.inner]
params.words = { type = "array" }
[[fragment.inner.step]]
run = "${with.words}"
platforms = ["!linux/arm64"]
""",
    }
    spec = load(USE + '[[step]]\nuse = "outer"\nwith = { word = "b" }\nplatforms = ["*amd64"]\n', files)
    assert spec.steps[0].kind == Run(("a", "b"))
    assert spec.steps[0].platforms == (("*amd64",), ("linux/*",), ("!linux/arm64",))


def test_a_file_that_is_included_twice_counts_once(load: Load) -> None:
    files = {"specs/f.toml": GROUP, "specs/g.toml": 'include = ["f.toml"]\n'}
    text = 'include = ["f.toml", "./f.toml", "g.toml"]\nvars = { team = "t" }\n[[step]]\nuse = "g"\nwith = { gid = 1 }\n'
    assert load(text, files).steps[0].kind == Group("ts", 1)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ('use = "g"', "`g` needs the parameter `gid`"),
        ('use = "g"\nwith = { gid = "7" }', "expected an integer, found a string"),
        ('use = "g"\nwith = { gid = true }', "expected an integer, found a boolean"),
        ('use = "g"\nwith = { gid = 7, gids = 8 }', "`g` has no parameter `gids`"),
        ('use = "g"\nwith = 5', "expected a table, found an integer"),
        ('use = "gg"', "unknown fragment `gg`"),
        ("use = 5", "unknown fragment `5`"),
        ('use = "g"\nwith = { gid = 7 }\nrun = ["x"]', "`run` cannot stand beside `use`"),
        ('use = "g"\nwith = { gid = 7 }\ntitle = 5', "expected a string, found an integer"),
        ('use = "g"\nwith = { gid = "${vars.none}" }', "unknown variable `vars.none`"),
        ('use = "g"\nwith = { gid = 7 }\nplatforms = ["x y"]', "not a platform or a pattern of platforms: `x y`"),
    ],
)  # fmt: skip
def test_a_wrong_use_is_told(faults_of: FaultsOf, use: str, message: str) -> None:
    faults = faults_of(USE + f'vars = {{ team = "t" }}\n[[step]]\n{use}\n', {"specs/f.toml": GROUP})
    assert message in [fault.message for fault in faults]
    assert all(fault.span and fault.span.file == "specs/a.toml" for fault in faults)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[fragment.g]\nparams.x = 5\n", "the parameter `x` needs a type"),
        ('[fragment.g]\nparams.x = { type = ["string"] }\n', "the parameter `x` needs a type"),
        ('[fragment.g]\nparams.x = { type = "integer", default = "5" }\n', "expected an integer, found a string"),
        ('[fragment.g]\nparams.x = { type = "string", defualt = "5" }\n', "unknown key `defualt`"),
        ("[fragment.g]\nparams = 5\n", "expected a table, found an integer"),
        ("[fragment.g]\nstep = 5\n", "steps are written `[[fragment.NAME.step]]`"),
        ("[fragment.g]\nsteps = []\n", "unknown key `steps`"),
        ("fragment = 5\n", "expected a table, found an integer"),
        ("[fragment]\ng = 5\n", "expected a table, found an integer"),
        ("[image]\nname = 'x'\n", "`image` cannot stand in an included file"),
        ("bic = 2\n", "unknown language version `2`"),
        ("include = 5\n", "expected an array, found an integer"),
        ("include = [5]\n", "expected the path of a file, found an integer"),
        ('include = ["f.toml"]\n', "the files include each other: specs/f.toml → specs/f.toml"),
        ('include = ["../../x.toml"]\n', "a path must not leave the workspace: `../../x.toml`"),
        ('include = ["/etc/passwd"]\n', "a path must not leave the workspace: `/etc/passwd`"),
        ('include = ["a\\u0000b"]\n', "cannot read `a\0b`: embedded null byte"),
        ('include = ["none.toml"]\n', "there is no file `specs/none.toml`"),
        ('include = ["."]\n', "`specs` is a directory"),
        ("[fragment.g\n", "not valid TOML: expected ']' at the end of a table declaration"),
    ],
)  # fmt: skip
def test_a_wrong_included_file_is_told_at_its_own_place(fault_of: FaultOf, text: str, message: str) -> None:
    fault = fault_of(USE, {"specs/f.toml": text})
    assert fault.message == message
    assert fault.span is not None
    assert fault.span.file == "specs/f.toml"


def test_cycles_of_fragments_are_told(fault_of: FaultOf) -> None:
    text = '[[fragment.a.step]]\nuse = "b"\n[[fragment.b.step]]\nuse = "a"\n'
    fault = fault_of(USE + '[[step]]\nuse = "a"\n', {"specs/f.toml": text})
    assert fault.message == "the fragments use each other: a → b → a"
    assert fault.notes == ("used at specs/f.toml:1:3", "used at specs/a.toml:5:3")


def test_a_fragment_of_two_files_is_told(fault_of: FaultOf) -> None:
    files = {"specs/f.toml": GROUP, "specs/g.toml": GROUP}
    fault = fault_of('include = ["f.toml", "g.toml"]\n', files)
    assert fault.message == "the fragment `g` is defined in `specs/f.toml` already"


def test_fragments_cannot_grow_without_bound(faults_of: FaultsOf) -> None:
    laughs = "".join(f'[[fragment.f{n}.step]]\nuse = "f{n + 1}"\n' * 10 for n in range(8))
    text = laughs + '[[fragment.f8.step]]\nrun = ["ha"]\n'
    faults = faults_of(USE + '[[step]]\nuse = "f0"\n', {"specs/f.toml": text})
    assert [fault.message for fault in faults] == ["the spec has more than 10000 steps"]


def test_a_deep_chain_of_fragments_is_told(fault_of: FaultOf) -> None:
    text = "".join(f'[[fragment.f{n}.step]]\nuse = "f{n + 1}"\n' for n in range(1000))
    fault = fault_of(USE + '[[step]]\nuse = "f0"\n', {"specs/f.toml": text})
    assert fault.message == "more than 32 fragments use each other"


def test_a_deep_chain_of_files_is_told(fault_of: FaultOf) -> None:
    files = {f"specs/f{n}.toml": f'include = ["f{n + 1}.toml"]\n' for n in range(400)}
    assert fault_of('include = ["f0.toml"]\n', files).message == "more than 32 files include each other"


def test_an_unknown_stage_named_in_a_fragment_is_shown_in_its_file(fault_of: FaultOf) -> None:
    text = '\n\n\n\n\n\n[[fragment.g.step]]\ncopy = { from = "stage:non", source = "/a", path = "/a" }\n'
    fault = fault_of(
        USE + '[[step]]\nuse = "g"\n[stage.none]\nbase = { scratch = true }\n', {"specs/f.toml": text}
    )
    assert (fault.message, fault.hint) == ("there is no stage called `non`", "did you mean `none`?")
    assert (str(fault.span), fault.excerpt) == ("specs/f.toml:8:17", text.splitlines()[7])
