"""The requirements file of a build: stable, offline, by hash."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from bic.lock.model import PackagePin
from bic.lock.pip.requirements import requirements


def pin(name: str, version: str = "1.0", sha256: str = "ab") -> PackagePin:
    return PackagePin(name, version, "any", 1, sha256, f"https://index.example/{name}.whl")


def test_each_wheel_is_found_in_its_directory_and_checked_by_hash() -> None:
    text = requirements(
        [pin("six", "1.16.0"), pin("idna", "3.7+local", "cd")], lambda each: f"/w/{each.sha256}"
    )
    assert text == (
        "--no-index\n"
        "--find-links /w/ab\n"
        "--find-links /w/cd\n"
        "idna==3.7+local --hash=sha256:cd\n"
        "six==1.16.0 --hash=sha256:ab\n"
    )


def test_a_directory_that_wheels_share_is_named_once_and_quoted() -> None:
    text = requirements([pin("six"), pin("idna")], lambda _: "/a b")
    assert text.count("--find-links '/a b'\n") == 1


def test_nothing_to_install_still_asks_no_index() -> None:
    assert requirements([], lambda _: "/") == "--no-index\n"


PINS = st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), unique=True).map(
    lambda names: [pin(name, sha256=name.encode().hex()) for name in names]
)


@given(PINS.flatmap(lambda pins: st.tuples(st.just(pins), st.permutations(pins))))
def test_the_order_of_the_pins_changes_nothing(orders: tuple[list[PackagePin], list[PackagePin]]) -> None:
    assert requirements(orders[0], _place) == requirements(orders[1], _place)


@given(PINS)
def test_every_pin_has_a_line_and_a_directory(pins: list[PackagePin]) -> None:
    words = [shlex.split(line) for line in requirements(pins, _place).splitlines()[1:]]
    assert {word[1] for word in words if word[0] == "--find-links"} == {_place(each) for each in pins}
    assert [word[0] for word in words if word[0] != "--find-links"] == sorted(
        f"{each.name}==1.0" for each in pins
    )


def _place(each: PackagePin) -> str:
    return f"/wheels/{each.sha256}"
