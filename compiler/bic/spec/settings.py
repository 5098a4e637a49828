"""bic.toml: the settings of a workspace. The file is optional, and so is everything in it."""

from __future__ import annotations

from attrs import frozen

from bic.errors import Fault, InputInvalid
from bic.spec.near import did_you_mean
from bic.spec.toml import LANGUAGE, read
from bic.spec.workspace import Workspace

FILE = "bic.toml"
KEYS = ("bic",)


@frozen
class Settings:
    """What bic.toml says; `language` is the version that it is written in."""

    language: int = LANGUAGE


def settings(workspace: Workspace) -> Settings:
    """The settings of a workspace; `InputInvalid` carries every fault of the file."""
    path = workspace.root / FILE
    if not path.exists():
        return Settings()
    document = read(path, FILE)
    faults: list[Fault] = []
    for key, value in document.data.items():
        if key not in KEYS:
            hint = did_you_mean(key, KEYS)
            faults.append(document.fault((key,), f"unknown key `{key}`", hint, at_key=True))
        elif type(value) is not int or value != LANGUAGE:
            hint = f"this bic reads `bic = {LANGUAGE}`"
            faults.append(document.fault((key,), f"unknown language version `{value}`", hint))
    if faults:
        raise InputInvalid(*faults)
    return Settings()
