"""crane and skopeo against real registries: the same answers, the same patience, the same secrecy."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve
from support import probes
from support.ports import free_port
from support.proxy import Fault, FaultyProxy
from support.registry import Registry
from support.small import BOTH, spec
from support.tiny_base import TinyBase, push_layout
from support.workspace import Workspace

from bic.errors import WorkFailed
from bic.lock.registry import Answers, Clock, Crane, Policy, Remembering, Skopeo, choose
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest
from bic.oci.reference import Reference

Tool = Crane | Skopeo
NAMES = ("crane", "skopeo")
EAGER = Policy(first_s=0.01)


@pytest.fixture(autouse=True)
def plain_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without settings, with the tools of the set-up on PATH; the home."""
    for name in ("CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("PATH", probes.search_path())
    return home


def tool_named(name: str) -> Tool:
    probes.tool(name).require()
    found = choose(name)
    assert isinstance(found, Crane | Skopeo)
    return found


@pytest.fixture(params=NAMES)
def tool(request: pytest.FixtureRequest) -> Tool:
    """Both in turn: a test that asks for it runs twice."""
    return tool_named(request.param)


@pytest.fixture
def both() -> tuple[Tool, Tool]:
    first, second = (tool_named(name) for name in NAMES)
    return first, second


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`plain(host, …)`: from now on these hosts are asked without TLS; `mirrors=` come before the first."""

    def write(*hosts: str, mirrors: tuple[str, ...] = ()) -> None:
        tables = [f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in hosts]
        tables[0] += "".join(
            f'[[registry.mirror]]\nlocation = "{each}"\ninsecure = true\n' for each in mirrors
        )
        (tmp_path / "registries.conf").write_text("\n".join(tables))
        monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))

    return write


# The same answers


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


FORMS = {"oci": (), "docker": ("--format", "v2s2")}


def push(base: TinyBase, registry: Registry, form: str) -> Reference:
    """The tiny image in that form, pushed to the registry."""
    target = Reference.parse(f"{registry.host}/forms/{form}:1")
    options = ("--dest-tls-verify=false", *FORMS[form])
    argv = ["skopeo", "--insecure-policy", "copy", "--quiet", "--all", *options]
    subprocess.run([*argv, f"oci:{base.layout}", f"docker://{target}"], check=True, capture_output=True)
    return target


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
    first, second = (_content(tmp_path / "pulled" / name) for name in NAMES)
    assert first == second
    layout = Layout.open(tmp_path / "pulled/crane")
    assert layout.verify() == ()
    (entry,) = layout.index().manifests
    assert entry.digest == exact.digest
    assert layout.read_config(layout.read_manifest(entry)) == both[0].config(exact)
    assert sorted(path.name for path in (tmp_path / "pulled").iterdir()) == sorted(NAMES)


def _content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_pull_never_goes_over_what_is_there(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(WorkFailed, match="there is something already"):
        tool.pull(Reference.parse("127.0.0.1:1/a/b:1"), tmp_path / "there")


@pytest.fixture
def tiny(registry: Registry, tiny_base: TinyBase, plain: Callable[..., None]) -> Reference:
    """The tiny index under a tag of a registry without TLS."""
    plain(registry.host)
    return push(tiny_base, registry, "oci")


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


# Patience


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


# Mirrors


def test_a_mirror_is_asked_in_place_of_the_registry(
    tool: Tool,
    tiny: Reference,
    registries_conf: Callable[..., dict[str, str]],
    tiny_reference: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in registries_conf("docker.io").items():
        monkeypatch.setenv(name, value)
    reference = Reference.parse(tiny_reference)
    digest, index = tool.document(reference)
    assert isinstance(index, Index)
    assert tool.digest(reference) == digest
    assert tool.config(reference.with_digest(index.manifests[0].digest)).architecture == "amd64"
    assert "1" in tool.tags(reference)


def test_where_a_mirror_fails_the_next_place_is_asked(
    tool: Tool, tiny: Reference, faulty_proxy: FaultyProxy, plain: Callable[..., None]
) -> None:
    plain(tiny.domain, faulty_proxy.host, mirrors=("127.0.0.1:1", faulty_proxy.host))
    faulty_proxy.inject(Fault.answer(404, "/manifests/"))
    tool.document(tiny)
    assert len(faulty_proxy.requests(path="/manifests/")) == 1


def test_a_blocked_registry_is_said(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked.conf").write_text('[[registry]]\nlocation = "127.0.0.1:1"\nblocked = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "blocked.conf"))
    with pytest.raises(WorkFailed) as caught:
        tool.document(Reference.parse("127.0.0.1:1/a/b:1"))
    assert "block" in str(caught.value.faults[0])


# Secrets


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From now on both tools leave their arguments and environment in this folder."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    for name in NAMES:
        if (found := probes.which(name)) is not None:
            (folder / name).write_text(
                f'#!/bin/sh\necho "$0 $*" >> {folder}/argv\nenv >> {folder}/env\nexec {found} "$@"\n'
            )
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{probes.search_path()}")
    return folder


@pytest.fixture
def guarded(password_registry: Registry, tiny_base: TinyBase, plain: Callable[..., None]) -> Reference:
    """The tiny image in a registry that wants a password."""
    plain(password_registry.host)
    target = f"{password_registry.host}/team/tiny:1"
    options = ("--dest-tls-verify=false", "--dest-authfile", str(password_registry.auth_file))
    push_layout(tiny_base.layout, target, *options)
    return Reference.parse(target)


@pytest.mark.parametrize("where", ["host", "namespace", "home", "runtime"])
def test_a_login_is_found_where_the_container_tools_look(
    tool: Tool,
    guarded: Reference,
    password_registry: Registry,
    plain_user: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    (login,) = json.loads(password_registry.auth_file.read_text())["auths"].values()
    key = f"{guarded.domain}/team" if where == "namespace" else guarded.domain
    file = {
        "home": plain_user / ".config/containers/auth.json",
        "runtime": tmp_path / "run/containers/auth.json",
    }.get(where, tmp_path / "auth.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"auths": {key: login}}))
    if where in ("host", "namespace"):
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(file))
    assert isinstance(tool.document(guarded)[1], Index)


def test_without_a_login_the_refusal_says_how_to_log_in(tool: Tool, guarded: Reference) -> None:
    with pytest.raises(WorkFailed, match="the registry refuses access to") as caught:
        tool.document(guarded)
    assert caught.value.faults[0].hint == f"`skopeo login {guarded.domain}`, or set REGISTRY_AUTH_FILE"


def test_a_password_is_in_no_argument_no_variable_no_message_and_no_file_left(
    tool: Tool,
    guarded: Reference,
    password_registry: Registry,
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(password_registry.auth_file))
    monkeypatch.setenv("TMPDIR", str(recorded))
    cached = Remembering(tool, Answers(recorded / "cache"), max_age=60)
    index = cached.document(guarded)[1]
    assert isinstance(index, Index)
    cached.config(guarded.with_digest(index.manifests[0].digest))
    with pytest.raises(WorkFailed) as caught:
        tool.document(guarded.with_tag("none"))
    assert password_registry.auth is not None
    user, password = password_registry.auth
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    left = b"".join(_content(recorded).values()).decode(errors="replace")
    assert "inspect" in left or "manifest" in left
    for secret in (password, token):
        assert secret not in left
        assert secret not in repr(caught.value.faults) + repr(tool)


# Certificates


@pytest.fixture
def sealed(tls_registry: Registry, tiny_base: TinyBase) -> Reference:
    """The tiny image in a registry behind TLS, by an authority that nobody knows."""
    target = f"{tls_registry.host}/sealed/tiny:1"
    push_layout(tiny_base.layout, target, "--dest-cert-dir", str(tls_registry.cert_dir))
    return Reference.parse(target)


def test_a_certificate_of_nobody_is_refused(tool: Tool, sealed: Reference) -> None:
    with pytest.raises(WorkFailed, match="there is no TLS that can be trusted"):
        tool.document(sealed)


@pytest.mark.parametrize("way", ["certs.d", "SSL_CERT_FILE", "insecure"])
def test_a_private_authority_is_believed_once_it_is_named(
    tool: Tool,
    sealed: Reference,
    tls_registry: Registry,
    plain_user: Path,
    plain: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    assert tls_registry.ca is not None
    match way:
        case "certs.d":
            folder = plain_user / ".config/containers/certs.d" / sealed.domain
            folder.mkdir(parents=True)
            (folder / "ca.crt").write_bytes(tls_registry.ca.read_bytes())
        case "SSL_CERT_FILE":
            monkeypatch.setenv("SSL_CERT_FILE", str(tls_registry.ca))
        case _:
            plain(sealed.domain)
    assert isinstance(tool.document(sealed)[1], Index)


# A thousand tags


@pytest.fixture(scope="module")
def thousand(registry: Registry, tiny_base: TinyBase) -> str:
    """A repository with a thousand tags."""
    reference = push(tiny_base, registry, "oci")
    exact = registry.request("GET", f"/v2/{reference.path}/manifests/1")
    media_type = {"Content-Type": exact.headers["content-type"]}
    connection = http.client.HTTPConnection("127.0.0.1", registry.port)
    with contextlib.closing(connection):
        for number in range(1000):
            connection.request("PUT", f"/v2/{reference.path}/manifests/t{number}", exact.body, media_type)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (201, b"")
    return reference.name


def test_a_thousand_tags_take_one_process_and_a_few_seconds(
    tool: Tool, registry: Registry, thousand: str, recorded: Path, plain: Callable[..., None]
) -> None:
    plain(registry.host)
    start = time.monotonic()
    tags = tool.tags(Reference.parse(thousand))
    taken = time.monotonic() - start
    assert {f"t{number}" for number in range(1000)} <= set(tags)
    assert list(tags) == sorted(tags)
    assert len((recorded / "argv").read_text().splitlines()) == 1
    assert taken < 10


PAGE, PAGES = 100, 15


class _Paged(BaseHTTPRequestHandler):
    """A registry of one repository that never lists more than a page of tags at once."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        link, body = "", b"{}"
        if url.path.endswith("/tags/list"):
            first = int(parse_qs(url.query).get("last", ["-1"])[0]) + 1
            tags = [str(number) for number in range(first, first + PAGE)]
            body = json.dumps({"name": "many", "tags": tags}).encode()
            if first + PAGE < PAGE * PAGES:
                link = f'<{url.path}?last={tags[-1]}&n={PAGE}>; rel="next"'
        self.send_response(200)
        if link:
            self.send_header("Link", link)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_tags_that_come_in_pages_are_all_listed_by_one_process(
    tool: Tool, recorded: Path, plain: Callable[..., None]
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Paged) as server:
        server.daemon_threads = True
        server.block_on_close = False
        Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        plain(host)
        tags = tool.tags(Reference.parse(f"{host}/many"))
        server.shutdown()
    assert tags == tuple(sorted(str(number) for number in range(PAGE * PAGES)))
    assert len((recorded / "argv").read_text().splitlines()) == 1
