"""A folder that dnf takes for the base: its database, configuration and keys, and nothing that could run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from bic.errors import InputInvalid
from bic.lock.base.files import Files

DATABASES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
DATABASE = "/var/lib/rpm"
"""Where the folder has its database, wherever the base has it."""

_DATABASE_FILES = re.compile(r"rpmdb\.sqlite(-wal)?|Packages(\.db)?")
"""All else in there is an index or a lock, which is made anew."""

SINGLE = ("/etc/os-release", "/usr/lib/os-release", "/etc/dnf/dnf.conf", "/etc/yum.conf")
FOLDERS = (
    "/etc/yum.repos.d",
    "/etc/yum/repos.d",
    "/etc/distro.repos.d",
    "/usr/share/dnf5/repos.d",
    "/etc/dnf/vars",
    "/etc/yum/vars",
    "/etc/dnf/modules.d",
    "/etc/dnf/modules.defaults.d",
    "/etc/pki/rpm-gpg",
)
_KEY = re.compile(r"file://(/[^\s,]+)")


def lay_out(files: Files, root: Path) -> None:
    """Write what decides a resolution below `root`; `InputInvalid` for a base that knows no RPM packages."""
    _lay_out_database(files, root)
    paths = [*SINGLE, *(f"{folder}/{name}" for folder in FOLDERS for name in files.names(folder))]
    for path in paths:
        _copy(files, path, root, path)
    for path in _keys(root):
        _copy(files, path, root, path)


def _lay_out_database(files: Files, root: Path) -> None:
    (root / DATABASE[1:]).mkdir(parents=True)
    for folder in DATABASES:
        found = [name for name in files.names(folder) if _DATABASE_FILES.fullmatch(name)]
        for name in found:
            _copy(files, f"{folder}/{name}", root, f"{DATABASE}/{name}")
        if found:
            return
    raise InputInvalid(
        "the base has no database of RPM packages",
        hint="a `dnf` step needs a base of Fedora, RHEL or their kin: for others there are `apt` and `apk`",
    )


def _copy(files: Files, source: str, root: Path, path: str) -> None:
    content = files.read(source)
    if content is not None:
        target = root / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _keys(root: Path) -> list[str]:
    """Keys that repositories name; those whose names hold variables lie in the usual folder."""
    texts = (path.read_text("utf-8", "replace") for path in root.rglob("*.repo"))
    found = {path for text in texts for path in _KEY.findall(text)}
    return sorted(path for path in found if "$" not in path and ".." not in path.split("/"))


def release(root: Path) -> str | None:
    """The release as os-release tells it: for bases whose database does not."""
    for name in ("etc/os-release", "usr/lib/os-release"):
        path = root / name
        lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
        for line in lines:
            key, _, value = line.partition("=")
            if key == "VERSION_ID":
                return "".join(shlex.split(value)) or None
    return None
