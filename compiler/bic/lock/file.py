"""specs/<name>.lock.toml: stable text, read strictly and written atomically."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bic import COMPATIBILITY, __version__
from bic.errors import InputInvalid, Malformed
from bic.lock.model import VERSION, FilePin, ImagePin, Lock, PlatformPin
from bic.oci.digest import Digest
from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.oci.refusal import quote
from bic.spec import values
from bic.spec.toml import read as read_toml

HEADER = "# Written by `bic lock`. Commit it; do not edit it.\n"


def path_of(spec: Path) -> Path:
    """The lock beside a spec: `python.toml` has `python.lock.toml`."""
    return spec.with_suffix(".lock.toml")


def read(path: Path, file: str) -> Lock | None:
    """The lock at `path`, None if there is none; `InputInvalid` for one that bic did not write so."""
    if not path.exists():
        return None
    document = read_toml(path, file)
    version = document.data.get("lock")
    if type(version) is not int or version != VERSION:
        hint = "delete the file and run `bic lock`, or use the bic that wrote it"
        raise InputInvalid(document.fault(("lock",), f"unknown version of the lock `{version}`", hint))
    try:
        return _lock(document.data)
    except Malformed as error:
        hint = "delete the file and run `bic lock`"
        message = f"`{file}` is not a lock that bic wrote: {error.message}"
        raise InputInvalid(document.fault((), message, hint)) from error


def _lock(data: dict[str, Any]) -> Lock:
    _only(data, "lock", "emitter", "spec", "image", "file")
    images = tuple(_image(each) for each in _tables(data, "image"))
    files = tuple(_file(each) for each in _tables(data, "file"))
    _unique([str(pin.reference) for pin in images] + [pin.url for pin in files])
    return Lock(Digest.parse(_text(data, "spec")), images, files)


def _image(data: dict[str, Any]) -> ImagePin:
    _only(data, "reference", "digest", "platform")
    platforms = tuple(_platform(each) for each in _tables(data, "platform"))
    _unique([str(pin.platform) for pin in platforms])
    return ImagePin(Reference.parse(_text(data, "reference")), Digest.parse(_text(data, "digest")), platforms)


def _platform(data: dict[str, Any]) -> PlatformPin:
    _only(data, "platform", "manifest", "user", "workdir", "env")
    return PlatformPin(
        Platform.parse(_text(data, "platform")),
        Digest.parse(_text(data, "manifest")),
        _texts(data, "env"),
        _text(data, "user", ""),
        _text(data, "workdir", ""),
    )


def _file(data: dict[str, Any]) -> FilePin:
    _only(data, "url", "sha256")
    return FilePin(values.url(_text(data, "url")), values.sha256(_text(data, "sha256")))


def _only(data: dict[str, Any], *known: str) -> None:
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise Malformed(f"unknown key {quote(unknown[0])}")


def _unique(names: list[str]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise Malformed(f"pinned twice: {quote(twice[0])}")


def _text(data: dict[str, Any], key: str, default: str | None = None) -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise Malformed(f"`{key}` is no string")
    return value


def _texts(data: dict[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Malformed(f"`{key}` is no array of strings")
    return tuple(value)


def _tables(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Malformed(f"`{key}` is no array of tables")
    return value


def text(lock: Lock) -> str:
    """The text of a lock: the same lock gives the same bytes."""
    data: dict[str, Any] = {
        "lock": VERSION,
        "emitter": f"bic {__version__}, compatibility {COMPATIBILITY}",
        "spec": str(lock.spec),
    }
    import tomli_w  # only for writing

    images = sorted(lock.images, key=lambda pin: str(pin.reference))
    if images:
        data["image"] = [_image_data(pin) for pin in images]
    if lock.files:
        data["file"] = [
            {"url": pin.url, "sha256": pin.sha256} for pin in sorted(lock.files, key=lambda pin: pin.url)
        ]
    return HEADER + tomli_w.dumps(data, multiline_strings=False)


def _image_data(pin: ImagePin) -> dict[str, Any]:
    platforms = [_platform_data(each) for each in sorted(pin.platforms, key=lambda each: str(each.platform))]
    return {"reference": str(pin.reference), "digest": str(pin.digest), "platform": platforms}


def _platform_data(pin: PlatformPin) -> dict[str, Any]:
    data: dict[str, Any] = {"platform": str(pin.platform), "manifest": str(pin.manifest)}
    if pin.user:
        data["user"] = pin.user
    if pin.workdir:
        data["workdir"] = pin.workdir
    if pin.env:
        data["env"] = list(pin.env)
    return data


def write(path: Path, lock: Lock) -> bool:
    """Write the lock if its text differs; true when it did. Readers see the old text or the new one."""
    wanted = text(lock)
    if path.exists() and path.read_text(encoding="utf-8") == wanted:
        return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(wanted)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True
