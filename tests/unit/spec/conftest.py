"""Loading texts as specs: what comes out, or the faults as `line:column message (hint)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bic.errors import Fault, InputInvalid
from bic.spec.load import load_all
from bic.spec.model import Spec
from bic.spec.workspace import Workspace

HEAD = 'bic = 1\nimage = { name = "a/b", platforms = ["linux/amd64"] }\nbase = { scratch = true }\n'
"""Three lines that make a spec of whatever follows."""

Files = Mapping[str, str | bytes]
Load = Callable[..., Spec]
FaultsOf = Callable[..., list[Fault]]


@pytest.fixture
def load(make_workspace: Callable[[Files], Workspace]) -> Load:
    """The spec of a text after `HEAD`; further files by path."""

    def load(text: str, files: Files | None = None, head: str = HEAD) -> Spec:
        workspace = make_workspace({**(files or {}), "specs/a.toml": head + text})
        return load_all(workspace, ["a"])["a"]

    return load


@pytest.fixture
def faults_of(make_workspace: Callable[[Files], Workspace]) -> FaultsOf:
    """All faults of a text after `HEAD`; there must be some."""

    def faults_of(text: str | bytes, files: Files | None = None, head: str = HEAD) -> list[Fault]:
        content = head + text if isinstance(text, str) else text
        workspace = make_workspace({**(files or {}), "specs/a.toml": content})
        with pytest.raises(InputInvalid) as caught:
            load_all(workspace, ["a"])
        assert caught.value.code == 2
        return list(caught.value.faults)

    return faults_of


@pytest.fixture
def fault_of(faults_of: FaultsOf) -> Callable[..., Fault]:
    """The one fault of a text after `HEAD`."""

    def fault_of(text: str | bytes, files: Files | None = None, head: str = HEAD) -> Fault:
        faults = faults_of(text, files, head)
        assert len(faults) == 1, faults
        return faults[0]

    return fault_of
