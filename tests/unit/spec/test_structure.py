# ruff: noqa: E501 (tables of cases read best with one case a line)
"""Nothing is coerced: each leaf takes exactly one type of TOML."""

from collections.abc import Callable

import pytest
import tomli

from bic.errors import Fault
from bic.spec.structure import structure_value

FaultOf = Callable[..., Fault]


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        ('group = { name = "g", gid = "80" }', "expected an integer, found a string", "write 80 without quotes"),
        ('group = { name = "g", gid = 3.9 }', "expected an integer, found a float", None),
        ('group = { name = "g", gid = true }', "expected an integer, found a boolean", None),
        ('group = { name = "g", gid = -1 }', "expected a number from 0 to 4294967294, found -1", None),
        ('group = { name = "g", gid = 4294967295 }', "expected a number from 0 to 4294967294, found 4294967295", None),
        ('group = { name = 5, gid = 1 }', "expected a string, found an integer", 'write "5" in quotes'),
        ('group = { name = "g", gid = 1, system = "false" }', "expected a boolean, found a string", "write false without quotes"),
        ('group = { name = "g", gid = 1, system = 0 }', "expected a boolean, found an integer", None),
        ('group = "g"', "expected a table, found a string", None),
        ('run = "abc"', "expected an array, found a string", "put it in brackets: `[…]`"),
        ('run = ["a", 5]', "expected a string, found an integer", 'write "5" in quotes'),
        ('run = ["a", ["b"]]', "expected a string, found an array", None),
        ('run = ["a\\u0000b"]', "a string must not hold NUL: no argument and no text file can", None),
        ('run = []', "expected a program, found nothing to run", None),
        ('run = [""]', "expected a program, found nothing to run", None),
        ('shell = " \\n"', "expected a script, found an empty string", None),
        ('shell = "a\\u0000b"', "a string must not hold NUL: no argument and no text file can", None),
        ('shell = 5', "expected a string, found an integer", None),
        ('shell = "x"\ninterpreter = []', "expected a program, found nothing to run", None),
        ('env = { A = 1 }', "expected a string, found an integer", 'write "1" in quotes'),
        ('env = { A = 1979-05-27 }', "expected a string, found a date or time", None),
        ('env = { "A B" = "x" }', "not the name of an environment variable: `A B`", "letters, digits and `_`"),
        ('env = { origin = 5 }', "expected a string, found an integer", 'write "5" in quotes'),
        ('env = ["A=1"]', "expected a table, found an array", None),
        ('directory = { path = "/a", mode = 755 }', "expected a string, found an integer", 'write octal digits in quotes, such as "0755"'),
        ('directory = { path = "/a", mode = 0o755 }', "expected a string, found an integer", 'write octal digits in quotes, such as "0755"'),
        ('directory = {}', "the key `path` is missing", None),
        ('apt = { packages = ["curl"], upgrade = "ful" }', "expected one of `none`, `safe`, `full`, found `ful`", "did you mean `full`?"),
        ('apt = { packages = ["curl"], upgrade = true }', "expected a string, found a boolean", None),
        ('apt = { packages = "curl" }', "expected an array, found a string", "put it in brackets: `[…]`"),
        ('apt = {}', "apt needs `packages` or `upgrade`", None),
        ('copy = { from = "elsewhere", source = "a", path = "/a" }', "`from` is `workspace`, `stage:NAME` or `image:REFERENCE`: `elsewhere`", "did you mean `stage:elsewhere`?"),
        ('copy = { form = "workspace", source = "a", path = "/a" }', "unknown key `form`", "did you mean `from`?"),
        ('timezone = ["UTC"]', "expected a string, found an array", None),
        ('run = ["a"]\nuser = 5', "expected a string, found an integer", 'write "5" in quotes'),
        ('run = ["a"]\nnetwork = "nine"', "expected one of `default`, `none`, found `nine`", "did you mean `none`?"),
        ('run = ["a"]\ncache = "/a"', "expected an array, found a string", "put it in brackets: `[…]`"),
        ('run = ["a"]\nbind = { "/a" = 1 }', "expected a string, found an integer", 'write "1" in quotes'),
        ('run = ["a"]\nbind = { "/a" = "x", "/a/" = "y" }', "`/a` is named twice", None),
        ('run = ["a"]\ntitle = 5', "expected a string, found an integer", 'write "5" in quotes'),
        ('run = ["a"]\nplatforms = "linux/amd64"', "expected an array, found a string", "put it in brackets: `[…]`"),
    ],
)  # fmt: skip
def test_a_leaf_of_another_type_is_refused(
    fault_of: FaultOf, step: str, message: str, hint: str | None
) -> None:
    fault = fault_of(f"[[step]]\n{step}\n")
    assert (fault.message, fault.hint) == (message, hint)


