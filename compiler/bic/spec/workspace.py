"""A workspace: the folder that holds specs/, checks/ and out/."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

from bic.errors import InputInvalid, NothingSelected
from bic.oci.refusal import quote
from bic.spec.near import did_you_mean


@frozen
class Workspace:
    """The root folder (absolute, symbolic links resolved) and the places below it."""

    root: Path

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    @property
    def out(self) -> Path:
        return self.root / "out"

    def build_dir(self, name: str) -> Path:
        """Where `bic compile` and `bic build` write what they make of a spec."""
        return self.out / "build" / name

    def names(self) -> tuple[str, ...]:
        """All specs by name, sorted: every .toml below specs/ that is a spec of its own."""
        return tuple(
            sorted(self._name_of(path) for path in self.specs.rglob("*.toml") if self._is_spec(path))
        )

    def path_of(self, name: str) -> Path:
        return self.specs / f"{name}.toml"

    def has(self, name: str) -> bool:
        return is_name(name) and self._is_spec(self.path_of(name)) and self.path_of(name).is_file()

    def _name_of(self, path: Path) -> str:
        return path.relative_to(self.specs).with_suffix("").as_posix()

    def _is_spec(self, path: Path) -> bool:
        first = path.relative_to(self.specs).parts[0]
        return first not in ("fragments", "procedures") and not path.name.endswith(".lock.toml")

    def select(self, wanted: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
        """The names that the arguments of a command mean: paths or names; none means all."""
        if not wanted:
            names = self.names()
            if not names:
                raise NothingSelected(f"there is no spec in `{self.specs}`", hint="`bic init` makes one")
            return names
        return tuple(dict.fromkeys(self._selected(each, cwd) for each in wanted))

    def _selected(self, wanted: str, cwd: Path) -> str:
        if self.has(wanted):
            return wanted
        path = (cwd / wanted).resolve()
        if path.suffix == ".toml" and path.is_file():
            if not path.is_relative_to(self.specs):
                raise InputInvalid(
                    f"`{wanted}` is not below specs/ of the workspace `{self.root}`",
                    hint="move it there, or call bic from its own workspace",
                )
            return self._name_of(path)
        raise InputInvalid(f"there is no spec called `{wanted}`", hint=did_you_mean(wanted, self.names()))


def is_name(name: str) -> bool:
    """Whether a spec may be called so: it becomes part of paths, of container names and of comments."""
    part = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
    return bool(re.fullmatch(rf"{part}(/{part})*", name))


def refuse_name(name: str, file: str) -> None:
    """Raise `InputInvalid` for a file whose name cannot be a spec's."""
    if not is_name(name):
        hint = "letters, digits, `.`, `_`, `-`, and `/` between folders"
        raise InputInvalid(f"not a name for a spec: {quote(file)}", hint=hint)


def find(start: Path) -> Workspace:
    """The workspace around `start`: the nearest parent with a bic.toml, else with a specs/ folder."""
    start = start.resolve()
    folders = (start, *start.parents)
    for found in (
        next((each for each in folders if (each / "bic.toml").is_file()), None),
        next((each for each in folders if (each / "specs").is_dir()), None),
    ):
        if found is not None:
            return Workspace(found)
    raise InputInvalid(
        f"no workspace here: neither bic.toml nor specs/ in `{start}` or above", hint="`bic init` starts one"
    )
