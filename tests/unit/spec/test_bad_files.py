# ruff: noqa: E501 (tables of cases read best with one case a line)
"""Files that are no specs: each is told with exit code 2, never by a traceback."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bic.errors import Fault, InputInvalid, NothingSelected
from bic.spec.load import load_all
from bic.spec.model import Run, Spec
from bic.spec.toml import parse
from bic.spec.workspace import Workspace, find, is_name

Load = Callable[..., Spec]
FaultOf = Callable[..., Fault]
FaultsOf = Callable[..., list[Fault]]
Make = Callable[[Mapping[str, str | bytes]], Workspace]
HEAD = 'bic = 1\nimage = { name = "a/b", platforms = ["linux/amd64"] }\nbase = { scratch = true }\n'


def messages(workspace: Workspace, *names: str) -> list[str]:
    with pytest.raises(InputInvalid) as caught:
        load_all(workspace, names)
    return [fault.message for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("content", "message", "place"),
    [
        (b"", "`specs/a.toml` is empty", None),
        (b"# nothing\n", "`specs/a.toml` is empty", None),
        (b"\xef\xbb\xbf", "`specs/a.toml` is empty", None),
        (b"x" * (10 << 20), "`specs/a.toml` is 10.5 MB, larger than 1 MiB", None),
        (HEAD.encode() + b'a = "\xff"\n', "the file is not UTF-8: byte 0xff", "4:6"),
        ("bic = 1\nü = '\N{CJK UNIFIED IDEOGRAPH-4E00}".encode()[:-1], "the file is not UTF-8: byte 0xe4", "2:6"),
        (b"bic = 1\0", "not valid TOML: ", "1:8"),
        (b'bic = "\0"\n', "not valid TOML: ", "1:8"),
        (b"bic = 1\nbic = 1\n", "not valid TOML: cannot overwrite a value", "2:8"),
        (b"[image]\n[image]\n", "not valid TOML: cannot declare ", "2:7"),
        (b"bic = 1\r\nx = \r\n", "not valid TOML: invalid value", "2:5"),
        (b"x = " + b"[" * 100_000, "`specs/a.toml` is nested too deeply", None),
        (b"x = " + b"[" * 200 + b"]" * 200, "`specs/a.toml` is nested too deeply", None),
        (b"vars." + b"a." * 50 + b"a = 1\n", "`specs/a.toml` is nested too deeply", None),
        (b"[vars" + b".a" * 20_000 + b"]\n", "", None),
        (b"x = " + b"9" * 5000 + b"\n", "`specs/a.toml` holds a number that is too large", None),
    ],
)  # fmt: skip
def test_what_is_no_spec_is_told(fault_of: FaultOf, content: bytes, message: str, place: str | None) -> None:
    fault = fault_of(content)
    assert fault.message.startswith(message)
    assert place is None or str(fault.span) == f"specs/a.toml:{place}"


def test_a_byte_order_mark_and_carriage_returns_change_nothing(load: Load, make_workspace: Make) -> None:
    plain = load('[[step]]\nshell = """\necho a\necho b\n"""\n')
    text = (HEAD + '[[step]]\nshell = """\necho a\necho b\n"""\n').replace("\n", "\r\n")
    workspace = make_workspace({"specs/a.toml": b"\xef\xbb\xbf" + text.encode()})
    assert load_all(workspace, ["a"])["a"] == plain


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "place", "length"),
    [
        ('[[step]]\nrun = ["x", 5]\n', "5:13", 1),
        ('[[step]]\nrun = [\n  "ünï", # ü\n  5,\n]\n', "7:3", 1),
        ('[[step]]\nenv = { B = "\N{PILE OF POO} ü", A = 5 }\n', "5:24", 1),
        ('[[step]]\n"group" = { "name" = "g", gid = "5" }\n', "5:33", 3),
        ('[[step]]\ngroup.name = "g"\ngroup.gid = "5"\n', "6:13", 3),
        ('[[step]]\n[step.group]\nname = "g"\ngid = "5"\n', "7:7", 3),
        ('[[step]]\nrun = ["a"]\n[[step]]\n[step.group]\nname = "g"\ngid = "5"\n', "9:7", 3),
        ('step = [{ run = ["a"] }, { group = { name = "g", gid = "5" } }]\n', "4:56", 3),
        ('stage.x.base.scratch = 1\n', "4:24", 1),
        ('[stage.x.base]\nscratch = true\n[[stage.x.step]]\nrun = ["a"]\n[[stage.x.step]]\nrun = [true]\n', "9:8", 4),
        ('[config]\nuser = """\na b"""\n', "5:8", None),
        ('[config]\n# a comment\n\tworkdir\t=\t"x"\n', "6:12", 3),
    ],
)  # fmt: skip
def test_a_fault_stands_at_its_value(
    faults_of: FaultsOf, text: str, place: str, length: int | None, ending: str
) -> None:
    (fault,) = faults_of((HEAD + text).replace("\n", ending).encode())
    assert str(fault.span) == f"specs/a.toml:{place}"
    assert fault.span is not None
    assert length is None or fault.span.end.column - fault.span.start.column == length
    assert fault.excerpt == (HEAD + text).split("\n")[fault.span.start.line - 1]


def test_a_fault_stands_at_a_key_that_is_unknown(fault_of: FaultOf) -> None:
    fault = fault_of('[[step]]\ndirectory = { path = "/a", "mödé" = "0755" }\n')
    assert (fault.message, str(fault.span)) == ("unknown key `mödé`", "specs/a.toml:5:28")


def test_what_is_missing_is_told_at_the_start_of_the_file(faults_of: FaultsOf) -> None:
    faults = faults_of("vars = {}\n", head="")
    assert [fault.message for fault in faults] == [
        "the key `bic` is missing",
        "the table `[image]` is missing",
        "the table `[base]` is missing",
    ]
    assert {str(fault.span) for fault in faults} == {"specs/a.toml:1:1"}


@pytest.mark.parametrize("version", ["2", "0", '"1"', "1.0", "true", "[1]"])
def test_another_version_of_the_language_is_refused(fault_of: FaultOf, version: str) -> None:
    assert fault_of(HEAD.replace("bic = 1", f"bic = {version}"), head="").message.startswith(
        "unknown language version"
    )


def test_links_and_directories_in_the_place_of_specs_are_told(make_workspace: Make) -> None:
    workspace = make_workspace({"specs/good.toml": HEAD})
    (workspace.specs / "folder.toml").mkdir()
    (workspace.specs / "loop.toml").symlink_to("loop.toml")
    (workspace.specs / "dangling.toml").symlink_to("none")
    (workspace.specs / "around").symlink_to(".")
    names = workspace.select((), workspace.root)
    assert names == ("dangling", "folder", "good", "loop")
    assert messages(workspace, *names) == [
        "there is no file `specs/dangling.toml`",
        "`specs/folder.toml` is a directory",
        "there is no file `specs/loop.toml`",
    ]


def test_a_spec_that_cannot_be_read_is_told(ordinary_workspace: Make) -> None:
    workspace = ordinary_workspace({"specs/a.toml": HEAD})
    (workspace.specs / "a.toml").chmod(0)
    assert messages(workspace, "a") == ["cannot read `specs/a.toml`: Permission denied"]


@pytest.mark.parametrize(
    "name", ["../a", "/etc/a", "a/../a", "./a", "a//a", "", "a.lock", "fragments/f", "..", "a b", "-a"]
)
def test_names_that_leave_the_workspace_or_are_no_specs_are_not_there(
    make_workspace: Make, name: str
) -> None:
    files = {
        "specs/a.toml": HEAD,
        "specs/a.lock.toml": "lock = 1\n",
        "specs/fragments/f.toml": "",
        "a.toml": HEAD,
    }
    workspace = make_workspace(
        {**files, "specs/child.toml": HEAD.replace("scratch = true", f'spec = "{name}"')}
    )
    assert messages(workspace, "child") == [f"there is no spec called `{name}`"]
    with pytest.raises(InputInvalid):
        workspace.select((name,), workspace.root / "specs/fragments")


@pytest.mark.parametrize("name", ["a b.toml", "a\nb.toml", "-a.toml", "ü.toml", "a/.hidden.toml"])
def test_a_file_with_an_odd_name_is_told(make_workspace: Make, name: str) -> None:
    workspace = make_workspace({f"specs/{name}": HEAD})
    (message,) = messages(workspace, *workspace.select((), workspace.root))
    assert message.startswith("not a name for a spec: ")
    assert "\n" not in message


def test_specs_are_selected_by_name_or_path(make_workspace: Make, tmp_path: Path) -> None:
    files = {
        "specs/b/python.v3.toml": HEAD,
        "specs/a.toml": HEAD,
        "specs/a.lock.toml": "",
        "specs/fragments/f.toml": "",
    }
    workspace = make_workspace(files)
    root = workspace.root
    assert find(root / "specs/b") == workspace
    assert workspace.select((), root) == ("a", "b/python.v3")
    assert workspace.select(("b/python.v3", "specs/a.toml", "a"), root) == ("b/python.v3", "a")
    assert workspace.select(("python.v3.toml",), root / "specs/b") == ("b/python.v3",)
    (tmp_path / "x.toml").write_text(HEAD)
    with pytest.raises(InputInvalid, match="is not below specs/"):
        workspace.select((str(tmp_path / "x.toml"),), root)
    with pytest.raises(InputInvalid, match="there is no spec called"):
        workspace.select(("python",), root)
    (root / "specs/a.toml").unlink()
    (root / "specs/b/python.v3.toml").unlink()
    with pytest.raises(NothingSelected):
        workspace.select((), root)


def family(**parents: str) -> dict[str, str | bytes]:
    head = 'bic = 1\nimage = {{ name = "x/{0}", platforms = ["linux/amd64"] }}\nbase = {{ spec = "{1}" }}\n'
    return {f"specs/{name}.toml": head.format(name, parent) for name, parent in parents.items()}


def test_cycles_of_specs_are_told(make_workspace: Make) -> None:
    workspace = make_workspace(family(a="b", b="c", c="a"))
    assert messages(workspace, "a", "b", "c") == ["the specs build on each other: a → b → c → a"]


def test_parents_come_before_children(make_workspace: Make) -> None:
    files = {**family(a="b", b="c"), "specs/c.toml": HEAD}
    assert list(load_all(make_workspace(files), ["a", "c"])) == ["c", "b", "a"]


def test_a_parent_of_other_platforms_and_a_name_taken_twice_are_told(make_workspace: Make) -> None:
    files = {**family(a="c"), "specs/c.toml": HEAD.replace("amd64", "arm64").replace("a/b", "x/a")}
    assert messages(make_workspace(files), "a") == [
        "`c` is not built for `linux/amd64`",
        "`x/a` is the name of two images",
    ]


@pytest.mark.parametrize("platform", ["linux/wasm", "linux/arm/v8", "windows/amd64"])
def test_a_platform_without_debian_packages_is_told(fault_of: FaultOf, platform: str) -> None:
    text = HEAD.replace("linux/amd64", platform).replace("scratch = true", 'debian = { suite = "sid" }')
    fault = fault_of(text, head="")
    assert fault.message.startswith("Debian has no packages for `")
    assert str(fault.span) == "specs/a.toml:2:38"


def test_faults_of_several_files_come_together(make_workspace: Make) -> None:
    workspace = make_workspace(
        {"specs/a.toml": b"", "specs/b.toml": HEAD + "x = 1\n", "specs/c.toml": b"\xff"}
    )
    assert len(messages(workspace, "a", "b", "c")) == 3


def test_what_parses_keeps_its_text() -> None:
    document = parse(b"\xef\xbb\xbfa = 1\r\n", "f")
    assert (document.text, document.data) == ("a = 1\n", {"a": 1})


def test_names_of_specs() -> None:
    assert is_name("airbyte/python-connector_base.v3")
    assert not is_name("a\n")


def test_a_list_of_arguments_may_hold_anything_but_nul(load: Load) -> None:
    assert load("[[step]]\nrun = ['a', \"\\n\\t\\u001b\"]\n").steps[0].kind == Run(("a", "\n\t\x1b"))
