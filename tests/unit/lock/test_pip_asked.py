"""What a step asks for: what goes to the resolver, and what is refused by name and line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bic.errors import Fault, InputInvalid
from bic.lock.pip.asked import Asked, read
from bic.lock.pip.model import Request, RequirementsFile

FILE = "requirements/app.txt"


def of_file(text: str) -> Asked:
    return read(Request(file=RequirementsFile(FILE, text)))


def refused(request: Request) -> tuple[Fault, ...]:
    with pytest.raises(InputInvalid) as error:
        read(request)
    return error.value.faults


def refused_line(line: str) -> Fault:
    (fault,) = refused(Request(file=RequirementsFile(FILE, line)))
    return fault


@pytest.mark.parametrize(
    "requirement",
    [
        "pip==24.0",
        "Poetry",
        "uvicorn[standard]>=0.30,<1",
        "colorama; sys_platform == 'win32'",
        "zope.interface ~= 6.0",
        "torch==2.3.0+cpu",
    ],
)
def test_names_versions_extras_and_markers_go_to_the_resolver_as_they_are(requirement: str) -> None:
    assert read(Request((requirement,))).lines == (requirement,)
    assert of_file(requirement).lines == (requirement,)


def test_comments_empty_lines_and_continued_lines_are_read_as_pip_does() -> None:
    text = "# first\n\nsix==1.16.0  # why\r\nidna \\\n  >=3 ; \\\n  python_version > '3'\nurl-in-comment#x\n"
    assert [fault.message for fault in refused(Request(file=RequirementsFile(FILE, text)))] == [
        "not a requirement: `url-in-comment#x`"
    ]
    lines = of_file(text.replace("url-in-comment#x\n", "last \\")).lines
    assert lines == ("six==1.16.0", "idna   >=3 ;   python_version > '3'", "last")


def test_hashes_are_kept_by_normalised_name_and_not_told_to_the_resolver() -> None:
    asked = of_file(
        "Zope_Interface==6.0 \\\n --hash=sha256:AA \\\n --hash sha512:cc\nzope.interface==5 --hash=sha256:bb"
    )
    assert asked.lines == ("Zope_Interface==6.0", "zope.interface==5")
    assert asked.allows("zope-interface", "aa") and asked.allows("zope-interface", "bb")
    assert not asked.allows("zope-interface", "cc")
    assert asked.allows("six", "cc")


def test_indexes_of_a_file_are_asked_and_settled_options_are_left_out() -> None:
    asked = of_file(
        "-i https://index.example/simple\n--extra-index-url=https://b.example/\n"
        "--only-binary :all:\n--pre\nsix"
    )
    assert asked.lines == (
        "--index-url https://index.example/simple",
        "--extra-index-url https://b.example/",
        "six",
    )
    assert asked.prereleases and not of_file("six").prereleases


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r other.txt", "`-r` names another requirements file: `other.txt`"),
        ("-rother.txt", "`-r` names another requirements file: `other.txt`"),
        ("--requirement=other.txt", "`--requirement` names another requirements file: `other.txt`"),
        ("-c limits.txt", "`-c` names a file of constraints: `limits.txt`"),
        ("-e .", "`-e` installs a source tree: `.`"),
        ("--find-links /wheels", "`--find-links` names a place that only some machines know: `/wheels`"),
        ("--no-binary :all:", "`--no-binary` asks for sources: `:all:`"),
        ("--use-feature fast", "an option that cannot be locked: `--use-feature fast`"),
        ("--index-url /simple", "`--index-url` has no address of an index: `/simple`"),
        ("six --global-option=x", "an option of a requirement that cannot be locked: `--global-option=x`"),
        ("six --hash=md5:00", "the hashes are not of sha256: `md5:00`"),
        ("./six-1.0-py3-none-any.whl", "a file or an address, and no package: `./six-1.0-py3-none-any.whl`"),
        ("six-1.0.tar.gz", "a file or an address, and no package: `six-1.0.tar.gz`"),
        ("six = 1", "not a requirement: `six = 1`"),
        ("six==1 or 2", "not a requirement: `six==1 or 2`"),
    ],
)
def test_what_a_lock_cannot_hold_is_refused_by_name(line: str, message: str) -> None:
    assert refused_line(line).message == message


@pytest.mark.parametrize(
    "line",
    [
        "six @ https://me:s3cret@files.example/six-1.0-py3-none-any.whl",
        "https://me:s3cret@files.example/six.zip",
        "git+https://s3cret@git.example/six",
        "-e git+https://me:s3cret@git.example/six#egg=six",
        "--find-links https://me:s3cret@files.example/",
        "--index-url https://me:s3cret@a.example https://b.example",
    ],
)
def test_refusals_show_no_credentials(line: str) -> None:
    assert "s3cret" not in repr(refused_line(line)) and "***@" in repr(refused_line(line))


def test_an_index_with_a_variable_is_refused_with_the_way_that_works() -> None:
    fault = refused_line("--index-url https://${USER}:${TOKEN}@index.example/simple")
    assert "has a variable" in fault.message and "UV_DEFAULT_INDEX" in (fault.hint or "")


def test_all_faults_come_at_once_with_file_and_line() -> None:
    text = "six\n-e .\nidna \\\n  ==\n--pre\n-r x.txt\n"
    faults = refused(Request(("./here", "ok"), RequirementsFile(FILE, text)))
    assert [str(fault.span) for fault in faults] == ["None", f"{FILE}:2:1", f"{FILE}:3:1", f"{FILE}:6:1"]
    assert faults[1].excerpt == "-e ."


@pytest.mark.parametrize("package", ["-r requirements.txt", "--pre", "-i https://index.example"])
def test_an_option_among_the_packages_is_refused(package: str) -> None:
    (fault,) = refused(Request((package,)))
    assert fault.message.startswith("an option, and no package")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        asked = of_file(text)
    except InputInvalid as error:
        assert all(fault.span is not None and fault.span.start.line >= 1 for fault in error.faults)
    else:
        assert all(line.strip() for line in asked.lines)
