"""Throw-away bic workspaces, and bic's real command line run in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from .accounts import Account, Completed


@frozen
class Workspace:
    """A folder that `account` owns, with `specs/`; `env` goes to every run of bic there.

    Each workspace has caches and storage of its own: nothing that one test built can help or harm another.
    """

    root: Path
    account: Account
    env: Mapping[str, str] = field(factory=dict)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Writes files by their path in the workspace, owned by its account."""
        for name, content in files.items():
            path = self.root / name
            missing = [folder for folder in path.parents if not folder.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            for entry in (*missing, path):
                self.account.own(entry)

    def spec(self, name: str, text: str) -> Path:
        """Writes `specs/NAME.toml`; its path."""
        self.write({f"specs/{name}.toml": text})
        return self.root / f"specs/{name}.toml"

    def bic(
        self,
        *words: str | Path,
        user: Account | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 900,
    ) -> Completed:
        """`bic WORDS…` in the workspace, finished."""
        who = user or self.account
        return who.run((who.bic, *words), self.root, self.environment(env), timeout)

    def start(self, *words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """`bic WORDS…`, started only, in a process group of its own: for tests that interrupt and kill."""
        return self.account.start((self.account.bic, *words), self.root, self.environment(env))

    def json(self, *words: str | Path, env: Mapping[str, str] | None = None) -> Any:
        """What `bic WORDS… --json` prints, after exit 0."""
        return json.loads(self.bic(*words, "--json", env=env).check().stdout)

    def layout(self, spec: str) -> Path:
        """Where `bic build` leaves the image of that spec."""
        return self.root / "out/build" / spec / "image"

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """What every command of the workspace sees on top of its account's environment."""
        state = self.root / ".state"
        own = {f"XDG_{kind}_HOME": str(state / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        return {**own, "TMPDIR": str(state / "tmp"), **self.env, **(env or {})}


def make_workspace(root: Path, account: Account, env: Mapping[str, str] | None = None) -> Workspace:
    """An empty workspace at `root`, which must not exist yet."""
    for folder in ("specs", ".state/tmp"):
        (root / folder).mkdir(parents=True)
    account.own(root)
    return Workspace(root, account, dict(env or {}))
