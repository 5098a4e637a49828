"""Locking `pip` steps with the real uv: on a small index of loopback, and on the Python package index."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.python_index import PASSWORD, Index, serve

from bic.errors import InputInvalid, WorkFailed
from bic.lock.model import PackagePin
from bic.lock.pip.indexes import Indexes
from bic.lock.pip.model import Request, RequirementsFile, Target
from bic.lock.pip.requirements import requirements
from bic.lock.pip.resolve import resolve
from bic.oci.platform import Platform

AMD64 = Target("3.11", "glibc 2.36", Platform.parse("linux/amd64"))
ARM64 = Target("3.11", "glibc 2.36", Platform.parse("linux/arm64"))
ARMV7 = Target("3.11", "glibc 2.36", Platform.parse("linux/arm/v7"))


@pytest.fixture
def index() -> Iterator[Index]:
    """An index with a package for two architectures, and one that needs it by a marker."""
    with serve() as running:
        for version in ("1.0", "2.0"):
            for machine in ("x86_64", "aarch64"):
                running.wheel("fast", version, f"cp311-cp311-manylinux_2_17_{machine}")
        running.wheel("slow", "1.0")
        running.wheel(
            "demo",
            "1.0",
            needs=(
                "fast>=1; platform_machine != 'armv7l'",
                "slow; platform_machine == 'aarch64'",
                "nowhere; python_version < '3.11' or sys_platform == 'win32'",
                "slow; extra == 'more'",
            ),
        )
        yield running


Resolve = Callable[..., tuple[PackagePin, ...]]


@pytest.fixture
def pins(index: Index, tmp_path: Path) -> Resolve:
    def pins(*packages: str, target: Target = AMD64, **more: object) -> tuple[PackagePin, ...]:
        more.setdefault("indexes", Indexes.of({"UV_DEFAULT_INDEX": index.url}))
        more.setdefault("cache", tmp_path / "cache")
        request = more.pop("request", Request(packages))
        return resolve(request, target, **more)  # type: ignore[arg-type]

    return pins


def names(pins: tuple[PackagePin, ...]) -> list[str]:
    return [f"{pin.name} {pin.version} {pin.architecture}" for pin in pins]


def test_each_platform_has_its_own_closure(pins: Resolve) -> None:
    assert names(pins("demo")) == ["demo 1.0 any", "fast 2.0 manylinux_2_17_x86_64"]
    assert names(pins("demo", target=ARM64)) == [
        "demo 1.0 any",
        "fast 2.0 manylinux_2_17_aarch64",
        "slow 1.0 any",
    ]
    assert names(pins("demo", target=ARMV7)) == ["demo 1.0 any"]
    assert "slow 1.0 any" in names(pins("demo[more]"))


def test_a_pin_has_the_size_the_hash_and_the_address_of_its_wheel(pins: Resolve, index: Index) -> None:
    (pin,) = pins("fast==1.0")
    file = "fast-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
    content = index.files["fast"][file]
    assert (pin.size, pin.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert pin.url == f"http://127.0.0.1:{index.port}/files/fast/{file}"


def test_a_size_comes_also_from_a_server_without_head_but_not_without_the_network(
    pins: Resolve, index: Index, tmp_path: Path
) -> None:
    index.knows_head = False
    (pin,) = pins("slow")
    assert pin.size == len(index.files["slow"]["slow-1.0-py3-none-any.whl"])
    shutil.rmtree(tmp_path / "cache/sizes")
    with pytest.raises(WorkFailed, match="the network may not be used"):
        pins("slow", offline=True)


def test_a_package_of_sources_alone_is_refused(pins: Resolve, index: Index) -> None:
    index.sources("raw", "3.1")
    with pytest.raises(InputInvalid) as refused:
        pins("raw==3.1", target=ARM64)
    (fault,) = refused.value.faults
    assert fault.message == "`raw` 3.1 has no wheel for Python 3.11 on linux/arm64 (glibc 2.36)"
    assert fault.hint is not None and "`shell` step" in fault.hint


@pytest.mark.parametrize("target", [ARM64, ARMV7, Target("3.11", "musl 1.2", ARM64.platform)])
def test_a_package_without_a_wheel_for_the_platform_is_refused(
    pins: Resolve, index: Index, target: Target
) -> None:
    index.wheel("only", "1.0", "cp311-cp311-manylinux_2_17_x86_64")
    with pytest.raises(InputInvalid) as refused:
        pins("only==1.0", target=target)
    assert refused.value.faults[0].message == f"`only` 1.0 has no wheel for {target}"


@pytest.mark.parametrize("target", [AMD64, ARMV7])
def test_an_older_version_is_taken_where_the_newest_has_no_wheel(
    pins: Resolve, index: Index, target: Target
) -> None:
    index.wheel("late", "1.0")
    index.wheel("late", "2.0", "cp312-cp312-manylinux_2_17_x86_64")
    assert names(pins("late", target=target)) == ["late 1.0 any"]


def test_versions_stay_when_the_index_has_newer_ones_unless_all_is_upgraded(
    pins: Resolve, index: Index, tmp_path: Path
) -> None:
    earlier = pins("demo")
    index.wheel("fast", "3.0", "cp311-cp311-manylinux_2_17_x86_64")
    later = tmp_path / "later"
    assert pins("demo", preferences=earlier, cache=later) == earlier
    upgraded = pins("demo", preferences=earlier, upgrade=True, cache=later)
    assert "fast 3.0 manylinux_2_17_x86_64" in names(upgraded)
    narrowed = pins("demo", "fast<2", preferences=earlier, cache=later)
    assert "fast 1.0 manylinux_2_17_x86_64" in names(narrowed)


def test_the_same_index_gives_the_same_pins(pins: Resolve, tmp_path: Path) -> None:
    assert pins("demo", cache=tmp_path / "a") == pins("demo", cache=tmp_path / "b")


def test_what_is_known_is_resolved_without_the_network(pins: Resolve, index: Index) -> None:
    first = pins("demo")
    index.asked.clear()
    assert pins("demo", offline=True) == first
    assert index.asked == []
    with pytest.raises(WorkFailed, match="without the network"):
        pins("slow", offline=True)


def test_a_requirements_file_may_name_its_index(pins: Resolve, index: Index) -> None:
    text = f"--index-url {index.url}\nslow \\\n  >=1  # why\nfast==1.0; sys_platform == 'win32'\n"
    request = Request(file=RequirementsFile("requirements.txt", text))
    assert names(pins(request=request, indexes=Indexes())) == ["slow 1.0 any"]


def test_a_package_that_no_index_has_and_versions_that_clash_are_the_users_to_change(pins: Resolve) -> None:
    with pytest.raises(InputInvalid, match="no index has the package `nowhere`"):
        pins("nowhere")
    with pytest.raises(InputInvalid, match="cannot be met together"):
        pins("fast==1.0", "fast==2.0")


def test_an_index_behind_a_password_is_asked_with_it_and_nothing_shows_it(
    pins: Resolve, index: Index, tmp_path: Path
) -> None:
    index.password = PASSWORD
    chosen = Indexes.of({"PIP_INDEX_URL": index.url_with_password})
    found = pins("demo", indexes=chosen)
    assert all(pin.size for pin in found)
    assert PASSWORD not in repr(found)
    index.password = "changed"
    with pytest.raises(WorkFailed, match="refuses access") as refused:
        pins("slow", indexes=chosen, cache=tmp_path / "fresh")
    assert PASSWORD not in repr(refused.value.faults)


def test_netrc_opens_an_index(pins: Resolve, index: Index, tmp_path: Path) -> None:
    index.password = PASSWORD
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    netrc.chmod(0o600)
    chosen = Indexes.of({"UV_DEFAULT_INDEX": index.url, "NETRC": str(netrc)})
    assert names(pins("slow", indexes=chosen)) == ["slow 1.0 any"]


def test_an_index_that_is_gone_is_told(pins: Resolve) -> None:
    gone = Indexes.of({"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"})
    with pytest.raises(WorkFailed, match="a package index cannot be reached"):
        pins("demo", indexes=gone)


def test_the_settings_of_a_project_around_the_cache_change_nothing(pins: Resolve, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\nresolution = "lowest"\n')
    (tmp_path / "uv.toml").write_text('resolution = "lowest"\n')
    assert "fast 2.0 manylinux_2_17_x86_64" in names(pins("demo"))


def _download(pins: tuple[PackagePin, ...], folder: Path) -> None:
    """Each wheel under its own name in a directory of its own, checked."""
    for pin in pins:
        with urllib.request.urlopen(pin.url, timeout=120) as response:
            content = response.read()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (pin.size, pin.sha256), pin.url
        place = folder / pin.sha256
        place.mkdir(parents=True)
        (place / pin.url.rsplit("/", 1)[-1]).write_bytes(content)


def _install(pins: tuple[PackagePin, ...], wheels: Path, folder: Path) -> Path:
    """The interpreter of a new environment with exactly these pins, by pip, without any index."""
    python = folder / "venv/bin/python"
    file = folder / "requirements.txt"
    file.write_text(requirements(pins, lambda pin: str(wheels / pin.sha256)))
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet"]
    env = {"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": "/dev/null", "https_proxy": "http://127.0.0.1:9"}
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", file], check=True, env=env)
    return python


def test_pip_installs_what_was_locked_from_the_generated_file(pins: Resolve, tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = pins("slow", target=Target(version, "glibc 2.36", AMD64.platform))
    _download(found, tmp_path / "wheels")
    python = _install(found, tmp_path / "wheels", tmp_path)
    code = "import slow; print(slow.version)"
    assert subprocess.run([python, "-c", code], capture_output=True, check=True).stdout == b"1.0\n"


POETRY = ("pip==24.0", "setuptools==70.0.0", "poetry==1.6.1")


@pytest.mark.network
@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
@pytest.mark.parametrize("python", ["3.10", "3.11"])
def test_poetry_is_locked_for_platforms_and_pythons_of_images(
    python: str, platform: str, tmp_path: Path
) -> None:
    target = Target(python, "glibc 2.36", Platform.parse(platform))
    found = resolve(Request(POETRY), target, cache=tmp_path)
    versions = {pin.name: pin.version for pin in found}
    assert [versions[each] for each in ("pip", "setuptools", "poetry")] == ["24.0", "70.0.0", "1.6.1"]
    machine = target.machine
    assert {pin.architecture.split("_", 3)[-1] for pin in found} == {"any", machine}
    assert ("tomli" in versions) == (python == "3.10")
    assert resolve(Request(POETRY), target, cache=tmp_path, preferences=found, offline=True) == found


@pytest.mark.network
def test_poetry_runs_from_the_locked_wheels_alone(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = resolve(Request(POETRY), Target(version, "glibc 2.36", Platform.host()), cache=tmp_path / "cache")
    _download(found, tmp_path / "wheels")
    python = _install(found, tmp_path / "wheels", tmp_path)
    code = "import poetry.__version__ as v, poetry.console.application; print(v.__version__)"
    done = subprocess.run([python, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"1.6.1\n"
