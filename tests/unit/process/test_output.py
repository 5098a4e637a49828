"""Bytes to lines, tails and logs."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bic.process import Command
from bic.process.output import LINE_LIMIT, Lines, Output, Overflow

PLAIN = Command(("x",))


def lines_of(pieces: list[bytes], command: Command = PLAIN, most: int | None = None) -> list[str]:
    lines = Lines(command, most)
    return [line for piece in pieces for line in lines.feed(piece)] + lines.end()


@given(st.text(), st.lists(st.integers(0, 200)))
def test_lines_do_not_depend_on_where_the_bytes_are_cut(text: str, places: list[int]) -> None:
    data = text.encode(errors="replace")
    cuts = sorted({0, len(data), *(place for place in places if place < len(data))})
    pieces = [data[start:end] for start, end in itertools.pairwise(cuts)]
    assert lines_of(pieces) == lines_of([data])


def test_a_character_that_is_cut_in_two_stays_whole() -> None:
    euro = "€".encode()
    assert lines_of([euro[:1], euro[1:2], euro[2:] + b"\n"]) == ["€"]


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert lines_of([b"a\xff\n", b"\xe2\x82"]) == ["a\ufffd", "\ufffd"]


def test_carriage_returns_end_lines_like_newlines() -> None:
    assert lines_of([b"10%\r", b"20%\r\n", b"done"]) == ["10%", "20%", "done"]


def test_a_line_without_an_end_is_cut_and_loses_nothing() -> None:
    assert "".join(lines_of([b"ab" * LINE_LIMIT, b"c"])) == "ab" * LINE_LIMIT + "c"


def test_with_a_maximum_the_last_lines_are_given() -> None:
    assert lines_of([b"1\n2\n3\n4"], most=2) == ["2", "3", "4"]


@given(st.integers(0, 14), st.integers(0, 3))
def test_a_secret_is_masked_wherever_a_piece_or_an_overlong_line_is_cut(at: int, off: int) -> None:
    start = LINE_LIMIT - 3 + off
    data = b"x" * start + b"hunter2hunter2"
    command = Command(("x",), secrets=("hunter2",))
    shown = "".join(lines_of([data[: start + at], data[start + at :], b"y" * LINE_LIMIT], command))
    assert "unter" not in shown
    assert shown.count("***") == 2


def test_each_line_of_a_long_secret_is_masked() -> None:
    command = Command(("x",), secrets=("-----BEGIN\nAAAA\n-----END",))
    assert lines_of([b"key:\n-----BEGIN\nAAAA\n"], command) == ["key:", "***", "***"]


def test_the_log_takes_both_streams_as_bytes() -> None:
    log = io.BytesIO()
    output = Output(PLAIN, None, log, capture=False)
    output.write("stdout", b"a\xff")
    output.write("stderr", b"b")
    assert log.getvalue() == b"a\xffb"


def test_the_log_of_a_command_with_secrets_is_masked() -> None:
    log = io.BytesIO()
    output = Output(Command(("x",), secrets=("hunter2",)), None, log, capture=True)
    output.write("stderr", b"hun")
    output.write("stderr", b"ter2\n")
    assert log.getvalue() == b"***\n"


def test_the_tail_holds_both_streams_in_the_order_of_arrival() -> None:
    output = Output(PLAIN, None, None, capture=True)
    output.write("stdout", b"1\n")
    output.write("stderr", b"2\n")
    output.write("stdout", b"3")
    output.end("stdout")
    assert (output.tail, output.stderr_tail, output.stdout) == ("1\n2\n3", "2", b"1\n3")


def test_more_than_the_limit_is_not_captured_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bic.process.output.CAPTURE_LIMIT", 3)
    output = Output(PLAIN, None, None, capture=True)
    with pytest.raises(Overflow):
        output.write("stdout", b"1234")
