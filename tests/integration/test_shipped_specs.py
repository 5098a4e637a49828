"""The shipped specs: what they build, looked at by running programs in the images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import probes
from support import registry as registries
from support.accounts import Account
from support.container import Container
from support.files import FileServer
from support.layout import image_config, image_manifest, image_tree
from support.registry import Registry
from support.shipped import (
    AIRBYTE_JAVA,
    AIRBYTE_PYTHON,
    AMD64,
    ARM64,
    JAVA_BASE,
    PYTHON_BASE,
    Shipped,
    environment,
    nltk_zip,
    shipped,
)
from support.tiny_base import cache_directory
from support.workspace import Workspace, make_workspace

from bic.lock import file as lock_file
from bic.lock.model import FilePin, ImagePin, Lock, PlatformPin
from bic.lock.needs import needs, spec_digest
from bic.oci.digest import Digest
from bic.oci.reference import Reference
from bic.spec.load import load
from bic.spec.workspace import Workspace as SpecWorkspace

# One worker builds them all, one after the other, and every test looks at what it built.
pytestmark = [pytest.mark.network, pytest.mark.xdist_group("shipped")]

BOTH = [
    pytest.param(AMD64, id="amd64"),
    pytest.param(ARM64, id="arm64", marks=pytest.mark.arm64),
]


@pytest.fixture(params=BOTH)
def platform(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == ARM64:
        request.getfixturevalue("arm64")
    return name


@pytest.fixture(scope="module")
def specs(
    session_directory: Path, current_user: Account, registry: Registry, file_server: FileServer
) -> Iterator[Shipped]:
    """The shipped specs in a workspace; packages that were downloaded once serve later sessions, too."""
    conf = registries.registries_conf(session_directory / "shipped.conf", registry.host)
    cache = cache_directory() / "shipped"
    env = {"CONTAINERS_REGISTRIES_CONF": str(conf), "XDG_CACHE_HOME": str(cache)}
    workspace = make_workspace(session_directory / "shipped", current_user, env)
    platforms = (AMD64, ARM64) if probes.runs_platform(ARM64) else (AMD64,)
    with shipped(workspace, platforms, registry, file_server) as opened:
        yield opened


@pytest.fixture(scope="module")
def built(specs: Shipped) -> Shipped:
    specs.build("debian", "python")
    return specs


@pytest.fixture
def debian(built: Shipped, platform: str) -> Container:
    return built.container("debian", platform)


@pytest.fixture
def python(built: Shipped, platform: str) -> Container:
    return built.container("python", platform)


@pytest.fixture(scope="module")
def java(built: Shipped) -> Container:
    built.build("java", platforms=(AMD64,))
    return built.container("java", AMD64)


# Debian


def test_debian_is_bookworm_of_the_wanted_architecture(debian: Container, platform: str) -> None:
    assert "VERSION_CODENAME=bookworm" in debian.says("cat", "/etc/os-release")
    assert debian.says("dpkg", "--print-architecture") == platform.removeprefix("linux/")


def test_debian_keeps_utc_and_speaks_utf_8(debian: Container) -> None:
    assert debian.says("date", "+%Z") == "UTC"
    assert debian.says("cat", "/etc/timezone") == "Etc/UTC"
    assert debian.says("locale", "charmap") == "UTF-8"


def test_debian_carries_its_labels_and_description(built: Shipped, platform: str) -> None:
    config = image_config(built.workspace.layout("debian"), platform)["config"]
    assert config["Labels"] == {
        "org.opencontainers.image.title": "debian",
        "org.opencontainers.image.description": "Debian 12 (bookworm), minimal, UTC",
    }
    assert (config["Cmd"], config["WorkingDir"]) == (["/bin/bash"], "/")
    assert environment(config)["LANG"] == "C.UTF-8"


def test_no_image_holds_lists_archives_or_wheels(built: Shipped, platform: str) -> None:
    for spec in ("debian", "python"):
        tree = image_tree(built.workspace.layout(spec), platform)
        caches = ("/var/lib/apt/lists/", "/var/cache/apt/", "/custom_cache/", "/root/.cache", "/run/bic")
        assert [path for path in tree if path.startswith(caches) and tree[path].type == "file"] == []


# Python


def test_python_stands_on_the_layers_of_debian(built: Shipped, platform: str) -> None:
    below = image_manifest(built.workspace.layout("debian"), platform)["layers"]
    layers = image_manifest(built.workspace.layout("python"), platform)["layers"]
    assert layers[: len(below)] == below


def test_python_has_the_versions_that_its_spec_says(python: Container) -> None:
    assert python.says("python", "--version").startswith("Python 3.11.")
    assert python.says("poetry", "--version") == "Poetry (version 1.6.1)"
    assert python.says("pip", "--version").endswith("(python 3.11)")


def test_python_runs_as_its_user_with_a_home(python: Container) -> None:
    assert python.says("id") == "uid=1000(app) gid=1000(app) groups=1000(app)"
    assert python.says("sh", "-c", "cd && pwd && touch there") == "/app"


def test_python_users_may_write_the_application_and_nothing_else(python: Container) -> None:
    assert python.run("touch", "/app/file").code == 0
    assert python.run("touch", "/custom_cache/file").code != 0
    assert python.run("touch", "/usr/local/file").code != 0


def test_python_is_set_up_for_poetry_and_pip(built: Shipped, platform: str) -> None:
    found = environment(image_config(built.workspace.layout("python"), platform)["config"])
    assert found.items() >= {
        ("POETRY_VIRTUALENVS_CREATE", "false"),
        ("POETRY_VIRTUALENVS_IN_PROJECT", "false"),
        ("POETRY_NO_INTERACTION", "1"),
        ("PIP_CACHE_DIR", "/custom_cache/pip"),
        ("LANG", "C.UTF-8"),
    }


def test_python_lets_pip_install_beside_debians_packages(python: Container) -> None:
    dry = ("install", "--dry-run", "--no-index", "--no-deps", "pip")
    assert "externally-managed" not in python.run("pip", *dry, user="root").stderr


# Java


def test_java_is_openjdk_17_without_a_desktop(java: Container) -> None:
    assert 'openjdk version "17.' in java.run("java", "-version").check().stderr
    assert java.says("sh", "-c", '"$JAVA_HOME/bin/java" --version').startswith("openjdk 17.")
    assert java.says("sh", "-c", "java --list-modules | grep -c ^java.desktop") == "1"
    assert java.run("dpkg-query", "--status", "openjdk-17-jre").code != 0


def test_java_runs_as_its_user(java: Container) -> None:
    assert java.says("id", "-un") == "app"
    assert java.run("touch", "/app/file").code == 0


def test_java_is_the_same_image_when_it_is_built_again(built: Shipped, java: Container) -> None:
    # Its trust store would hold the time of the build, were it not for a step of the spec.
    before = image_manifest(built.workspace.layout("java"), AMD64)
    built.workspace.bic("build", "java", "--no-cache", "--platform", AMD64).check()
    assert image_manifest(built.workspace.layout("java"), AMD64) == before
    assert (
        java.says("sh", "-c", "keytool -list -cacerts -storepass changeit | grep -c trustedCertEntry") != "0"
    )


# The origin's Python image: its sanity checks, S1 to S20


@pytest.fixture(scope="module")
def connector(built: Shipped) -> Container:
    built.build_airbyte_python()
    return built.container(AIRBYTE_PYTHON, AMD64)


def test_the_connector_base_is_locked_to_what_the_mirror_serves(
    built: Shipped, connector: Container, registry: Registry
) -> None:
    lock = lock_file.read(built.workspace.root / f"specs/{AIRBYTE_PYTHON}.lock.toml", "lock")
    assert lock is not None
    pin = lock.image(Reference.parse(PYTHON_BASE))
    assert pin is not None
    assert str(pin.digest) == registry.digest("docker.io/library/python", "3.10.14-slim-bookworm")
    assert {str(each.platform) for each in pin.platforms} == set(built.platforms)
    archives = {nltk_zip("punkt"), nltk_zip("averaged_perceptron_tagger")}
    assert {each.sha256 for each in lock.files} == {Digest.of(each).hex for each in archives}


def test_s4_the_connector_base_keeps_utc(connector: Container) -> None:
    assert "UTC" in connector.says("date")


def test_s5_the_connector_base_has_bash(connector: Container) -> None:
    assert connector.says("bash", "--version")


def test_s6_the_connector_base_has_socat_1_7_4_4(connector: Container) -> None:
    assert "socat version 1.7.4.4 " in connector.says("socat", "-V")


def test_s7_and_s12_airbyte_is_user_and_group_1000(connector: Container) -> None:
    assert connector.says("whoami", user="airbyte") == "airbyte"
    assert connector.says("id", "-u", user="airbyte") == "1000"
    assert connector.says("id", "-g", user="airbyte") == "1000"
    assert connector.says("sh", "-c", "getent passwd airbyte").endswith(":/nonexistent:/usr/sbin/nologin")


@pytest.mark.parametrize("directory", ["/airbyte", "/usr/share/nltk_data", "/custom_cache"])
def test_s8_airbyte_can_read(connector: Container, directory: str) -> None:
    connector.run("touch", f"{directory}/foo.txt").check()
    connector.run("cat", f"{directory}/foo.txt", user="airbyte").check()


def test_s9_and_s10_airbyte_can_write_its_directory_and_not_the_cache(connector: Container) -> None:
    assert connector.run("touch", "/airbyte/bar.txt", user="airbyte").code == 0
    assert connector.run("touch", "/custom_cache/bar.txt", user="airbyte").code != 0


def test_s13_to_s15_the_connector_base_has_python_pip_and_poetry(connector: Container) -> None:
    version = connector.says("printenv", "PYTHON_VERSION")
    assert connector.says("python", "--version") == f"Python {version}"
    assert connector.says("pip", "--version").startswith("pip 24.0 ")
    assert connector.says("poetry", "--version").startswith("Poetry (version 1.6.1")
    assert connector.says("python", "-c", "import setuptools; print(setuptools.__version__)") == "70.0.0"


@pytest.mark.parametrize("name", ["PYTHON_VERSION", "PATH", "LANG", "GPG_KEY", "HOME"])
def test_s1_and_s16_variables_of_the_root_image_are_there(connector: Container, name: str) -> None:
    # HOME comes from the run, not from the image: the origin's check saw it all the same.
    assert connector.says("printenv", name)


def test_s1_variables_of_the_steps_are_in_the_image(built: Shipped, connector: Container) -> None:
    config = image_config(built.workspace.layout(AIRBYTE_PYTHON), AMD64)["config"]
    assert environment(config).items() >= {
        ("PIP_CACHE_DIR", "/custom_cache/pip"),
        ("POETRY_VIRTUALENVS_CREATE", "false"),
        ("POETRY_VIRTUALENVS_IN_PROJECT", "false"),
        ("POETRY_NO_INTERACTION", "1"),
    }
    assert config.get("User", "") == ""


def test_s11_and_s17_nltk_finds_its_data(built: Shipped, connector: Container) -> None:
    # A step of the child looked for them as the user airbyte: its image would not be there otherwise.
    assert (built.workspace.layout("nltk-child") / "index.json").exists()
    connector.run("test", "-f", "/usr/share/nltk_data/tokenizers/punkt/README", user="airbyte").check()


def test_s18_to_s20_the_connector_base_has_what_the_cdk_needs(connector: Container) -> None:
    assert connector.says("tesseract", "--version").startswith("tesseract 5.3.0")
    assert "pdftotext version 22.12.0" in connector.run("pdftotext", "-v").stderr


def test_the_connector_base_has_no_stray_directory_and_no_cache(built: Shipped, connector: Container) -> None:
    tree = image_tree(built.workspace.layout(AIRBYTE_PYTHON), AMD64)
    assert "/755" not in tree
    assert [path for path in tree if path.startswith("/custom_cache/")] == []
    assert tree["/usr/share/nltk_data"].mode == 0o755


# The origin's Java image


@pytest.fixture
def locked_java(specs: Shipped) -> Workspace:
    """The workspace with a lock made by hand: no registry here has Amazon's image."""
    root = SpecWorkspace(specs.workspace.root)
    spec = load(root, AIRBYTE_JAVA)
    env = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
    pins = tuple(PlatformPin(each, Digest.of(str(each).encode()), env) for each in spec.image.platforms)
    image = ImagePin(Reference.parse(JAVA_BASE), Digest.of(b"index"), pins)
    files = tuple(sorted((FilePin(url, "ab" * 32) for url, _ in needs(spec).files), key=lambda pin: pin.url))
    path = lock_file.path_of(root.path_of(AIRBYTE_JAVA))
    lock_file.write(path, Lock(spec_digest(spec), (image,), files))
    specs.workspace.account.own(path)
    return specs.workspace


