"""The wheel that is chosen for a target: the best one, the same one in whatever order they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import cpython_tags

from bic.errors import Malformed
from bic.lock.pip.model import Target
from bic.lock.pip.tags import platforms, tags
from bic.lock.pip.wheel import Wheel, choose
from bic.oci.platform import Platform

ANY = "py3-none-any"


def target(python: str = "3.11", libc: str = "glibc 2.36", platform: str = "linux/amd64") -> Target:
    return Target(python, libc, Platform.parse(platform))


def wheel(tag: str, version: str = "1.0") -> Wheel:
    return Wheel(f"https://index.example/files/demo-{version}-{tag}.whl", "0" * 64)


def chosen(wheels: list[str], for_target: Target) -> str | None:
    """The tag of the chosen wheel, as its file name has it."""
    found = choose([wheel(tag) for tag in wheels], tags(for_target))
    return None if found is None else found.wheel.filename.removeprefix("demo-1.0-").removesuffix(".whl")


@pytest.mark.parametrize(
    ("platform", "machine"),
    [
        ("linux/386", "i686"),
        ("linux/amd64", "x86_64"),
        ("linux/amd64/v3", "x86_64"),
        ("linux/arm/v7", "armv7l"),
        ("linux/arm64", "aarch64"),
        ("linux/ppc64le", "ppc64le"),
        ("linux/riscv64", "riscv64"),
        ("linux/s390x", "s390x"),
    ],
)
def test_each_platform_has_the_wheels_of_its_machine(platform: str, machine: str) -> None:
    there = target(platform=platform)
    assert chosen([f"cp311-cp311-manylinux_2_17_{machine}", ANY], there) == (
        f"cp311-cp311-manylinux_2_17_{machine}"
    )
    assert chosen(["cp311-cp311-manylinux_2_17_sparc64"], there) is None


@pytest.mark.parametrize(
    ("libc", "offered", "taken"),
    [
        ("glibc 2.36", ["manylinux_2_17_x86_64", "manylinux_2_28_x86_64"], "manylinux_2_28_x86_64"),
        ("glibc 2.27", ["manylinux_2_17_x86_64", "manylinux_2_28_x86_64"], "manylinux_2_17_x86_64"),
        ("glibc 2.36", ["manylinux2014_x86_64", "manylinux1_x86_64"], "manylinux2014_x86_64"),
        ("glibc 2.12", ["manylinux2014_x86_64", "manylinux2010_x86_64"], "manylinux2010_x86_64"),
        ("glibc 2.36", ["linux_x86_64", "manylinux1_x86_64"], "manylinux1_x86_64"),
        ("glibc 2.36", ["musllinux_1_2_x86_64"], None),
        ("musl 1.2", ["manylinux_2_17_x86_64", "musllinux_1_1_x86_64"], "musllinux_1_1_x86_64"),
        ("musl 1.1", ["musllinux_1_2_x86_64"], None),
        ("glibc 2.36", ["win_amd64", "macosx_11_0_arm64", "manylinux_2_17_aarch64"], None),
    ],
)
def test_the_newest_c_library_that_the_image_has_is_taken(
    libc: str, offered: list[str], taken: str | None
) -> None:
    wheels = [f"cp311-cp311-{each}" for each in offered]
    assert chosen(wheels, target(libc=libc)) == (None if taken is None else f"cp311-cp311-{taken}")


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["cp310-cp310-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_17_x86_64"], 1),
        (["cp311-cp311-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_28_x86_64"], 0),
        (["cp39-abi3-manylinux_2_17_x86_64", ANY], 0),
        (["cp312-abi3-manylinux_2_17_x86_64", "py2.py3-none-any"], 1),
        (["cp311-cp311t-manylinux_2_17_x86_64", ANY], 1),
        (["pp311-pypy311_pp73-manylinux_2_17_x86_64", ANY], 1),
        (["py3-none-manylinux_2_17_x86_64", ANY], 0),
        (["py2-none-any", "cp312-cp312-manylinux_2_17_x86_64"], None),
        (["not.a.wheel"], None),
    ],
)
def test_the_own_abi_goes_before_the_stable_one_and_that_before_none(
    offered: list[str], taken: int | None
) -> None:
    assert chosen(offered, target()) == (None if taken is None else offered[taken])


def test_of_equal_wheels_the_highest_build_is_taken() -> None:
    builds = [f"{number}-{ANY}" for number in ("2", "10", "9a", "10a", "")]
    assert chosen([each.removeprefix("-") for each in builds], target()) == f"10a-{ANY}"


def test_the_tag_that_serves_is_told_where_a_wheel_has_several() -> None:
    several = wheel("cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64")
    found = choose([several], tags(target()))
    assert found is not None and found.tag.platform == "manylinux_2_17_x86_64"


def test_an_address_is_decoded_to_the_file_name() -> None:
    url = "https://index.example/demo-1.0%2Bcpu-py3-none-any.whl?x=1#sha256=2"
    assert Wheel(url, "0").filename == "demo-1.0+cpu-py3-none-any.whl"


OFFERED = [
    f"{python}-{abi}-{platform}"
    for python, abi in (("cp311", "cp311"), ("cp310", "cp310"), ("cp37", "abi3"), ("py3", "none"))
    for platform in ("manylinux_2_17_x86_64", "manylinux_2_34_x86_64", "musllinux_1_2_x86_64", "any")
]


@given(
    st.lists(st.sampled_from(OFFERED), unique=True).flatmap(
        lambda each: st.tuples(st.just(each), st.permutations(each))
    )
)
def test_the_order_of_an_index_changes_nothing(orders: tuple[list[str], list[str]]) -> None:
    assert chosen(orders[0], target()) == chosen(orders[1], target())


@given(st.lists(st.sampled_from(OFFERED), min_size=1, unique=True), st.integers(17, 45))
def test_what_is_chosen_serves_and_nothing_else_serves_better(offered: list[str], glibc: int) -> None:
    order = [str(tag) for tag in tags(target(libc=f"glibc 2.{glibc}"))]
    found = chosen(offered, target(libc=f"glibc 2.{glibc}"))
    serving = [tag for tag in order if tag in offered]
    assert found == (serving[0] if serving else None)


@given(st.integers(17, 60), st.integers(8, 20))
def test_tags_begin_with_those_that_packaging_gives_for_cpython(glibc: int, minor: int) -> None:
    there = target(f"3.{minor}", f"glibc 2.{glibc}", "linux/arm64")
    own = tuple(cpython_tags((3, minor), (f"cp3{minor}",), tuple(platforms(there))))
    assert tags(there)[: len(own)] == own
    assert len(set(tags(there))) == len(tags(there))


@pytest.mark.parametrize(
    ("python", "libc", "platform", "message"),
    [
        ("2.7", "glibc 2.36", "linux/amd64", "not a version of Python 3: `2.7`"),
        ("3.11.2-6", "glibc 2.36", "linux/amd64", "not a version of Python 3: `3.11.2-6`"),
        ("3.11", "uclibc 1.0", "linux/amd64", "not a C library with its version: `uclibc 1.0`"),
        ("3.11", "glibc 2.36", "linux/mips64le", "there are no wheels for the platform `linux/mips64le`"),
        ("3.11", "glibc 2.36", "linux/arm/v5", "there are no wheels for the platform `linux/arm/v5`"),
    ],
)
def test_a_target_without_wheels_is_refused(python: str, libc: str, platform: str, message: str) -> None:
    with pytest.raises(Malformed) as refused:
        target(python, libc, platform)
    assert refused.value.message == message
