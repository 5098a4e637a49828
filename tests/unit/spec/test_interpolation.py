"""References to variables: filled in where they are bic's, left alone where they are not."""

from collections.abc import Callable
from typing import Any

import pytest

from bic.errors import Fault
from bic.spec.interpolate import Scope, interpolate
from bic.spec.model import Env, File, Group, Run, Shell, Spec

SCOPE = Scope(
    {"vars": {"s": "text", "n": 5, "yes": True, "l": ["a", 1], "t": {"k": "v"}, "f": 3.10, "e": ""}}
)
Load = Callable[..., Spec]
FaultOf = Callable[..., Fault]
FaultsOf = Callable[..., list[Fault]]


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("${vars.n}", 5),
        ("${vars.yes}", True),
        ("${vars.l}", ["a", 1]),
        ("${vars.t}", {"k": "v"}),
        ("${vars.f}", 3.10),
        (" ${vars.n}", " 5"),
        ("${vars.yes}!", "true!"),
        ("${vars.s}${vars.s}", "texttext"),
        ("a${vars.e}b", "ab"),
        ("$${vars.s}", "${vars.s}"),
        ("$$${vars.s}", "$${vars.s}"),
        ("x$${vars.s}y", "x${vars.s}y"),
        ("${HOME} $1 $$ ${1} ${x:-y} ${} $", "${HOME} $1 $$ ${1} ${x:-y} ${} $"),
        ("${project.version} $${project.version}", "${project.version} $${project.version}"),
        ("${java.home}", "${java.home}"),
        ({"a": ["${vars.n}", {"b": "${vars.s}"}]}, {"a": [5, {"b": "text"}]}),
        (5, 5),
    ],
)
def test_references_are_filled_in(value: Any, filled: Any) -> None:
    assert interpolate(value, SCOPE) == (filled, [])


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("${vars.ss}", "unknown variable `vars.ss`", "did you mean `s`?"),
        ("${vars.}", "unknown variable `vars.`", "known here: "),
        ("${vars.a b}", "unknown variable `vars.a b`", "known here: "),
        ("${var.s}", "there is no `var` to refer to here: `${var.s}`", "did you mean `vars`?"),
        ("${with.s}", "there is no `with` to refer to here: `${with.s}`", "in fragments"),
        (
            "${env.PATH}",
            "`${env.PATH}` can be used in `env` values only",
            "`$${env.PATH}` stands for the text itself",
        ),
        ("x${vars.l}", "an array cannot stand inside a longer string", "refer to it alone"),
        ("x${vars.t}", "a table cannot stand inside a longer string", "refer to it alone"),
        ("x${vars.f}", "a float cannot stand inside a longer string", "in quotes"),
    ],
)
def test_references_to_nothing_are_told(value: str, message: str, hint: str) -> None:
    filled, ((path, fault),) = interpolate({"a": [value]}, SCOPE)
    assert (path, fault.message) == (("a", 0), message)
    assert hint in (fault.hint or "")
    assert filled == {"a": [value]}


def test_variables_refer_to_each_other_in_any_order(load: Load) -> None:
    spec = load(
        'vars = { c = "${vars.b}!", b = "${vars.a}${vars.a}", a = "x", n = 7, m = "${vars.n}" }\n'
        '[[step]]\nrun = ["${vars.c}", "$${vars.c}"]\n[[step]]\ngroup = { name = "g", gid = "${vars.m}" }\n'
    )
    assert [step.kind for step in spec.steps] == [Run(("xx!", "${vars.c}")), Group("g", 7)]


def test_a_whole_list_can_be_a_variable(load: Load) -> None:
    spec = load('vars = { l = ["a", "b"] }\n[[step]]\nrun = "${vars.l}"\n')
    assert spec.steps[0].kind == Run(("a", "b"))


def test_the_type_of_a_variable_counts_where_it_is_used(fault_of: FaultOf) -> None:
    fault = fault_of('vars = { n = "7" }\n[[step]]\ngroup = { name = "g", gid = "${vars.n}" }\n')
    assert fault.message == "expected an integer, found a string"
    assert str(fault.span) == "specs/a.toml:6:29"


def test_cycles_of_variables_are_told_once(fault_of: FaultOf) -> None:
    fault = fault_of('[vars]\na = "${vars.b}"\nb = "x${vars.c}"\nc = "${vars.a}"\n')
    assert "the variables refer to each other: " in fault.message
    assert fault.message.count("→") == 3


def test_a_variable_that_refers_to_itself_is_told(fault_of: FaultOf) -> None:
    assert fault_of('[vars]\na = "${vars.a}"\n').message == "the variables refer to each other: a → a"


def test_an_unknown_variable_is_told_where_it_is_named_and_once(fault_of: FaultOf) -> None:
    fault = fault_of('[vars]\nb = "${vars.a}"\na = "x${vars.none}"\n')
    assert (fault.message, str(fault.span)) == ("unknown variable `vars.none`", "specs/a.toml:6:5")


def test_a_long_chain_of_variables_is_no_problem(load: Load) -> None:
    chain = "".join(f'v{n} = "${{vars.v{n + 1}}}"\n' for n in range(3000))
    spec = load(f'[vars]\n{chain}v3000 = "end"\n[[step]]\nrun = ["${{vars.v0}}"]\n')
    assert spec.steps[0].kind == Run(("end",))


def test_variables_cannot_grow_without_bound(faults_of: FaultsOf) -> None:
    laughs = "".join(f'v{n} = "{f"${{vars.v{n - 1}}}" * 10}"\n' for n in range(1, 12))
    faults = faults_of(f'[vars]\nv0 = "ha"\n{laughs}')
    assert faults[0].message == "the value has more than 1048576 characters"


def test_env_values_may_refer_to_the_environment(load: Load) -> None:
    spec = load('env = { PATH = "/x:${env.PATH}" }\n[[step]]\nenv = { A = "${env.B}", C = "$${env.B}" }\n')
    assert dict(spec.env) == {"PATH": "/x:${env.PATH}"}
    assert spec.steps[0].kind == Env((("A", "${env.B}"), ("C", "$${env.B}")))  # type: ignore[arg-type]


def test_a_stage_called_env_is_no_environment(fault_of: FaultOf) -> None:
    fault = fault_of('[stage.env]\nbase = { scratch = true }\n[[stage.env.step]]\nrun = ["${env.PATH}"]\n')
    assert "in `env` values only" in fault.message


def test_scripts_and_files_keep_what_is_not_bics(load: Load) -> None:
    text = "echo ${HOME} ${x%.y} ${maven.home} $$ '$(pwd)'"
    spec = load(
        f'[[step]]\nshell = """{text}"""\n[[step]]\nfile = {{ path = "/a", content = """{text}""" }}\n'
    )
    assert [step.kind for step in spec.steps] == [Shell(text), File("/a", text)]  # type: ignore[arg-type]
