import pytest

from bic.errors import Malformed
from bic.oci import json


def test_the_canonical_form_is_sorted_and_dense_and_ends_without_a_newline() -> None:
    value = {"b": [1, {"z": None, "a": True}], "a": "ü\n", "A": ()}
    assert json.canonical(value) == '{"A":[],"a":"ü\\n","b":[1,{"a":true,"z":null}]}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, b"x", {"a": object()}])
def test_what_json_cannot_carry_has_no_canonical_form(value: object) -> None:
    with pytest.raises(Malformed):
        json.canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b"NaN",
        b"[-Infinity]",
        b"1e999",
        b"9" * 5000,
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b'{"a":1,"a":1}',
        b'[{"x":{"a":1,"b":2,"a":3}}]',
        "{}".encode("utf-16"),
    ],
)
def test_what_is_no_strict_json_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        json.parse(data)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert json.parse(b'"\\ud83d\\udc33"') == "\U0001f433"


@pytest.mark.parametrize("unit", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [json.MAX_DEPTH + 1, 1_000, 100_000])
def test_documents_that_are_nested_too_deep_are_refused(unit: bytes, depth: int) -> None:
    closing = b"]" if unit == b"[" else b"}"
    with pytest.raises(Malformed, match="nested deeper"):
        json.parse(unit * depth + b"1" * (unit != b"[") + closing * depth)


def test_documents_of_the_greatest_depth_are_read() -> None:
    assert json.parse(b"[" * json.MAX_DEPTH + b"]" * json.MAX_DEPTH)


def test_documents_that_are_too_large_are_refused_before_they_are_read() -> None:
    with pytest.raises(Malformed, match="larger than 8388608 bytes: `8388609`"):
        json.parse(b"x" * (json.MAX_SIZE + 1))
    with pytest.raises(Malformed):
        json.parse(b"[1,2]", limit=4)
