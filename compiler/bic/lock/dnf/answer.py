"""What the solver answered, as values, or as faults that tell what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from bic.errors import BicError, Fault, HostLacking, InputInvalid, WorkFailed


@frozen
class Found:
    """A package file to install; `file` is where it lies where it had to be downloaded already.

    `sha256` is None where the repository tells another checksum. `signed` says that it has to be.
    """

    name: str
    version: str
    architecture: str
    size: int
    url: str
    sha256: str | None
    signed: bool
    file: Path | None


@frozen
class Answer:
    """What is to be installed, and the public keys that the repositories' packages may be signed with."""

    packages: tuple[Found, ...]
    keys: tuple[str, ...]


def parsed(data: dict[str, Any]) -> Answer:
    """The answer; raises what its problem means to the user."""
    if "problem" in data:
        raise _error(data["problem"])
    return Answer(tuple(_found(each) for each in data["packages"]), tuple(data["keys"]))


def _found(data: dict[str, Any]) -> Found:
    return Found(
        name=data["name"],
        version=data["version"],
        architecture=data["architecture"],
        size=data["size"],
        url=data["url"],
        sha256=data["checksum"]["value"] if data["checksum"]["type"] == "sha256" else None,
        signed=data["signed"],
        file=Path(data["file"]) if data["file"] else None,
    )


def _error(problem: dict[str, Any]) -> BicError:
    match problem["kind"]:
        case "missing":
            return InputInvalid(*(_missing(name, near) for name, near in problem["missing"].items()))
        case "unsolvable":
            return WorkFailed(Fault("the packages cannot be installed together", notes=_lines(problem)))
        case "inside":
            message = f"the repository `{problem['repository']}` lies in the base: `{problem['address']}`"
            return InputInvalid(message, hint="packages are resolved outside: give it an address for that")
        case "database":
            message = "this machine's rpm cannot read the base's database of packages"
            return HostLacking(message, hint="its format may need a newer rpm, or one of the base's family")
        case "repository":
            hint = "check the network and the address in the base's repository files; then run it again"
            notes = (*_lines(problem), *_addresses(problem["addresses"]))
            return WorkFailed(Fault("a repository of the base cannot be read", hint=hint, notes=notes))
        case _:
            return WorkFailed(Fault("dnf failed", notes=_lines(problem)))


def _missing(name: str, near: list[str]) -> Fault:
    message = f"no repository of the base has the package `{name}`"
    if not near:
        return Fault(message, hint="which repositories there are is said in the base's /etc/yum.repos.d")
    return Fault(message, hint="near: " + ", ".join(f"`{each}`" for each in near))


def _addresses(repositories: dict[str, list[str]]) -> list[str]:
    return [f"{name}: {' '.join(filter(None, each))}" for name, each in sorted(repositories.items())]


def _lines(problem: dict[str, Any]) -> tuple[str, ...]:
    return tuple(line.strip() for line in str(problem["text"]).splitlines() if line.strip())
