"""The host's apt-get and apt-cache working in a root of their own, for one architecture.

Nothing of the host's apt is read or changed but its keyrings, where a base has none. Lists are shared by all
roots with the same sources and architecture, and fetched once in a run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import field, frozen

from bic.errors import Fault, HostLacking, WorkFailed
from bic.lock.apt import sources
from bic.lock.apt.sources import Root
from bic.lock.exclusive import exclusive
from bic.oci.digest import Digest
from bic.process import Cancel, Command, Completed, environment, run

HOST_KEYS = ("/etc/apt/trusted.gpg.d", "/usr/share/keyrings")

CONFIG = """\
Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::State::lists "{lists}";
Dir::Etc::trustedparts "{keys}";
Dir::Log "/dev/null";
Dir::Bin::dpkg "/bin/false";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
{certificates}"""


@frozen(eq=False)
class Cache:
    """Where lists are kept; `updated` notes which of them this run has fetched already.

    `certificates` is a bundle of CAs that archives are trusted by, besides the host's own ("" for none).
    """

    directory: Path
    offline: bool = False
    cancel: Cancel | None = None
    certificates: str = ""
    updated: set[str] = field(factory=set)


@frozen
class Apt:
    """apt in a private root."""

    root: Path
    cancel: Cancel | None = None

    def get(self, *words: str, check: bool = True) -> Completed:
        return self._run("apt-get", "-q", "-y", *words, check=check)

    def cache(self, *words: str) -> Completed:
        return self._run("apt-cache", *words, check=False)

    def set_status(self, status: str) -> None:
        (self.root / "var/lib/dpkg/status").write_text(status, encoding="utf-8")

    def prefer(self, preferences: str) -> None:
        (self.root / "etc/apt/preferences.d/bic").write_text(preferences, encoding="utf-8")

    def _run(self, *argv: str, check: bool = True) -> Completed:
        env = (("APT_CONFIG", str(self.root / "apt.conf")),)
        return run(Command(argv, env), check=check, cancel=self.cancel)


@contextmanager
def private_apt(root: Root, architecture: str, cache: Cache) -> Iterator[Apt]:
    """apt on the root for one architecture, its lists fresh; raises `HostLacking`, `WorkFailed`."""
    _check_host()
    lists = cache.directory / "lists" / _key(root, architecture)
    with TemporaryDirectory(prefix="bic-apt-") as folder, exclusive(lists.with_suffix(".lock")):
        place = Path(folder)
        _lay_out(root, place, lists)
        (place / "apt.conf").write_text(_config(place, lists, architecture, cache), encoding="utf-8")
        apt = Apt(place, cache.cancel)
        _update(apt, lists, cache)
        yield apt


def _check_host() -> None:
    if shutil.which("apt-get", path=environment()["PATH"]) is None:
        hint = "install apt (Debian, Ubuntu and Fedora have it), or lock on a machine that has it"
        raise HostLacking(Fault("packages of apt steps are resolved by apt, which is not here", hint=hint))


def _key(root: Root, architecture: str) -> str:
    relevant = [architecture, *(f"{path}\0{root.files[path]!r}" for path in sorted(root.files))]
    return Digest.of("\0".join(relevant).encode()).hex[:32]


def _lay_out(root: Root, place: Path, lists: Path) -> None:
    for directory in ("etc/apt/sources.list.d", "etc/apt/preferences.d", "var/cache/apt/archives/partial"):
        (place / directory).mkdir(parents=True)
    for path, content in root.files.items():
        target = place / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if sources.is_source(path):
            content = sources.relocated(content.decode("utf-8", "replace"), str(place)).encode()
        target.write_bytes(content)
    (place / "var/lib/dpkg").mkdir(parents=True)
    (place / "var/lib/dpkg/status").write_text(root.status, encoding="utf-8")
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    if root.host_keys:
        _copy_host_keys(place / "etc/apt/trusted.gpg.d")


def _copy_host_keys(target: Path) -> None:
    """All keys that the host trusts for Debian; each under a name of its own."""
    target.mkdir(exist_ok=True)
    for number, directory in enumerate(map(Path, HOST_KEYS)):
        for path in sorted(directory.glob("*debian*")) if directory.is_dir() else ():
            shutil.copyfile(path, target / f"{number}-{path.name}")


def _config(place: Path, lists: Path, architecture: str, cache: Cache) -> str:
    bundle = cache.certificates
    certificates = f'Acquire::https::CaInfo "{bundle}";\n' if bundle and Path(bundle).is_file() else ""
    return CONFIG.format(
        root=place,
        lists=lists,
        keys=place / "etc/apt/trusted.gpg.d",
        architecture=architecture,
        certificates=certificates,
    )


def _update(apt: Apt, lists: Path, cache: Cache) -> None:
    if lists.name in cache.updated:
        return
    if cache.offline:
        if not any(lists.glob("*_Packages*")):
            raise WorkFailed("the lists of packages are not here", hint="run it once without --offline")
        return
    done = apt.get("-o", "APT::Update::Error-Mode=any", "update", check=False)
    if done.returncode:
        why = _complaints(done) or ["no message"]
        hint = "check the network, the mirror in the base's sources, and the proxy variables"
        raise WorkFailed(Fault("the lists of packages cannot be fetched", hint=hint, notes=tuple(why)))
    cache.updated.add(lists.name)


def _complaints(done: Completed) -> list[str]:
    return [line for line in done.tail.splitlines() if line.startswith(("E:", "W:", "Err:"))][-5:]


def errors(done: Completed) -> list[str]:
    """What apt says is wrong, without its mark."""
    return [line.removeprefix("E:").strip() for line in done.tail.splitlines() if line.startswith("E:")]
