"""Commands as text: what a user pastes, and what stays hidden."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from bic.process import Command, Completed, ProcessFailed
from bic.process.command import ending


def test_a_pasted_command_has_its_assignments_first_and_is_quoted() -> None:
    command = Command(("buildah", "run", "c", "--", "a b"), env=(("STORAGE_DRIVER", "vfs"), ("X", "1 2")))
    assert command.paste() == "STORAGE_DRIVER=vfs X='1 2' buildah run c -- 'a b'"


def test_a_pasted_command_says_where_it_runs_and_that_it_reads_stdin_but_not_what() -> None:
    command = Command(("skopeo", "login"), cwd="/a b", stdin=b"hunter2")
    assert command.paste() == "cd '/a b' && skopeo login  # with 7 bytes on stdin"


def test_secrets_are_masked_in_arguments_and_assignments_also_inside_words() -> None:
    command = Command(("x", "--creds=me:s3cr3t"), env=(("TOKEN", "s3cr3t"),), secrets=("s3cr3t",))
    assert command.paste() == "TOKEN='***' x '--creds=me:***'"


def test_a_secret_within_another_leaves_no_rest_visible() -> None:
    assert Command(("x",), secrets=("abc", "abcdef")).mask("abcdef abc") == "*** ***"


def test_the_repr_of_a_command_shows_neither_secrets_nor_stdin() -> None:
    assert "hunter2" not in repr(Command(("x",), stdin=b"hunter2", secrets=("hunter2",)))


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)


@given(st.lists(WORDS, max_size=4))
def test_a_shell_reads_a_pasted_command_back_as_the_same_words(words: list[str]) -> None:
    pasted = Command(("printf", "%s\\0", "-", *words)).paste()
    shown = subprocess.run(["/bin/sh", "-c", pasted], capture_output=True, check=True).stdout
    assert shown.decode().split("\0")[:-1] == ["-", *words]


def test_a_failure_is_one_clause_with_the_command_and_the_tail_as_notes() -> None:
    completed = Completed(Command(("false", "-x")), 3, b"", "oh", "ah\noh", 0.1)
    [fault] = ProcessFailed(completed).faults
    assert fault.message == "`false` failed with exit code 3"
    assert fault.notes == ("command: false -x", "ah\noh")


def test_signals_are_told_by_name() -> None:
    assert ending(-9) == "was killed by SIGKILL"
    assert ending(-200) == "was killed by signal 200"
