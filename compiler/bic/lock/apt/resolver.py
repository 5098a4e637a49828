"""The exact closure of an apt step: what apt itself would fetch, with hashes, for any architecture."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from attrs import frozen

from bic.errors import Fault, InputInvalid, WorkFailed
from bic.lock.apt.private import Apt, Cache, errors, private_apt
from bic.lock.apt.sources import Root
from bic.lock.apt.stanza import NAME, fields, merged, stanzas
from bic.lock.model import PackagePin
from bic.process import Completed

_URI = re.compile(r"^'([^']+)' (\S+) (\d+)")

KEPT_PRIORITY = 995
"""Of versions that an earlier lock has: above every archive's, below what would downgrade."""

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "essential": ("?essential",),
    "apt": ("?essential", "apt"),
    "required": ("?essential", "?priority(required)"),
    "minbase": ("?essential", "?priority(required)", "apt"),
    "important": ("?essential", "?priority(required)", "?priority(important)", "apt"),
    "standard": (
        "?essential",
        "?priority(required)",
        "?priority(important)",
        "?priority(standard)",
        "apt",
    ),
}
"""What the variants of a bootstrap begin with, as mmdebstrap has them."""


@frozen
class AptRequest:
    """What a step asks for; `upgrade` is "none", "safe" or "full"."""

    packages: tuple[str, ...]
    upgrade: str = "none"
    recommends: bool = False


@frozen
class Resolved:
    """The packages to install, and the stanza that describes each, by sha256."""

    packages: tuple[PackagePin, ...]
    stanzas: Mapping[str, str]


def resolve(
    request: AptRequest, root: Root, architecture: str, cache: Cache, previous: Iterable[PackagePin] = ()
) -> Resolved:
    """The closure of the request on the root; versions of `previous` are kept where they still serve.

    Raises `InputInvalid` for packages that are not there, `WorkFailed` where archives cannot be reached.
    """
    with private_apt(root, architecture, cache) as apt:
        apt.prefer(_preferences(previous))
        found: dict[str, PackagePin] = {}
        described: dict[str, str] = {}
        for words in _transactions(request):
            pins = _planned(apt, request, words)
            described.update(_describe(apt, pins))
            found.update({pin.name: _hashed(pin, described) for pin in pins})
            apt.set_status(merged(root.status, {name: described[name] for name in found}))
    packages = tuple(found[name] for name in sorted(found))
    return Resolved(packages, {pin.sha256: described[pin.name] for pin in packages})


def _preferences(previous: Iterable[PackagePin]) -> str:
    return "\n".join(
        f"Package: {pin.name}\nPin: version {pin.version}\nPin-Priority: {KEPT_PRIORITY}\n"
        for pin in previous
    )


def _transactions(request: AptRequest) -> Iterable[tuple[str, ...]]:
    upgrades = {"safe": "upgrade", "full": "dist-upgrade"}
    if request.upgrade in upgrades:
        yield (upgrades[request.upgrade],)
    if request.packages:
        yield ("install", "--", *request.packages)


def _planned(apt: Apt, request: AptRequest, words: tuple[str, ...]) -> list[PackagePin]:
    """What a transaction would fetch; hashes are still to be filled in."""
    recommends = "true" if request.recommends else "false"
    done = apt.get("-o", f"APT::Install-Recommends={recommends}", "--print-uris", *words, check=False)
    if done.returncode:
        raise _refused(apt, request, done)
    return [pin for line in done.stdout.decode().splitlines() if (pin := _pin(line)) is not None]


def _pin(line: str) -> PackagePin | None:
    match = _URI.match(line)
    if match is None:
        return None
    name, version, architecture = match[2].removesuffix(".deb").split("_", 2)
    return PackagePin(name, unquote(version), architecture, int(match[3]), "", match[1])


def _describe(apt: Apt, pins: list[PackagePin]) -> dict[str, str]:
    """The index's stanza of each package, by name."""
    if not pins:
        return {}
    done = apt.cache("show", "--", *(f"{pin.name}={pin.version}" for pin in pins))
    wanted = {(pin.name, pin.version): pin for pin in pins}
    found: dict[str, str] = {}
    for stanza in stanzas(done.stdout.decode("utf-8", "replace")):
        values = fields(stanza)
        pin = wanted.get((values.get(NAME, ""), values.get("Version", "")))
        if pin is not None and values.get("Filename") and pin.url.endswith(_quoted_name(values["Filename"])):
            found.setdefault(pin.name, stanza)
    missing = [pin.name for pin in pins if pin.name not in found]
    if missing:
        raise WorkFailed(f"apt does not describe what it would fetch: {', '.join(missing)}")
    return found


def _quoted_name(filename: str) -> str:
    return filename.rsplit("/", 1)[-1].replace("+", "%2b").replace("~", "%7e").replace("^", "%5e")


def _hashed(pin: PackagePin, described: Mapping[str, str]) -> PackagePin:
    values = fields(described[pin.name])
    sha256 = values.get("SHA256", "")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise WorkFailed(f"the archive gives no SHA256 for `{pin.name}` {pin.version}")
    return PackagePin(pin.name, pin.version, pin.architecture, pin.size, sha256, unquote(pin.url))


def _refused(apt: Apt, request: AptRequest, done: Completed) -> InputInvalid | WorkFailed:
    """Why apt has no plan, in terms of the step."""
    said = errors(done)
    faults: list[Fault] = []
    for line in said:
        if match := re.search(r"Unable to locate package (\S+)|Couldn't find any package .* '([^']+)'", line):
            name = (match[1] or match[2]).strip()
            faults.append(
                Fault(f"there is no package `{name}` in the base's archives", hint=_near(apt, name))
            )
        elif match := re.search(r"Version '([^']+)' for '([^']+)' was not found", line):
            there = _versions(apt, match[2])
            hint = f"there is {', '.join(there)}" if there else "no version of it is there"
            faults.append(Fault(f"there is no `{match[2]}={match[1]}` in the base's archives", hint=hint))
    if faults:
        return InputInvalid(*dict.fromkeys(faults))
    asked = " ".join(request.packages) or f"upgrade {request.upgrade}"
    lines = [line for line in done.tail.splitlines() if " : Depends: " in line or "Conflicts:" in line]
    return WorkFailed(
        Fault(f"apt cannot install `{asked}` on this base", notes=tuple((lines or said or [done.tail])[-8:]))
    )


def _near(apt: Apt, name: str) -> str | None:
    names = apt.cache("pkgnames", name[:2]).stdout.decode().split()
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else None


def _versions(apt: Apt, name: str) -> list[str]:
    lines = apt.cache("madison", name).stdout.decode().splitlines()
    return list(dict.fromkeys(line.split("|")[1].strip() for line in lines if line.count("|") == 2))
