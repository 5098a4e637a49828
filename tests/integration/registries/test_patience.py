"""How often a registry that fails is asked, and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from support.proxy import Fault, FaultyProxy
from support.registry_tools import Tool

from bic.errors import WorkFailed
from bic.lock.registry import Clock, Policy
from bic.oci.index import Index
from bic.oci.reference import Reference

EAGER = Policy(first_s=0.01)


@pytest.fixture
def faulty(faulty_proxy: FaultyProxy, tiny: Reference, plain: Callable[..., None]) -> Reference:
    """The tiny image behind `faulty_proxy`."""
    plain(faulty_proxy.host)
    return Reference.parse(f"{faulty_proxy.host}/forms/oci:1")


PASSING = {
    "500": Fault.answer(500, "/manifests/", times=2),
    "503": Fault.answer(503, "/manifests/", times=2),
    "429": Fault.answer(429, "/manifests/", times=2),
    "reset": Fault("reset", "/manifests/", times=2),
    "truncate": Fault("truncate", "/manifests/", times=2),
    "500 for all": Fault.answer(500, "/v2/$", times=2),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_asked_again(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy, name: str
) -> None:
    faulty_proxy.inject(evolve(PASSING[name], seen=0))
    assert isinstance(evolve(tool, policy=EAGER).document(faulty)[1], Index)
    assert faulty_proxy.requests(path="/manifests/")[-1].fault is None


def test_an_answer_that_comes_slowly_is_waited_for(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy
) -> None:
    faulty_proxy.inject(Fault("slow", "/manifests/", seconds=0.05))
    tool.document(faulty)
    assert len(faulty_proxy.requests(path="/manifests/")) == 1


def test_an_answer_that_comes_too_slowly_is_asked_for_again(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy
) -> None:
    faulty_proxy.inject(Fault("slow", "/manifests/", seconds=2, times=1))
    evolve(tool, policy=Policy(each_s=2, first_s=0.01)).document(faulty)
    assert len(faulty_proxy.requests(path="/manifests/")) == 2


def test_a_registry_is_not_asked_again_before_retry_after(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy
) -> None:
    faulty_proxy.inject(Fault.answer(429, "/manifests/", times=1, retry_after=2))
    slept: list[tuple[float, int]] = []

    def sleep(seconds: float) -> None:
        slept.append((seconds, len(faulty_proxy.requests(path="/manifests/"))))
        time.sleep(seconds)
        assert len(faulty_proxy.requests(path="/manifests/")) == 1

    clock = Clock(time.monotonic, sleep, lambda: 0.0)
    start = time.monotonic()
    evolve(tool, clock=clock).document(faulty)
    assert slept == [(2.0, 1)]
    assert time.monotonic() - start >= 2
    assert [each.fault for each in faulty_proxy.requests(path="/manifests/")] == ["status", None]


@pytest.mark.parametrize("question", ["tags", "digest", "raw_config", "pull"])
def test_every_question_obeys_retry_after(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy, tmp_path: Path, question: str
) -> None:
    index = tool.document(faulty)[1]
    assert isinstance(index, Index)
    exact = faulty.with_digest(index.manifests[0].digest)
    faulty_proxy.clear()
    faulty_proxy.inject(Fault.answer(429, "/(manifests|tags|blobs)/", times=1, retry_after=20))
    slept: list[float] = []
    patient = evolve(tool, clock=Clock(time.monotonic, slept.append, lambda: 0.0))
    match question:
        case "tags":
            patient.tags(faulty)
        case "digest":
            patient.digest(faulty)
        case "raw_config":
            patient.raw_config(exact)
        case _:
            patient.pull(exact, tmp_path / "layout")
    assert slept == [20.0]


def test_a_registry_that_is_busy_for_ever_is_given_up(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy
) -> None:
    faulty_proxy.inject(Fault.answer(429, "/manifests/"))
    with pytest.raises(WorkFailed, match="the registry takes no more questions for now"):
        evolve(tool, policy=EAGER).document(faulty)
    assert len(faulty_proxy.requests(path="/manifests/")) == EAGER.attempts


def test_a_registry_that_wants_an_hour_is_given_up_at_once_and_says_so(
    tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy
) -> None:
    faulty_proxy.inject(Fault.answer(429, "/manifests/", retry_after=3600))
    start = time.monotonic()
    with pytest.raises(WorkFailed) as caught:
        tool.document(faulty)
    assert time.monotonic() - start < 10
    assert "the registry asks to come back after 3600 seconds" in caught.value.faults[0].notes
    assert len(faulty_proxy.requests(path="/manifests/")) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_final(tool: Tool, faulty: Reference, faulty_proxy: FaultyProxy, status: int) -> None:
    faulty_proxy.inject(Fault.answer(status, "/manifests/"))
    wanted = "the registry has no image" if status == 404 else "the registry refuses access to"
    with pytest.raises(WorkFailed, match=wanted):
        tool.document(faulty)
    assert len(faulty_proxy.requests(path="/manifests/")) == 1


def test_a_closed_port_is_said_at_once(tool: Tool) -> None:
    start = time.monotonic()
    with pytest.raises(WorkFailed, match=r"the registry cannot be reached for `127.0.0.1:1/a/b:1`"):
        tool.document(Reference.parse("127.0.0.1:1/a/b:1"))
    assert time.monotonic() - start < 10


def test_a_digest_costs_crane_one_head_and_skopeo_one_get(
    both: tuple[Tool, Tool], faulty: Reference, faulty_proxy: FaultyProxy
) -> None:
    for tool, method in zip(both, ("HEAD", "GET"), strict=True):
        faulty_proxy.clear()
        tool.digest(faulty)
        assert [each.method for each in faulty_proxy.requests(path="/manifests/")] == [method]
