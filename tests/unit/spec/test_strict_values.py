"""Nothing is coerced: a value of another TOML type is a fault, whatever class or array it stands in."""

from __future__ import annotations

from typing import Any

import pytest

from bic.spec.model import Base, File, Run, User
from bic.spec.structure import structure, structure_value


@pytest.mark.parametrize(
    ("data", "cls", "message"),
    [
        ({"scratch": 5}, Base, "expected a boolean, found an integer"),
        ({"image": "docker.io/a/b", "shell": "no"}, Base, "expected a boolean, found a string"),
        ({"path": "/x", "content": 5}, File, "expected a string, found an integer"),
        ({"name": "a", "uid": 1, "system": 1}, User, "expected a boolean, found an integer"),
        ({"run": ["a", 5]}, Run, "expected a string, found an integer"),
        ({"run": "id"}, Run, "expected an array, found a string"),
    ],
)
def test_a_value_of_another_type_is_a_fault(data: dict[str, Any], cls: type, message: str) -> None:
    value, problems = structure(data, cls)
    assert value is None
    assert [problem.message for problem in problems] == [message]


@pytest.mark.parametrize(
    ("data", "kind"), [(5, str), (True, str), ("1", int), (True, int), (1, bool), ("", bool)]
)
def test_primitives_take_their_own_type_only(data: Any, kind: Any) -> None:
    assert structure_value(data, kind)[1] != []
