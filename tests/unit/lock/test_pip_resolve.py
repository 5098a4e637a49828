"""From what uv answers to pins, and what uv is asked: uv itself is not started here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tomli

from bic.errors import InputInvalid
from bic.lock.model import PackagePin
from bic.lock.pip.indexes import Indexes
from bic.lock.pip.model import Request, RequirementsFile, Target
from bic.lock.pip.resolve import resolve
from bic.oci.platform import Platform
from bic.process import Command, Completed

ARM64 = Target("3.11", "glibc 2.36", Platform.parse("linux/arm64"))
FILES = "https://me:s3cret@index.example/files"


def package(name: str, *wheels: str, marker: str | None = None, version: str = "1.0") -> str:
    """A table of a lock; the sha256 of each wheel is made of its tag."""
    rows = [
        f'{{ url = "{FILES}/{name}-{version}-{tag}.whl#x", hashes = {{ sha256 = "{sha256(tag)}" }} }}'
        for tag in wheels
    ]
    condition = f'marker = "{marker}"\n' if marker else ""
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{condition}wheels = [{", ".join(rows)}]\n'


def sha256(tag: str) -> str:
    return tag.encode().hex()[-64:].rjust(64, "0")


class Answering:
    """A runner that writes the lock that it was given, as uv would, and remembers what it was asked."""

    def __init__(self, *packages: str) -> None:
        self.text = "".join(packages)
        self.commands: list[Command] = []
        self.read: dict[str, str] = {}

    def __call__(self, command: Command) -> Completed:
        assert command.cwd is not None
        folder = Path(command.cwd)
        self.commands.append(command)
        self.read = {each.name: each.read_text() for each in folder.iterdir()}
        (folder / "pylock.toml").write_text(self.text)
        return Completed(command, 0, b"", "", "", 0.0)

    @property
    def argv(self) -> tuple[str, ...]:
        return self.commands[-1].argv


Resolve = Callable[..., tuple[PackagePin, ...]]


@pytest.fixture
def pins(tmp_path: Path) -> Resolve:
    def pins(runner: Answering, target: Target = ARM64, **more: object) -> tuple[PackagePin, ...]:
        request = more.pop("request", Request(("demo",)))
        more.setdefault("size_of", lambda wheel: 7)
        return resolve(request, target, cache=tmp_path / "cache", runner=runner, **more)  # type: ignore[arg-type]

    return pins


def test_a_pin_names_the_wheel_that_the_target_takes(pins: Resolve) -> None:
    runner = Answering(
        package("zeta", "py3-none-any"),
        package(
            "demo", "py3-none-any", "cp39-abi3-manylinux_2_28_aarch64", "cp39-abi3-manylinux_2_28_x86_64"
        ),
    )
    tag = "cp39-abi3-manylinux_2_28_aarch64"
    url = f"https://index.example/files/demo-1.0-{tag}.whl"
    demo, zeta = pins(runner)
    assert demo == PackagePin("demo", "1.0", "manylinux_2_28_aarch64", 7, sha256(tag), url)
    assert (zeta.name, zeta.architecture) == ("zeta", "any")


def test_markers_are_evaluated_for_the_target(pins: Resolve) -> None:
    runner = Answering(
        package("demo", "py3-none-any", marker="platform_machine == 'aarch64'"),
        package("other", "py3-none-any", marker="platform_machine == 'x86_64'"),
        package("old", "py3-none-any", marker="python_full_version < '3.11'"),
    )
    assert [pin.name for pin in pins(runner)] == ["demo"]


def test_every_package_without_a_wheel_is_told(pins: Resolve) -> None:
    runner = Answering(
        package("demo", "cp311-cp311-win_amd64"), package("more"), package("fine", "py3-none-any")
    )
    with pytest.raises(InputInvalid) as refused:
        pins(runner)
    assert [fault.message for fault in refused.value.faults] == [
        "`demo` 1.0 has no wheel for Python 3.11 on linux/arm64 (glibc 2.36)",
        "`more` 1.0 has no wheel for Python 3.11 on linux/arm64 (glibc 2.36)",
    ]
    assert "`shell` step" in (refused.value.faults[0].hint or "")


def test_only_a_wheel_with_a_hash_of_the_requirements_file_is_taken(pins: Resolve) -> None:
    best, other = "cp311-cp311-manylinux_2_17_aarch64", "py3-none-any"
    runner = Answering(package("demo", best, other))
    text = f"demo==1.0 --hash=sha256:{sha256(other)}"
    (pin,) = pins(runner, request=Request(file=RequirementsFile("r.txt", text)))
    assert pin.architecture == "any"
    with pytest.raises(InputInvalid, match="has a hash that the requirements file allows") as refused:
        pins(runner, request=Request(file=RequirementsFile("r.txt", "demo==1.0 --hash=sha256:00")))
    assert sha256(best) in (refused.value.faults[0].hint or "")


def test_a_wheel_without_sha256_is_refused(pins: Resolve) -> None:
    wheel = '{ url = "https://index.example/demo-1-py3-none-any.whl" }'
    text = f'[[packages]]\nname = "demo"\nversion = "1"\nwheels = [{wheel}]\n'
    with pytest.raises(InputInvalid, match="the index has no sha256, or no address, of `demo` 1"):
        pins(Answering(text))


def test_sizes_come_from_the_index_then_from_the_earlier_lock_then_from_the_server(pins: Resolve) -> None:
    runner = Answering(package("demo", "py3-none-any"))
    asked: list[str] = []
    (first,) = pins(runner, size_of=lambda wheel: asked.append(wheel.url) or 42)
    assert (first.size, asked) == (42, [f"{FILES}/demo-1.0-py3-none-any.whl#x"])
    (again,) = pins(runner, preferences=(first,), size_of=None)
    assert again == first
    told = Answering(runner.text.replace("hashes", "size = 5, hashes"))
    assert pins(told)[0].size == 5


def test_the_wheel_of_an_earlier_lock_stays_though_a_better_one_came(pins: Resolve) -> None:
    (earlier,) = pins(Answering(package("demo", "py3-none-any")))
    richer = Answering(package("demo", "py3-none-any", "cp311-cp311-manylinux_2_17_aarch64"))
    assert pins(richer, preferences=(earlier,)) == (earlier,)
    (upgraded,) = pins(richer, preferences=(earlier,), upgrade=True)
    assert upgraded.architecture == "manylinux_2_17_aarch64"


def test_earlier_versions_are_told_to_uv_unless_all_is_to_be_upgraded(pins: Resolve) -> None:
    runner = Answering(package("demo", "py3-none-any"))
    earlier = pins(runner)
    pins(runner, preferences=earlier)
    assert tomli.loads(runner.read["pylock.toml"])["packages"] == [{"name": "demo", "version": "1.0"}]
    pins(runner, preferences=earlier, upgrade=True)
    assert tomli.loads(runner.read["pylock.toml"])["packages"] == []


@pytest.mark.parametrize(
    ("libc", "platform", "triple"),
    [
        ("glibc 2.36", "linux/amd64", "x86_64-manylinux_2_36"),
        ("glibc 2.30", "linux/arm64", "aarch64-manylinux_2_28"),
        ("glibc 2.99", "linux/arm64", "aarch64-manylinux_2_40"),
        ("glibc 2.12", "linux/amd64", "x86_64-manylinux_2_17"),
        ("musl 1.2", "linux/arm64", "aarch64-unknown-linux-musl"),
    ],
)
def test_uv_resolves_for_the_platform(pins: Resolve, libc: str, platform: str, triple: str) -> None:
    runner = Answering()
    pins(runner, Target("3.10.14", libc, Platform.parse(platform)))
    assert runner.argv[runner.argv.index("--python-platform") + 1] == triple
    assert runner.argv[runner.argv.index("--python-version") + 1] == "3.10.14"


def test_a_platform_that_uv_has_no_name_for_is_described_by_markers(pins: Resolve) -> None:
    runner = Answering()
    pins(runner, Target("3.11", "glibc 2.36", Platform.parse("linux/arm/v7")))
    (environment,) = tomli.loads(runner.read["pyproject.toml"])["tool"]["uv"]["required-environments"]
    assert "--universal" in runner.argv and "platform_machine == 'armv7l'" in environment


def test_uv_is_asked_offline_and_for_pre_releases_where_wanted(pins: Resolve) -> None:
    runner = Answering()
    pins(runner)
    assert not {"--offline", "--prerelease"} & set(runner.argv)
    pins(runner, offline=True, request=Request(file=RequirementsFile("r.txt", "--pre\ndemo")))
    assert {"--offline", "--prerelease"} <= set(runner.argv)


def test_the_indexes_reach_uv_and_their_passwords_nobody_else(pins: Resolve) -> None:
    runner = Answering()
    pins(runner, indexes=Indexes.of({"PIP_INDEX_URL": "https://me:s3cret@index.example/simple"}))
    (command,) = runner.commands
    assert command.env == (("UV_DEFAULT_INDEX", "https://me:s3cret@index.example/simple"),)
    assert "s3cret" not in command.paste()


def test_a_request_for_nothing_starts_nothing(pins: Resolve) -> None:
    runner = Answering()
    assert pins(runner, request=Request(file=RequirementsFile("r.txt", "# none\n--pre\n"))) == ()
    assert runner.commands == []
