"""Logins in containers-auth.json(5) files, presented to crane, which reads another form and other places.

Effects: reads files. What is read goes into files of mode 0600 alone, and is masked wherever it may be shown.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_HUB_KEY = "https://index.docker.io/v1/"
SHORTEST = 4
"""Characters of a text that is worth masking: shorter ones would mask what is no secret."""


@frozen
class Login:
    """What one auth file says about one repository: an entry of `auths`, or a helper's name."""

    entry: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    helper: str | None = None

    def config(self, host: str) -> dict[str, Any]:
        """A Docker config.json that holds this login alone."""
        key = _HUB_KEY if host in _HUB else host
        if self.helper is not None:
            return {"credHelpers": {key: self.helper}}
        return {"auths": {key: dict(self.entry)}} if self.entry else {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that must not be shown."""
        values = [value for name, value in self.entry if name != "username"]
        texts = (*values, *(_password(value) for name, value in self.entry if name == "auth"))
        return tuple(text for text in texts if len(text) >= SHORTEST)


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode().partition(":")[2].rstrip("\0")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def login(name: str, environment: Mapping[str, str]) -> Login:
    """The login for `HOST/PATH`: of the first file that has one, under the longest key that fits."""
    for path in files(environment):
        if found := _in_file(_read(path), name):
            return found
    return Login()


def files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where logins may be, in the order of the container tools; REGISTRY_AUTH_FILE is all where it is set."""
    if chosen := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(chosen)
        return
    home = Path(environment.get("HOME") or "/nonexistent")
    runtime = environment.get("XDG_RUNTIME_DIR")
    yield Path(runtime or f"/run/containers/{os.geteuid()}") / ("containers" if runtime else "") / "auth.json"
    yield home / ".config/containers/auth.json"
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _in_file(data: Mapping[str, Any], name: str) -> Login | None:
    host = name.partition("/")[0]
    helper = _object(data, "credHelpers").get(host)
    if isinstance(helper, str):
        return Login(helper=helper)
    entry = _entry(_object(data, "auths"), name)
    if entry:
        return Login(tuple(sorted((k, v) for k, v in entry.items() if isinstance(v, str))))
    store = data.get("credsStore")
    return Login(helper=store) if isinstance(store, str) and store else None


def _object(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _entry(auths: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    parts = name.split("/")
    keys = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
    wanted = _registry(parts[0])
    keys += [key for key in auths if _registry(key) == wanted and ("://" in key or "/" not in key)]
    found = (auths[key] for key in keys if key in auths)
    return next((each for each in found if isinstance(each, dict) and each), None)


def _registry(key: str) -> str:
    """The registry that a key of Docker's is for: without scheme and path, Docker Hub under one name."""
    host = key.partition("://")[2] or key
    host = host.partition("/")[0]
    return _HUB[0] if host in _HUB else host
