# ruff: noqa: E501 (tables of cases read best with one case a line)
"""Steps: each kind in its shortest and fullest form, and what cannot be one."""

from collections.abc import Callable

import pytest

from bic.errors import Fault
from bic.oci.platform import Platform
from bic.spec.model import KINDS, Spec

Load = Callable[..., Spec]
FaultOf = Callable[..., Fault]

SHORT = {
    "run": 'run = ["true"]',
    "shell": 'shell = "true"',
    "apt": 'apt = { upgrade = "full" }',
    "apk": 'apk = { packages = ["curl"] }',
    "dnf": 'dnf = { packages = ["curl"] }',
    "pip": 'pip = { packages = ["poetry"] }',
    "user": 'user = { name = "u", uid = 1 }',
    "group": 'group = { name = "g", gid = 1 }',
    "directory": 'directory = { path = "/d" }',
    "file": 'file = { path = "/f", content = "" }',
    "symlink": 'symlink = { path = "/l", target = "t" }',
    "copy": 'copy = { source = "s", path = "/c" }',
    "remove": 'remove = { paths = ["/r"] }',
    "permissions": 'permissions = { path = "/p", mode = "u+x" }',
    "fetch": 'fetch = { url = "https://h/f", path = "/f" }',
    "env": 'env = { A = "b" }',
    "timezone": 'timezone = "UTC"',
}
FULL = """
title = "all"
platforms = ["linux/amd64", "!linux/arm*"]
user = "app:staff"
workdir = "/w/"
env = { A = "b" }
network = "none"
cache = ["/c1", "/c2"]
secrets = ["s"]
bind = { "/b" = "x" }
"""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.SUBJECT)
def test_the_shortest_step_of_a_kind(load: Load, kind: type) -> None:
    (step,) = load(f"[[step]]\n{SHORT[kind.SUBJECT]}\n").steps  # type: ignore[attr-defined]
    assert type(step.kind) is kind


@pytest.mark.parametrize("kind", ["run", "shell", "apt", "apk", "dnf", "pip"])
def test_steps_that_execute_take_all_options(load: Load, kind: str) -> None:
    (step,) = load(f"[[step]]\n{SHORT[kind]}{FULL}\n").steps
    assert step.title == "all"
    options = step.options
    assert (options.user, options.workdir, options.network, options.secrets) == (
        "app:staff",
        "/w",
        "none",
        ("s",),
    )
    assert (options.env, options.cache, options.bind) == ((("A", "b"),), ("/c1", "/c2"), (("/b", "x"),))


