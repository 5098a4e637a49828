"""The closure of a `pip` step on one platform: one wheel a package, by hash."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen
from packaging.tags import Tag

from bic.errors import Fault, InputInvalid
from bic.lock.model import PackagePin
from bic.lock.pip import asked, pylock
from bic.lock.pip.failures import no_wheel
from bic.lock.pip.indexes import Indexes, without_credentials
from bic.lock.pip.model import Request, Target
from bic.lock.pip.pylock import Package
from bic.lock.pip.sizes import SizeOf, asking
from bic.lock.pip.tags import tags
from bic.lock.pip.uv import Runner, Uv
from bic.lock.pip.wheel import Chosen, choose
from bic.process import run

PARALLEL = 8


def resolve(
    request: Request,
    target: Target,
    *,
    cache: Path,
    indexes: Indexes | None = None,
    preferences: Iterable[PackagePin] = (),
    upgrade: bool = False,
    offline: bool = False,
    runner: Runner = run,
    size_of: SizeOf | None = None,
) -> tuple[PackagePin, ...]:
    """One wheel for each package that the request leads to on the target, sorted by name.

    Versions of `preferences`, pins of an earlier lock, are kept where they still serve, unless `upgrade`. The
    same index and preferences give the same pins. uv keeps what it heard below `cache`; with `offline`
    nothing else is asked. Raises `InputInvalid` for requirements that cannot be locked or met, `WorkFailed`
    where an index does not answer.
    """
    wanted = asked.read(request)
    if not any(not line.startswith("-") for line in wanted.lines):
        return ()
    indexes = indexes or Indexes()
    known = tuple(preferences)
    uv = Uv(cache, indexes, offline, runner)
    text = uv.resolve(wanted, target, pylock.preferences(() if upgrade else known))
    sizes = {pin.sha256: pin.size for pin in known}
    kept = frozenset() if upgrade else frozenset(sizes)
    chosen = _choose(pylock.packages(text, target), _Choice(wanted, target, tags(target), kept))
    return _pins(chosen, sizes, size_of or asking(indexes, cache, offline=offline))


def _choose(packages: Iterable[Package], choice: _Choice) -> list[tuple[Package, Chosen]]:
    found: list[tuple[Package, Chosen]] = []
    faults: list[Fault] = []
    for package in packages:
        try:
            found.append((package, choice.of(package)))
        except InputInvalid as error:
            faults += error.faults
    if faults:
        raise InputInvalid(*faults)
    return found


@frozen
class _Choice:
    """What wheels are chosen by: the request, the target with its tags, the sha256 of wheels to stay with."""

    wanted: asked.Asked
    target: Target
    tags: tuple[Tag, ...]
    kept: frozenset[str]

    def of(self, package: Package) -> Chosen:
        """The wheel of an earlier lock where it still serves, else the best one."""
        allowed = [each for each in package.wheels if self.wanted.allows(package.name, each.sha256)]
        earlier = choose((each for each in allowed if each.sha256 in self.kept), self.tags)
        chosen = earlier or choose(allowed, self.tags)
        if chosen is None:
            raise self._none(package)
        return chosen

    def _none(self, package: Package) -> InputInvalid:
        which = f"`{package.name}` {package.version}"
        if other := choose(package.wheels, self.tags):
            message = f"no wheel of {which} for {self.target} has a hash that the requirements file allows"
            return InputInvalid(message, hint=f"the best one has `--hash=sha256:{other.wheel.sha256}`")
        if package.unchecked:
            message = f"the index has no sha256, or no address, of {which}"
            return InputInvalid(message, hint="use an index that tells hashes")
        return no_wheel(package.name, package.version, self.target)


def _pins(
    chosen: list[tuple[Package, Chosen]], known: dict[str, int], size_of: SizeOf
) -> tuple[PackagePin, ...]:
    def pin(each: tuple[Package, Chosen]) -> PackagePin:
        package, wheel, tag = each[0], each[1].wheel, each[1].tag
        size = wheel.size or known.get(wheel.sha256) or size_of(wheel)
        url = without_credentials(wheel.url)
        return PackagePin(package.name, package.version, tag.platform, size, wheel.sha256, url)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return tuple(sorted(pool.map(pin, chosen), key=lambda each: each.name))
