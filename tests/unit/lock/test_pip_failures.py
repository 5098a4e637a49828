"""What uv's failures mean to the user."""

from __future__ import annotations

import pytest

from bic.errors import InputInvalid, WorkFailed
from bic.lock.pip.failures import explained
from bic.lock.pip.indexes import Indexes
from bic.lock.pip.model import Target
from bic.oci.platform import Platform

TARGET = Target("3.11", "glibc 2.36", Platform.parse("linux/arm64"))
UNSOLVED = "error: No solution found when resolving dependencies\n  cause: "


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "Because docopt==0.6.2 has no usable wheels and you require docopt==0.6.2, we can conclude",
            "`docopt` 0.6.2 has no wheel for Python 3.11 on linux/arm64 (glibc 2.36)",
        ),
        (
            "Because mkl==2023.1.0 has no wheels with a matching platform tag and you require mkl==2023.1.0\n"
            "hint: Wheels are available for `mkl` (v2023.1.0) on the following platforms: `win32`",
            "`mkl` 2023.1.0 has no wheel for Python 3.11 on linux/arm64 (glibc 2.36)",
        ),
        (
            "And because cffi==1.2.0 has no wheels with a matching Python version tag, and you require cffi\n"
            "hint: Wheels are required for `cffi` because building from source is disabled",
            "`cffi` has no wheel for Python 3.11 on linux/arm64 (glibc 2.36)",
        ),
        ("Because nowhere was not found in the package registry", "no index has the package `nowhere`"),
        (
            "Because requests==2.31.0 depends on urllib3>=1.21.1 and you require urllib3==1.20",
            "the requirements cannot be met together for Python 3.11 on linux/arm64 (glibc 2.36)",
        ),
    ],
)
def test_requirements_without_a_solution_are_the_users_to_change(said: str, message: str) -> None:
    error = explained(UNSOLVED + said, TARGET, Indexes())
    assert isinstance(error, InputInvalid)
    assert error.faults[0].message == message
    assert said.splitlines()[0] in error.faults[0].notes[0]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "error: Request failed after 3 retries\n  cause: tcp connect error",
            "a package index cannot be reached",
        ),
        (UNSOLVED + "An index URL returned a 401 Unauthorized error", "a package index refuses access"),
        (
            UNSOLVED + "hint: the network was disabled",
            "without the network, not everything that is asked for is known",
        ),
        ("thread panicked", "uv could not resolve the requirements"),
        ("", "uv could not resolve the requirements"),
    ],
)
def test_an_index_that_does_not_answer_is_no_fault_of_the_input(said: str, message: str) -> None:
    error = explained(said, TARGET, Indexes())
    assert isinstance(error, WorkFailed)
    assert error.faults[0].message == message


def test_what_uv_said_is_shown_without_credentials() -> None:
    indexes = Indexes.of({"UV_DEFAULT_INDEX": "https://me:s3cret@a.example"})
    error = explained("Failed to fetch: https://me:other@b.example/ with s3cret", TARGET, indexes)
    assert error.faults[0].notes == ("Failed to fetch: https://***@b.example/ with ***",)
