"""crane and skopeo give the same answers, bring the same layouts, and make the same locks."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import probes
from support.ports import free_port
from support.registry import Registry
from support.registry_tools import FORMS, NAMES, Tool, content, push
from support.small import BOTH, spec
from support.tiny_base import TinyBase
from support.workspace import Workspace

from bic.errors import WorkFailed
from bic.lock.registry import Answers, Remembering
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference


@pytest.fixture(scope="module")
def crane_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry that comes with crane."""
    folder = tmp_path_factory.mktemp("crane-registry")
    running = Registry(free_port(), folder)
    argv = [probes.program("crane"), "registry", "serve", "--address", running.host]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            _wait(running)
            yield running
        finally:
            process.terminate()


def _wait(running: Registry) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if running.request("GET", "/v2/").status == 200:
                return
        time.sleep(0.02)
    raise RuntimeError("crane's registry did not start")


@pytest.fixture(params=["distribution", "crane"])
def any_registry(request: pytest.FixtureRequest) -> Registry:
    """Two implementations in turn."""
    name = "registry" if request.param == "distribution" else "crane_registry"
    found: Registry = request.getfixturevalue(name)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_both_tools_give_the_same_answers(
    both: tuple[Tool, Tool],
    any_registry: Registry,
    tiny_base: TinyBase,
    plain: Callable[..., None],
    form: str,
) -> None:
    tag = push(tiny_base, any_registry, form)
    plain(any_registry.host)
    said = any_registry.request("GET", f"/v2/forms/{form}/manifests/1")
    digest, index = both[0].document(tag)
    assert str(digest) == said.headers["docker-content-digest"]
    assert isinstance(index, Index) and ("docker" in index.media_type) == (form == "docker")
    manifests = [tag.with_digest(entry.digest) for entry in index.manifests]
    assert len(manifests) == 2
    for reference in (tag, tag.with_digest(digest), *manifests):
        first, second = (tool.document(reference) for tool in both)
        assert first == second
        assert both[0].raw(reference) == both[1].raw(reference)
        assert both[0].digest(reference) == both[1].digest(reference) == first[0]
    for reference in manifests:
        assert isinstance(both[0].document(reference)[1], Manifest)
        assert both[0].config(reference) == both[1].config(reference)
        assert both[0].raw_config(reference) == both[1].raw_config(reference)
    assert both[0].tags(tag) == both[1].tags(tag) == ("1",)


@pytest.mark.parametrize("form", FORMS)
def test_both_tools_bring_the_same_layout(
    both: tuple[Tool, Tool],
    registry: Registry,
    tiny_base: TinyBase,
    plain: Callable[..., None],
    tmp_path: Path,
    form: str,
) -> None:
    tag = push(tiny_base, registry, form)
    plain(registry.host)
    _, index = both[0].document(tag)
    assert isinstance(index, Index)
    exact = tag.with_digest(index.manifests[1].digest)
    for tool, name in zip(both, NAMES, strict=True):
        tool.pull(exact, tmp_path / "pulled" / name)
    first, second = (content(tmp_path / "pulled" / name) for name in NAMES)
    assert first == second
    layout = Layout.open(tmp_path / "pulled/crane")
    assert layout.verify() == ()
    (entry,) = layout.index().manifests
    assert entry.digest == exact.digest
    assert layout.read_config(layout.read_manifest(entry)) == both[0].config(exact)
    assert sorted(path.name for path in (tmp_path / "pulled").iterdir()) == sorted(NAMES)


def test_a_pull_never_goes_over_what_is_there(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(WorkFailed, match="there is something already"):
        tool.pull(Reference.parse("127.0.0.1:1/a/b:1"), tmp_path / "there")


def test_a_cache_before_either_tool_changes_no_answer(tool: Tool, tiny: Reference, tmp_path: Path) -> None:
    cached = Remembering(tool, Answers(tmp_path / "cache"), max_age=60)
    for _ in range(2):
        digest, index = cached.document(tiny)
        assert (digest, index) == tool.document(tiny)
        assert isinstance(index, Index)
        exact = tiny.with_digest(index.manifests[0].digest)
        assert cached.config(exact) == tool.config(exact)
        assert cached.tags(tiny) == tool.tags(tiny)


@pytest.mark.parametrize("name", ["forms/oci:none", "forms/none:1"])
def test_an_image_that_is_not_there_is_said_in_the_same_words(
    both: tuple[Tool, Tool], tiny: Reference, name: str
) -> None:
    wanted = Reference.parse(f"{tiny.domain}/{name}")
    faults = []
    for tool in both:
        with pytest.raises(WorkFailed) as caught:
            tool.document(wanted)
        faults.append(caught.value.faults[0])
    assert faults[0].message == faults[1].message == f"the registry has no image `{wanted}`"
    assert faults[0].hint == faults[1].hint
    assert all("manifest unknown" in fault.notes[0] for fault in faults)


# Locks


@pytest.fixture
def locking(
    workspace: Callable[..., Workspace],
    tiny_base: TinyBase,
    registry: Registry,
    plain: Callable[..., None],
    tmp_path: Path,
) -> Workspace:
    """A workspace whose specs stand on an OCI index and on a manifest list of Docker's."""
    plain(registry.host)
    (tmp_path / "registries.conf").rename(tmp_path / "mine.conf")
    place = workspace(env={"CONTAINERS_REGISTRIES_CONF": str(tmp_path / "mine.conf")})
    for form in FORMS:
        place.spec(form, spec(form, "", BOTH, f'image = "{push(tiny_base, registry, form)}"'))
    return place


def _locks(place: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((place.root / "specs").glob("*.lock.toml"))}


def test_both_tools_give_the_same_locks_byte_for_byte(both: tuple[Tool, Tool], locking: Workspace) -> None:
    made = []
    for name in NAMES:
        for path in (locking.root / "specs").glob("*.lock.toml"):
            path.unlink()
        locking.bic("lock", "--resolver", name).check()
        made.append(_locks(locking))
    assert made[0] == made[1]
    assert list(made[0]) == ["docker.lock.toml", "oci.lock.toml"]


def test_a_machine_without_crane_locks_through_skopeo(locking: Workspace, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/skopeo").symlink_to(probes.program("skopeo"))
    env = {"PATH": str(tmp_path / "bin")}
    done = locking.bic("lock", "--resolver", "crane", env=env)
    assert done.code == 3
    assert "the program is not installed: `crane`" in done.stderr
    locking.bic("lock", env=env).check()
    assert len(_locks(locking)) == len(FORMS)


def test_a_machine_without_either_says_what_to_install(locking: Workspace, tmp_path: Path) -> None:
    done = locking.bic("lock", env={"PATH": str(tmp_path)})
    assert done.code == 3
    assert "neither `crane` nor `skopeo`" in done.stderr
    assert "apt-get install skopeo" in done.stderr
