"""Fixtures of real things: registries, accounts, a tiny base image, workspaces. Nothing here is simulated."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import accounts, everything, files, probes
from support import registry as registries
from support import tiny_base as tiny
from support.accounts import Account
from support.family import Family
from support.files import FileServer
from support.proxy import FaultyProxy
from support.registry import Registry
from support.tiny_base import TinyBase
from support.workspace import Workspace, make_workspace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is an integration test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


# Registries


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry without password or TLS, shared by the session: use repository names of your own."""
    with registries.serve(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def password_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants the credentials in its `auth_file`."""
    with registries.serve(tmp_path_factory.mktemp("password-registry"), password=True) as running:
        yield running


@pytest.fixture(scope="session")
def tls_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry behind TLS, its certificate signed by `ca`."""
    with registries.serve(tmp_path_factory.mktemp("tls-registry"), tls=True) as running:
        yield running


@pytest.fixture
def faulty_proxy(registry: Registry) -> Iterator[FaultyProxy]:
    """A proxy before `registry`, faultless until told otherwise."""
    with FaultyProxy(registry.port).running() as proxy:
        yield proxy


@pytest.fixture
def registries_conf(shared_directory: Path, registry: Registry) -> Callable[..., dict[str, str]]:
    """`registries_conf("docker.io", …, host=…)` → environment in which `host`/SOURCE mirrors each source."""

    def make(*sources: str, host: str = registry.host) -> dict[str, str]:
        file = shared_directory / f"registries-{len(list(shared_directory.iterdir()))}.conf"
        registries.registries_conf(file, host, sources or ("docker.io",))
        return {"CONTAINERS_REGISTRIES_CONF": str(file)}

    return make


# Accounts and machines


@pytest.fixture(scope="session")
def root_user() -> Account:
    """Root, where root runs the suite."""
    probes.ROOT_RIGHTS.require()
    return accounts.current()


@pytest.fixture(scope="session")
def builder_user() -> Account:
    """An ordinary user with ranges of ids, made by the suite where root runs it."""
    probes.USER_NAMESPACES.require()
    return accounts.ordinary()


@pytest.fixture(params=["root", "ordinary"])
def account(request: pytest.FixtureRequest) -> Account:
    """Both of the above in turn: a test that asks for it runs twice."""
    found: Account = request.getfixturevalue("root_user" if request.param == "root" else "builder_user")
    return found


@pytest.fixture(scope="session")
def current_user() -> Account:
    """Whoever runs the suite."""
    return accounts.current()


@pytest.fixture(scope="session")
def arm64() -> str:
    """`linux/arm64`, where its programs run for real."""
    probes.platform("linux/arm64").require()
    return "linux/arm64"


_PLATFORMS = [
    pytest.param("linux/amd64", id="amd64"),
    pytest.param("linux/arm64", id="arm64", marks=pytest.mark.arm64),
]


@pytest.fixture(params=_PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    """Both in turn: a test that asks for it runs twice."""
    if request.param == "linux/arm64":
        request.getfixturevalue("arm64")
    name: str = request.param
    return name


# Images and workspaces


@pytest.fixture
def shared_directory() -> Iterator[Path]:
    """A folder that every account can enter, unlike `tmp_path`, and that is gone after the test."""
    with _shared_directory() as path:
        yield path


@pytest.fixture(scope="session")
def session_directory() -> Iterator[Path]:
    """The same for what a session shares."""
    with _shared_directory() as path:
        yield path


@contextmanager
def _shared_directory() -> Iterator[Path]:
    # Hexadecimal: buildah makes an image's name of a layout's path, and `-_` is in none.
    path = Path(os.environ.get("BIC_TEST_TMP", "/var/tmp")) / f"bic-test-{secrets.token_hex(6)}"
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    """Removes the folder with what subordinate ids own in it, after what plain buildah left mounted there."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in reversed([each for each in mounts if each.startswith(f"{path}/")]):
        subprocess.run(["umount", mount], capture_output=True)
    shutil.rmtree(path, ignore_errors=True)
    if path.exists() and not probes.is_root():
        # Files of a container's other users can be removed by its root alone.
        subprocess.run(["buildah", "unshare", "rm", "-rf", path], capture_output=True)
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def tiny_base() -> TinyBase:
    """A base image of busybox for amd64 and arm64, as an OCI layout with one index."""
    return tiny.tiny_base(tiny.cache_directory())


@pytest.fixture(scope="session")
def tiny_reference(tiny_base: TinyBase, registry: Registry) -> str:
    """`docker.io/library/tiny:1`, served by `registry` under `registries_conf("docker.io")`."""
    tiny.push_layout(tiny_base.layout, f"{registry.host}/docker.io/library/tiny:1")
    return "docker.io/library/tiny:1"


@pytest.fixture
def workspace(shared_directory: Path, current_user: Account) -> Callable[..., Workspace]:
    """`workspace(account=…, env=…)` → an empty workspace of that account (by default the caller's)."""

    def make(account: Account = current_user, env: Mapping[str, str] | None = None) -> Workspace:
        number = len(list(shared_directory.glob("workspace-*")))
        return make_workspace(shared_directory / f"workspace-{number}", account, env)

    return make


@pytest.fixture
def tiny_workspace(
    workspace: Callable[..., Workspace], registries_conf: Callable[..., dict[str, str]], tiny_reference: str
) -> Callable[..., Workspace]:
    """`tiny_workspace(account, host=…, **env)` → a workspace in which `docker.io/library/tiny:1` is there."""

    def make(account: Account, host: str | None = None, **env: str) -> Workspace:
        conf = registries_conf(**({"host": host} if host else {}))
        return workspace(account, {**conf, **env})

    return make


# What several tests look at, built once a session


@pytest.fixture(scope="session")
def file_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """A web server on loopback, for `fetch` steps."""
    with files.serve(tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture(scope="session")
def make_family(
    request: pytest.FixtureRequest,
    session_directory: Path,
    registry: Registry,
    tiny_reference: str,
    tiny_base: TinyBase,
    file_server: FileServer,
) -> Callable[[str], Family]:
    """`make_family("root")` or `("ordinary")`: the specs of `everything`, built once a session."""
    conf = registries.registries_conf(session_directory / "registries.conf", registry.host)
    env = {"CONTAINERS_REGISTRIES_CONF": str(conf), "SOURCE_DATE_EPOCH": str(everything.EPOCH)}
    made: dict[str, Family] = {}

    def make(who: str) -> Family:
        if who not in made:
            account: Account = request.getfixturevalue("root_user" if who == "root" else "builder_user")
            workspace = make_workspace(session_directory / f"family-{who}", account, env)
            everything.write(workspace, file_server)
            platforms = tuple(each for each in tiny.PLATFORMS if probes.runs_platform(each))
            made[who] = Family(workspace, platforms, tiny_base)
            made[who].build()
        return made[who]

    return make


@pytest.fixture(scope="session", params=["root", "ordinary"])
def family(request: pytest.FixtureRequest, make_family: Callable[[str], Family]) -> Family:
    """The specs of `everything`, built by both accounts: a test that asks for it runs twice."""
    return make_family(request.param)


@pytest.fixture(scope="session")
def families(make_family: Callable[[str], Family]) -> dict[str, Family]:
    """Both of the above."""
    return {who: make_family(who) for who in ("root", "ordinary")}
