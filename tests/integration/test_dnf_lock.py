"""What dnf steps lock: resolved by the real dnf, from real repositories, for both platforms."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen
from support import files, probes, rpms
from support.rpms import Rpm

from bic.errors import BicError, HostLacking, InputInvalid, WorkFailed
from bic.lock.base.files import Tree
from bic.lock.dnf.request import DnfRequest, architecture
from bic.lock.dnf.resolve import resolve
from bic.lock.model import PackagePin
from bic.oci.platform import Platform

APP = Rpm("app", "1.0", ("Requires: lib >= 2", "Recommends: weak"))
LATER = Rpm("later", "1.0", ("Requires: lib", "Requires: app"))
SAFE = Rpm("safe", "2.0")
AVAILABLE = (
    APP,
    LATER,
    SAFE,
    Rpm("lib", "2.1"),
    Rpm("lib", "2.2"),
    Rpm("weak", "1.0"),
    Rpm("new", "2.0", ("Obsoletes: old < 2", "Provides: old = 2.0")),
    Rpm("plain", "2.0"),
    Rpm("ages", "3.0", epoch=1),
    Rpm("broken", "1.0", ("Requires: nobody-has-this",)),
)
INSTALLED = (
    Rpm("release", "9", ("Provides: system-release", "Provides: system-release(releasever) = 9")),
    Rpm("old", "1.0"),
    Rpm("safe", "1.0"),
    Rpm("plain", "1.0"),
)
ADVISORIES = rpms.advisory(SAFE, "security") + rpms.advisory(Rpm("plain", "2.0"), "bugfix")

REPOSITORY = """\
[fruits]
name=fruits
baseurl={url}/$releasever/$basearch/$flavour
gpgcheck=0
enabled=1
skip_if_unavailable=1
"""


@frozen
class World:
    """A server of repositories, and bases by machine."""

    url: str
    folder: Path
    bases: dict[str, Tree]

    def base(self, platform: str) -> Tree:
        return self.bases[architecture(Platform.parse(platform))]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    rpms.DNF.require()
    folder = tmp_path_factory.mktemp("dnf")
    bases = {}
    with files.serve(folder) as server:
        for machine, database in (("x86_64", "/var/lib/rpm"), ("aarch64", "/usr/lib/sysimage/rpm")):
            rpms.repository(folder / f"9/{machine}/sweet", AVAILABLE, machine, ADVISORIES)
            installed = [rpms.build(each, machine, folder / "installed") for each in INSTALLED]
            configured = {
                "/etc/yum.repos.d/fruits.repo": REPOSITORY.format(url=server.url),
                "/etc/dnf/vars/flavour": "sweet\n",
                "/usr/lib/os-release": 'VERSION_ID="9.3"\n',
            }
            bases[machine] = rpms.base(folder / f"base-{machine}", installed, configured, database)
        yield World(server.url, folder, bases)


AMD64, ARM64 = "linux/amd64", "linux/arm64"
BOTH = pytest.mark.parametrize("platform", [AMD64, ARM64])


def locked(
    world: World,
    tmp_path: Path,
    *packages: str,
    platform: str = AMD64,
    upgrade: str = "none",
    base: Tree | None = None,
    previous: tuple[PackagePin, ...] = (),
) -> tuple[PackagePin, ...]:
    request = DnfRequest(packages, upgrade)  # type: ignore[arg-type]

    def fetch(pin: PackagePin) -> Path:
        return Path(urllib.request.urlretrieve(pin.url, tmp_path / pin.url.rpartition("/")[2])[0])

    tree = base or world.base(platform)
    return resolve(request, tree, Platform.parse(platform), tmp_path / "cache", previous, fetch=fetch)


def brief(pins: tuple[PackagePin, ...]) -> list[str]:
    return [f"{pin.name}-{pin.version}.{pin.architecture}" for pin in pins]


@BOTH
def test_the_closure_is_locked_without_weak_dependencies(world: World, tmp_path: Path, platform: str) -> None:
    pins = locked(world, tmp_path, "app", platform=platform)
    machine = architecture(Platform.parse(platform))
    assert brief(pins) == [f"app-1.0-1.{machine}", f"lib-2.2-1.{machine}"]
    for pin in pins:
        with urllib.request.urlopen(pin.url) as response:
            content = response.read()
        assert (pin.size, pin.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_version_that_the_spec_names_is_kept(world: World, tmp_path: Path) -> None:
    assert brief(locked(world, tmp_path, "app", "lib-2.1")) == ["app-1.0-1.x86_64", "lib-2.1-1.x86_64"]


def test_an_epoch_is_part_of_the_version(world: World, tmp_path: Path) -> None:
    assert brief(locked(world, tmp_path, "ages")) == ["ages-1:3.0-1.x86_64"]


def test_a_package_that_replaces_one_of_the_base_is_locked(world: World, tmp_path: Path) -> None:
    assert brief(locked(world, tmp_path, "new")) == ["new-2.0-1.x86_64"]


def test_what_the_base_has_is_not_locked(world: World, tmp_path: Path) -> None:
    assert locked(world, tmp_path, "release") == ()


@pytest.mark.parametrize(
    ("upgrade", "names"), [("none", []), ("safe", ["safe"]), ("full", ["new", "plain", "safe"])]
)
def test_upgrades_are_none_or_those_of_security_or_all(
    world: World, tmp_path: Path, upgrade: str, names: list[str]
) -> None:
    assert [pin.name for pin in locked(world, tmp_path, upgrade=upgrade)] == names


def test_a_safe_upgrade_leaves_the_packages_of_the_request_as_new_as_they_are(
    world: World, tmp_path: Path
) -> None:
    pins = locked(world, tmp_path, "app", "weak", upgrade="safe")
    assert [pin.name for pin in pins] == ["app", "lib", "safe", "weak"]


@BOTH
def test_what_earlier_steps_install_counts_as_there(world: World, tmp_path: Path, platform: str) -> None:
    first = locked(world, tmp_path, "app", "lib-2.1", platform=platform)
    second = locked(world, tmp_path, "later", platform=platform, previous=first)
    assert [pin.name for pin in second] == ["later"]
    third = locked(world, tmp_path, platform=platform, upgrade="full", previous=(*first, *second))
    assert [pin.name for pin in third] == ["lib", "new", "plain", "safe"]
    everything = (*first, *second, *third, *second)
    assert locked(world, tmp_path, "old", upgrade="full", platform=platform, previous=everything) == ()


def test_nothing_of_the_host_changes_the_outcome(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".rpmmacros").write_text("%_dbpath /nonexistent\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [pin.name for pin in locked(world, tmp_path, "app")] == ["app", "lib"]
    assert sorted(each.name for each in tmp_path.iterdir()) == [".rpmmacros", "cache"]
    assert [each.name for each in (tmp_path / "cache").iterdir()] == ["linux-amd64"]


def test_what_a_repository_has_anew_is_seen_at_once(world: World, tmp_path: Path) -> None:
    tree = world.base(AMD64).with_file("/etc/dnf/vars/flavour", b"fresh")
    for version in ("1.0", "1.1"):
        rpms.repository(world.folder / "9/x86_64/fresh", [Rpm("news", version)], "x86_64")
        assert brief(locked(world, tmp_path, "news", base=tree)) == [f"news-{version}-1.x86_64"]
    (world.folder / "9/x86_64/fresh/repodata/repomd.xml").unlink()
    assert isinstance(refusal(world, tmp_path, "news", base=tree), WorkFailed)


def test_platforms_are_resolved_at_the_same_time(world: World, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(locked, world, tmp_path, "app", platform=each)
            for each in (AMD64, ARM64, AMD64, ARM64)
        ]
    assert [len(job.result()) for job in jobs] == [2, 2, 2, 2]


# What goes wrong


def refusal(world: World, tmp_path: Path, *packages: str, base: Tree | None = None) -> BicError:
    with pytest.raises(BicError) as caught:
        locked(world, tmp_path, *packages, base=base)
    return caught.value


def test_packages_that_are_not_there_are_named_with_near_ones(world: World, tmp_path: Path) -> None:
    error = refusal(world, tmp_path, "apps", "app", "lib-9.9")
    assert isinstance(error, InputInvalid)
    assert [(fault.message, fault.hint) for fault in error.faults] == [
        ("no repository of the base has the package `apps`", "near: `app`"),
        ("no repository of the base has the package `lib-9.9`", "near: `lib-2.1-1`, `lib-2.2-1`"),
    ]


def test_packages_that_cannot_be_installed_are_explained(world: World, tmp_path: Path) -> None:
    error = refusal(world, tmp_path, "broken")
    assert isinstance(error, WorkFailed)
    assert any("nobody-has-this" in note for note in error.faults[0].notes)


def test_a_repository_that_cannot_be_reached_is_a_failure_even_where_it_may_be_skipped(
    world: World, tmp_path: Path
) -> None:
    tree = world.base(AMD64).with_file("/etc/dnf/vars/flavour", b"sour")
    error = refusal(world, tmp_path, "app", base=tree)
    assert isinstance(error, WorkFailed)
    assert f"fruits: {world.url}/9/x86_64/sour" in error.faults[0].notes


def test_a_repository_inside_the_base_is_refused(world: World, tmp_path: Path) -> None:
    text = "[local]\nname=local\nbaseurl=file:///srv/packages\n"
    tree = world.base(AMD64).with_file("/etc/yum.repos.d/local.repo", text.encode())
    error = refusal(world, tmp_path, "app", base=tree)
    assert isinstance(error, InputInvalid)
    assert "`file:///srv/packages`" in error.faults[0].message


def test_a_base_without_rpm_is_refused(world: World, tmp_path: Path) -> None:
    assert isinstance(refusal(world, tmp_path, "app", base=Tree()), InputInvalid)


def test_a_database_that_the_hosts_rpm_cannot_read_is_no_empty_one(world: World, tmp_path: Path) -> None:
    tree = Tree({"/usr/lib/sysimage/rpm/Packages.db": b"RpmP" + bytes(4092)})
    assert isinstance(refusal(world, tmp_path, "app", base=tree), HostLacking)


# Checksums and signatures


def another(world: World, *lines: str) -> Tree:
    """The base with `other` for its only repository."""
    text = "\n".join(["[other]", "name=other", f"baseurl={world.url}/other", *lines, ""])
    return world.base(AMD64).with_file("/etc/yum.repos.d/fruits.repo", text.encode())


@pytest.fixture(scope="module")
def signed(world: World) -> Iterator[Tree]:
    """A base that trusts the key of a repository with one signed package and one that is not."""
    home = world.folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = (probes.program("gpg"), "--homedir", str(home), "--batch", "--quiet")
    rpms.run(*gpg, "--passphrase", "", "--quick-gen-key", "tests", "rsa2048", "sign", "never")
    key = rpms.run(*gpg, "--armor", "--export", "tests")
    folder = world.folder / "other"
    paths = [rpms.build(Rpm(name, "1.0"), "x86_64", folder) for name in ("sealed", "bare")]
    macros = ("_gpg_name tests", f"_gpg_path {home}", f"__gpg {gpg[0]}")
    defines = (word for macro in macros for word in ("--define", macro))
    rpms.run(probes.program("rpmsign"), *defines, "--addsign", str(paths[0]))
    rpms.run(probes.program("createrepo_c"), "--quiet", "--checksum", "sha512", str(folder))
    tree = another(world, "gpgcheck=1", "gpgkey=file:///etc/pki/tests/key")
    yield tree.with_file("/etc/pki/tests/key", key.encode())
    rpms.run(probes.program("gpgconf"), "--homedir", str(home), "--kill", "all")


def test_signed_packages_are_locked_with_their_sha256(world: World, signed: Tree, tmp_path: Path) -> None:
    (pin,) = locked(world, tmp_path, "sealed", base=signed)
    content = (world.folder / "other/sealed-1.0-1.x86_64.rpm").read_bytes()
    assert (pin.sha256, pin.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_packages_without_the_signature_that_their_repository_wants_are_refused(
    world: World, signed: Tree, tmp_path: Path
) -> None:
    error = refusal(world, tmp_path, "bare", "sealed", base=signed)
    assert isinstance(error, WorkFailed)
    assert error.faults[0].notes == ("bare-1.0-1.x86_64.rpm: digests SIGNATURES NOT OK",)


def test_packages_signed_with_a_key_that_nobody_named_are_refused(
    world: World, signed: Tree, tmp_path: Path
) -> None:
    error = refusal(world, tmp_path, "sealed", base=another(world, "gpgcheck=1"))
    assert isinstance(error, WorkFailed)
    assert error.faults[0].message == "packages are not signed with a key of their repository"


def test_signatures_are_not_asked_for_where_the_base_does_not(
    world: World, signed: Tree, tmp_path: Path
) -> None:
    pins = locked(world, tmp_path, "bare", base=another(world, "gpgcheck=0"))
    content = (world.folder / "other/bare-1.0-1.x86_64.rpm").read_bytes()
    assert [pin.sha256 for pin in pins] == [hashlib.sha256(content).hexdigest()]
