"""Files of the workspace as steps use them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bic.errors import InputInvalid
from bic.lock.inputs import InputKey, scan
from bic.spec.load import load_all
from bic.spec.workspace import Workspace

Make = Callable[[Mapping[str, str | bytes]], Workspace]
HEAD = 'bic = 1\nimage = { name = "a/b", platforms = ["linux/amd64"] }\nbase = { scratch = true }\n'


def spec(*steps: str) -> dict[str, str | bytes]:
    return {"specs/a.toml": HEAD + "".join(f"[[step]]\n{step}\n" for step in steps)}


def names(workspace: Workspace) -> list[str]:
    ((_, entries),) = scan(workspace, load_all(workspace, ["a"]).values()).items()
    return [entry.path for entry in entries]


def faults(workspace: Workspace) -> list[tuple[str, int]]:
    with pytest.raises(InputInvalid) as caught:
        scan(workspace, load_all(workspace, ["a"]).values())
    return [(each.message, each.span.start.line if each.span else 0) for each in caught.value.faults]


COPY = 'copy = { source = "src", path = "/src" }'


def test_a_directory_is_listed_in_order_with_parents_first(make_workspace: Make) -> None:
    files = {"src/b": "", "src/a/z": "", "src/a/.dot": "", "src/a-b": ""}
    assert names(make_workspace({**spec(COPY), **files})) == ["", "a", "a/.dot", "a/z", "a-b", "b"]


def test_what_is_missing_is_reported_all_at_once(make_workspace: Make) -> None:
    steps = (
        'copy = { source = "scr", path = "/x" }',
        'file = { source = "none", path = "/x" }',
        'pip = { requirements = "requirement.txt" }',
        'run = ["x"]\nbind = { "/x" = "gone" }',
    )
    workspace = make_workspace({**spec(*steps), "src/x": "", "requirements.txt": ""})
    assert faults(workspace) == [
        ("no such file in the workspace: `scr`", 4),
        ("no such file in the workspace: `none`", 6),
        ("no such file in the workspace: `requirement.txt`", 8),
        ("no such file in the workspace: `gone`", 10),
    ]


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("", ["", "a.pyc", "keep", "sub", "sub/b.pyc", "sub/keep"]),
        ("*.pyc\n", ["", "keep", "sub", "sub/keep"]),
        ("/src/*.pyc\n", ["", "keep", "sub", "sub/b.pyc", "sub/keep"]),
        ("sub/\n", ["", "a.pyc", "keep"]),
        ("*.pyc\n!a.pyc\n", ["", "a.pyc", "keep", "sub", "sub/keep"]),
        ("# all\n\nsrc/*\n!src/keep\n", ["", "keep"]),
    ],
)
def test_what_is_ignored_is_not_seen(make_workspace: Make, ignored: str, left: list[str]) -> None:
    files = {"src/a.pyc": "", "src/keep": "", "src/sub/b.pyc": "", "src/sub/keep": "", ".bicignore": ignored}
    assert names(make_workspace({**spec(COPY), **files})) == left


def test_only_the_bit_of_the_user_counts(make_workspace: Make) -> None:
    workspace = make_workspace({**spec(COPY), "src/tool": "", "src/data": ""})
    (workspace.root / "src/tool").chmod(0o700)
    (workspace.root / "src/data").chmod(0o666)
    ((_, entries),) = scan(workspace, load_all(workspace, ["a"]).values()).items()
    assert [(each.path, each.executable) for each in entries] == [
        ("", False),
        ("data", False),
        ("tool", True),
    ]


def test_links_are_kept_and_never_followed_out(make_workspace: Make, tmp_path: Path) -> None:
    workspace = make_workspace(spec(COPY, 'file = { source = "out", path = "/x" }'))
    (workspace.root / "src").mkdir()
    (workspace.root / "src/loop").symlink_to("loop")
    (workspace.root / "src/away").symlink_to("/etc/passwd")
    (tmp_path / "secret").write_text("")
    (workspace.root / "out").symlink_to(tmp_path / "secret")
    assert faults(workspace) == [("a symbolic link leads out of the workspace: `out`", 6)]
    (workspace.root / "out").unlink()
    (workspace.root / "out").write_text("")
    found = scan(workspace, load_all(workspace, ["a"]).values())
    targets = {each.path: each.target for each in found[InputKey("src")]}
    assert targets == {"": None, "away": "/etc/passwd", "loop": "loop"}


def test_a_loop_of_links_is_told(make_workspace: Make) -> None:
    workspace = make_workspace(spec(COPY))
    (workspace.root / "src").symlink_to("src")
    ((message, line),) = faults(workspace)
    assert message.startswith("cannot read `src`: ")
    assert line == 4


def test_a_pipe_is_told(make_workspace: Make) -> None:
    workspace = make_workspace({**spec(COPY), "src/a": ""})
    os.mkfifo(workspace.root / "src/pipe")
    assert faults(workspace) == [("neither a file, a directory nor a symbolic link: `src/pipe`", 4)]


def test_a_name_that_is_not_utf8_is_told(make_workspace: Make) -> None:
    workspace = make_workspace({**spec(COPY), "src/a": ""})
    Path(os.fsdecode(os.fsencode(workspace.root / "src") + b"/\xff")).write_text("")
    assert faults(workspace) == [("the name of a file is not UTF-8: `\\xff`", 4)]


@pytest.mark.parametrize("pattern", ["!", "[z-a]"])
def test_a_pattern_that_is_none_is_told(make_workspace: Make, pattern: str) -> None:
    workspace = make_workspace({**spec(COPY), "src/a": "", ".bicignore": pattern + "\n"})
    ((message, _),) = faults(workspace)
    assert message.startswith("not a pattern of names: ")


def test_what_cannot_be_read_is_told(ordinary_workspace: Make) -> None:
    workspace = ordinary_workspace(
        {**spec(COPY, 'file = { source = "lone", path = "/x" }'), "src/a": "", "lone": ""}
    )
    (workspace.root / "src/a").chmod(0)
    (workspace.root / "lone").chmod(0)
    assert faults(workspace) == [
        ("cannot read `src/a`: permission denied", 4),
        ("cannot read `lone`: permission denied", 6),
    ]
    (workspace.root / "src").chmod(0)
    assert faults(workspace)[0] == ("cannot read `src`: permission denied", 4)
    (workspace.root / "src").chmod(0o755)


def test_a_file_of_ignored_patterns_that_cannot_be_read_is_told(ordinary_workspace: Make) -> None:
    workspace = ordinary_workspace({**spec(COPY), "src/a": "", ".bicignore": ""})
    (workspace.root / ".bicignore").chmod(0)
    assert faults(workspace) == [("cannot read `.bicignore`: permission denied", 4)]


def test_an_ignored_folder_need_not_be_readable(ordinary_workspace: Make) -> None:
    workspace = ordinary_workspace(
        {**spec(COPY), "src/a": "", "src/private/b": "", ".bicignore": "private/\n"}
    )
    (workspace.root / "src/private").chmod(0)
    assert names(workspace) == ["", "a"]
    (workspace.root / "src/private").chmod(0o755)
