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
    if version != VERSION:
        hint = "delete the file and run `bic lock`, or use the bic that wrote it"
        raise InputInvalid(document.fault(("lock",), f"unknown version of the lock `{version}`", hint))
    try:
        return _lock(document.data)
    except (KeyError, TypeError, AttributeError, Malformed) as error:
        reason = error.message if isinstance(error, Malformed) else f"{error!r}"
        hint = "delete the file and run `bic lock`"
        raise InputInvalid(
            document.fault((), f"`{file}` is not a lock that bic wrote: {reason}", hint)
        ) from error


def _lock(data: dict[str, Any]) -> Lock:
    return Lock(
        spec=Digest.parse(data["spec"]),
        images=tuple(_image(each) for each in data.get("image", [])),
        files=tuple(FilePin(each["url"], each["sha256"]) for each in data.get("file", [])),
    )


def _image(data: dict[str, Any]) -> ImagePin:
    platforms = tuple(
        PlatformPin(
            Platform.parse(each["platform"]),
            Digest.parse(each["manifest"]),
            tuple(each.get("env", [])),
            each.get("user", ""),
            each.get("workdir", ""),
        )
        for each in data["platform"]
    )
    return ImagePin(Reference.parse(data["reference"]), Digest.parse(data["digest"]), platforms)


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