def test_the_fault_of_a_key_called_origin_stands_at_that_key(fault_of: FaultOf) -> None:
    fault = fault_of("[[step]]\nenv = { A = 'x', origin = 5 }\n")
    assert str(fault.span) == "specs/a.toml:5:27"


@pytest.mark.parametrize("data", [5, "x", [], True, 1.5])
def test_a_table_of_variables_must_be_a_table(data: object) -> None:
    from bic.spec.model import EnvTable

    value, problems = structure_value(data, EnvTable)
    assert value is None
    assert problems[0].message.startswith("expected a table, found ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('image = 5', "expected a table, found an integer"),
        ('image = { name = "A", platforms = ["linux/amd64"] }', "not a repository name: `A`"),
        ('image = { name = "a", platforms = [] }', "an image has at least one platform"),
        ('image = { name = "a", platforms = "linux/amd64" }', "expected an array, found a string"),
        ('image = { name = "a", platforms = ["linux/amd46"] }', "unknown architecture `amd46`"),
        ('image = { name = "a", platforms = ["linux/amd64", "linux/x86_64"] }', "the platform `linux/amd64` is named twice"),
        ('image = { name = "a", platforms = ["linux/amd64"], labels = { "a=b" = "x" } }', "not the name of a label: `a=b`"),
        ('image = { name = "a", platforms = ["linux/amd64"], labels = { "" = "x" } }', "not the name of a label: ``"),
        ('image = { name = "a", platforms = ["linux/amd64"], labels = { x = "a\\nb" } }', "a value must not contain control characters: 'a\\nb'"),
        ('image = { name = "a", platforms = ["linux/amd64"], label = {} }', "unknown key `label`"),
    ],
)  # fmt: skip
def test_the_image_table_is_strict(fault_of: FaultOf, text: str, message: str) -> None:
    fault = fault_of(f"bic = 1\n{text}\nbase = {{ scratch = true }}\n", head="")
    assert fault.message == message
    assert fault.span is not None
    assert fault.span.start.line == 2


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("5", "expected a table, found an integer"),
        ("{}", "a base has exactly one of `image`, `spec`, `debian`, `scratch`, found none"),
        ("{ shell = false }", "a base has exactly one of `image`, `spec`, `debian`, `scratch`, found none"),
        ('{ scratch = true, spec = "a" }', "a base has exactly one of `image`, `spec`, `debian`, `scratch`, found `spec` and `scratch`"),
        ("{ scratch = false }", "`scratch` can only be `true`"),
        ("{ scratch = 1 }", "expected a boolean, found an integer"),
        ("{ debian = {} }", "the key `suite` is missing"),
        ('{ debian = { suite = "book worm" } }', "letters, digits, `.`, `_` and `-` only: `book worm`"),
        ('{ debian = { suite = "trixie", variant = "min" } }', "expected one of `essential`, `apt`, `required`, `minbase`, `important`, `standard`, found `min`"),
        ('{ debian = "bookworm" }', "expected a table, found a string"),
        ('{ images = "x" }', "unknown key `images`"),
    ],
)  # fmt: skip
def test_the_base_is_strict(fault_of: FaultOf, base: str, message: str) -> None:
    head = 'bic = 1\nimage = { name = "a", platforms = ["linux/amd64"] }\n'
    fault = fault_of(f"base = {base}\n", head=head)
    assert fault.message == message
    assert fault.span is not None
    assert fault.span.start.line == 3


def test_a_short_reference_is_refused_as_a_base(fault_of: FaultOf) -> None:
    head = 'bic = 1\nimage = { name = "a", platforms = ["linux/amd64"] }\n'
    assert "python:3.10" in fault_of('base = { image = "python:3.10" }\n', head=head).message


def test_what_tomli_gives_is_taken_as_it_is() -> None:
    data = tomli.loads('a = ["x", "y"]')["a"]
    assert structure_value(data, tuple[str, ...]) == (("x", "y"), [])
