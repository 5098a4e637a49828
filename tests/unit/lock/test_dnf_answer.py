"""What dnf's answers mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bic.errors import BicError, InputInvalid, WorkFailed
from bic.lock.dnf.answer import Found, parsed

PACKAGE = {
    "name": "bash",
    "version": "1:5.2-1",
    "architecture": "aarch64",
    "size": 7,
    "checksum": {"type": "sha256", "value": "ab"},
    "url": "https://example.com/bash.rpm",
    "signed": False,
    "file": None,
}


def test_packages_are_values() -> None:
    answer = parsed({"packages": [PACKAGE], "keys": ["k"]})
    found = Found("bash", "1:5.2-1", "aarch64", 7, "https://example.com/bash.rpm", "ab", False, None)
    assert (answer.packages, answer.keys) == ((found,), ("k",))


def test_another_checksum_than_sha256_is_none() -> None:
    package = {**PACKAGE, "checksum": {"type": "sha512", "value": "cd"}, "file": "/a.rpm"}
    (found,) = parsed({"packages": [package], "keys": []}).packages
    assert (found.sha256, found.file) == (None, Path("/a.rpm"))


def problem(**data: Any) -> BicError:
    with pytest.raises(BicError) as caught:
        parsed({"problem": data})
    return caught.value


def test_each_missing_package_is_a_fault() -> None:
    error = problem(kind="missing", missing={"bsh": ["bash", "dash"], "x": []})
    assert isinstance(error, InputInvalid)
    assert [fault.message for fault in error.faults] == [
        "no repository of the base has the package `bsh`",
        "no repository of the base has the package `x`",
    ]
    assert error.faults[0].hint == "near: `bash`, `dash`"


def test_a_repository_that_cannot_be_read_is_shown_with_its_address() -> None:
    error = problem(
        kind="repository", text="Failed: r", addresses={"r": ["https://a/", ""], "m": ["https://b"]}
    )
    assert isinstance(error, WorkFailed)
    assert error.faults[0].notes == ("Failed: r", "m: https://b", "r: https://a/")


def test_what_stands_in_the_way_of_packages_is_kept_line_by_line() -> None:
    error = problem(kind="unsolvable", text="\n Problem: a\n  - nothing provides b\n")
    assert isinstance(error, WorkFailed)
    assert error.faults[0].notes == ("Problem: a", "- nothing provides b")


def test_a_repository_in_the_base_is_the_users_to_change() -> None:
    assert isinstance(problem(kind="inside", repository="r", address="file:///r"), InputInvalid)


def test_anything_else_is_told_as_dnf_tells_it() -> None:
    error = problem(kind="other", text="disk full")
    assert isinstance(error, WorkFailed)
    assert error.faults[0].notes == ("disk full",)