JAVA_STEPS = (
    "docker://docker.io/library/amazoncorretto@sha256:",
    "dnf safe findutils openssl shadow-utils tar",
    "add_user airbyte 1000 1000 airbyte /home/airbyte /bin/bash '' yes",
    "make_directory /secrets 0755 airbyte:airbyte",
    "make_directory /config 0755 airbyte:airbyte",
    "make_directory /airbyte 0755 airbyte:airbyte",
    "make_directory /custom_cache 0755 airbyte:airbyte",
    "set_permissions /usr/share/pki/ca-trust-source - airbyte:airbyte yes",
    "set_permissions /etc/pki/ca-trust - airbyte:airbyte yes",
    "set_permissions /tmp - airbyte:airbyte yes",
    "/airbyte/dd-java-agent.jar",
    "/airbyte/base.sh",
    "/airbyte/javabase.sh",
    "--env 'AIRBYTE_SPEC_CMD=/airbyte/javabase.sh --spec'",
    "--env AIRBYTE_ENTRYPOINT=/airbyte/base.sh",
    "--workingdir /airbyte",
)
"""The origin's list (notes on `AirbyteJavaConnectorBaseImage`), as it stands in the script, in order."""


@pytest.mark.parametrize("platform", [AMD64, ARM64])
def test_the_java_script_takes_the_origins_steps_in_order(locked_java: Workspace, platform: str) -> None:
    words = ("compile", AIRBYTE_JAVA, "--emit", "script", "--platform", platform)
    script = locked_java.bic(*words, env={"CI": "1"}).check().stdout
    body = script[script.index("\nbuild() {") :]
    position = 0
    for step in JAVA_STEPS:
        assert step in body[position:], step
        position += body[position:].index(step)


def test_the_java_dockerfile_keeps_user_workdir_entrypoint_and_values(locked_java: Workspace) -> None:
    text = locked_java.bic("compile", AIRBYTE_JAVA, "--emit", "dockerfile").check().stdout
    instructions = text.splitlines()
    assert "USER airbyte" in instructions
    assert 'WORKDIR "/airbyte"' in instructions
    assert 'ENTRYPOINT ["/airbyte/base.sh"]' in instructions
    for verb in ("spec", "check", "discover", "read", "write"):
        assert f'AIRBYTE_{verb.upper()}_CMD="/airbyte/javabase.sh --{verb}"' in text
    assert "latest-java-tracer" not in text


# All of them


def test_without_locks_ci_is_told_which_to_make(specs: Shipped) -> None:
    lock = specs.workspace.root / f"specs/{AIRBYTE_JAVA}.lock.toml"
    lock.unlink(missing_ok=True)
    done = specs.workspace.bic("compile", env={"CI": "1"})
    assert done.code == 2
    assert f"`{AIRBYTE_JAVA}` has no lock" in done.stderr
    assert "run `bic lock`" in done.stderr