@pytest.mark.parametrize("kind", sorted(set(SHORT) - {"run", "shell", "apt", "apk", "dnf", "pip"}))
@pytest.mark.parametrize(
    "option", ['workdir = "/w"', 'network = "none"', 'cache = ["/c"]', 'secrets = ["s"]', "bind = {}"]
)
def test_steps_that_do_not_execute_take_none(fault_of: FaultOf, kind: str, option: str) -> None:
    fault = fault_of(f"[[step]]\n{SHORT[kind]}\n{option}\n")
    assert fault.message == f"`{option.split()[0]}` belongs to steps that execute, not to `{kind}`"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('run = ["a"]\nshell = "b"', "a step has one kind, this one has `run` and `shell`", "make it two steps"),
        ('user = { name = "u", uid = 1 }\nenv = { A = "b" }', "a step has one kind, this one has `user` and `env`", "make it two steps"),
        ('directry = { path = "/a" }', "unknown kind of step `directry`", "did you mean `directory`?"),
        ("", "the step has no kind", "one of `run`"),
        ('title = "x"', "the step has no kind", "one of `run`"),
        ('run = ["a"]\ntitel = "x"', "unknown key `titel`", "did you mean `title`?"),
        ('run = ["a"]\ninterpreter = ["x"]', "unknown key `interpreter`", None),
        ('run = ["a"]\ntitle = "a\\nrm -rf /"', "a value must not contain control characters: 'a\\nrm -rf /'", None),
        ('file = { path = "/a" }', "a file needs `content` or `source`", None),
        ('file = { path = "/a", content = "", source = "b" }', "a file has `content` or `source`, not both", None),
        ('file = { path = "/", content = "" }', "a file cannot be the root directory", None),
        ('file = { path = "/a", content = "", mode = "u+x" }', "a mode is three or four octal digits: `u+x`", None),
        ('symlink = { path = "/", target = "a" }', "a symbolic link cannot be the root directory", None),
        ('symlink = { path = "/a", target = "" }', "a symbolic link points somewhere", None),
        ('permissions = { path = "/a" }', "permissions need `mode` or `owner`", None),
        ('pip = {}', "pip needs `packages` or `requirements`", None),
        ('remove = { paths = [] }', "expected paths, found an empty array", None),
        ('remove = { paths = ["/"] }', "the root directory cannot be removed: `/`", None),
        ('fetch = { url = "https://h/f", path = "/f", strip = 1 }', "`strip` needs `extract = true`", None),
        ('fetch = { url = "https://h/f", path = "/f", extract = true, mode = "0600" }', "`mode` is for a single file; what is unpacked gets 0644 or 0755", None),
        (f'fetch = {{ url = "https://h/f", path = "/f", unpinned = true, sha256 = "{"0" * 64}" }}', "`sha256` pins the content, `unpinned` says that nothing does", None),
        ('copy = { source = "../x", path = "/x" }', "a path must not leave the workspace: `../x`", None),
        ('copy = { from = "image:docker.io/library/a:b", source = "x", path = "/x" }', "a path in the image must be absolute: `x`", "write `/x`"),
        ('copy = { from = "image:a", source = "/x", path = "/x" }', "a reference names no registry: `a`", None),
        ('copy = { source = "x", path = "/x", exclude = ["a", "!b"] }', "not a pattern of names: `!b`", None),
        ('copy = { source = "x", path = "/x", exclude = ["../b"] }', "not a pattern of names: `../b`", None),
        ('copy = { source = "x", path = "/x", exclude = ["**/b"] }', "not a pattern of names: `**/b`", None),
        ('user = { name = "u", uid = 1, home = "/a:b" }', "`home` must not hold a colon: `/a:b`", None),
        ('user = { name = "u", uid = 1, comment = "a:b" }', "`comment` must not hold a colon: `a:b`", None),
        ('user = { name = "u", uid = 1, groups = "g" }', "expected an array, found a string", "put it in brackets: `[…]`"),
        ('run = ["a"]\ncache = ["/a:b"]', "nothing can be mounted at this path: `/a:b`", None),
        ('run = ["a"]\ncache = ["/a b"]', "nothing can be mounted at this path: `/a b`", None),
        ('run = ["a"]\ncache = ["/"]', "nothing can be mounted at this path: `/`", None),
        ('run = ["a"]\ncache = ["/a"]\nbind = { "/a/" = "x" }', "two mounts at one path: `/a`", None),
        ('run = ["a"]\nbind = { "/a" = "../x" }', "a path must not leave the workspace: `../x`", None),
    ],
)  # fmt: skip
def test_what_cannot_be_a_step_is_told(fault_of: FaultOf, text: str, message: str, hint: str | None) -> None:
    fault = fault_of(f"[[step]]\n{text}\n")
    assert fault.message == message
    assert hint is None or (fault.hint or "").startswith(hint)


@pytest.mark.parametrize("steps", ["step = 5", 'step = "x"', "step = [5]", "[step]\nrun = ['x']"])
def test_steps_are_an_array_of_tables(fault_of: FaultOf, steps: str) -> None:
    assert fault_of(steps + "\n").message.startswith("expected ")


@pytest.mark.parametrize(
    ("globs", "platform", "runs"),
    [
        ([], "linux/s390x", True),
        (["linux/aarch64"], "linux/arm64", True),
        (["linux/arm*"], "linux/arm/v7", True),
        (["linux/arm*"], "linux/amd64", False),
        (["!linux/amd64"], "linux/arm64", True),
        (["!linux/amd64"], "linux/amd64", False),
        (["linux/*", "!linux/amd64"], "linux/amd64", False),
    ],
)
def test_steps_run_on_their_platforms(load: Load, globs: list[str], platform: str, runs: bool) -> None:
    (step,) = load(f'[[step]]\nrun = ["a"]\nplatforms = {globs}\n'.replace("'", '"')).steps
    assert step.runs_on(Platform.parse(platform)) is runs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stage = 5\n", "a stage has a name: `[stage.NAME]`"),
        ("[[stage]]\nbase = { scratch = true }\n", "a stage has a name: `[stage.NAME]`"),
        ("[stage]\na = 5\n", "expected a table, found an integer"),
        ("[stage.a]\n", "the table `[stage.a.base]` is missing"),
        ("[[stage.a.step]]\nrun = ['x']\n", "the table `[stage.a.base]` is missing"),
        ("[stage.a]\nbase = { scratch = true }\nsteps = []\n", "unknown key `steps`"),
        ("[stage.'a b']\nbase = { scratch = true }\n", "letters, digits, `.`, `_` and `-` only: `a b`"),
        ('[[step]]\ncopy = { from = "stage:a", source = "/a", path = "/a" }\n', "there is no stage called `a`"),
        ('[stage.a]\nbase = { scratch = true }\n[[stage.a.step]]\ncopy = { from = "stage:a", source = "/a", path = "/a" }\n', "the stages copy from each other: a → a"),
    ],
)  # fmt: skip
def test_wrong_stages_are_told(fault_of: FaultOf, text: str, message: str) -> None:
    fault = fault_of(text)
    assert fault.message == message
    assert fault.span is not None
    assert fault.span.start.line > 3
