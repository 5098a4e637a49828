"""The files of an image that tell of its packages, read from its layers in one pass each.

Whiteouts are applied (image-spec 1.1, layer.md); nothing is extracted.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterable

from bic.errors import WorkFailed
from bic.lock.base.files import Tree
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest

KEPT = (
    "/etc/apk/",
    "/etc/apt/",
    "/etc/dnf/",
    "/etc/os-release",
    "/etc/pki/rpm-gpg/",
    "/etc/yum.repos.d/",
    "/etc/yum/",
    "/lib/apk/db/",
    "/usr/lib/os-release",
    "/usr/lib/sysimage/rpm/",
    "/usr/share/keyrings/",
    "/var/lib/dpkg/status",
    "/var/lib/rpm/",
)
"""Where contents are kept; of other files only the links are."""

SMALL = ("pyvenv.cfg",)
"""Names of files that are kept wherever they are."""

LARGEST = 512 * 1024 * 1024

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


def files_of(layout: Layout, manifest: Manifest) -> Tree:
    """What the layers of an image hold of interest, the last one winning."""
    contents: dict[str, bytes] = {}
    links: dict[str, str] = {}
    for layer in manifest.layers:
        try:
            with layout.open_blob(layer) as blob, tarfile.open(fileobj=blob, mode="r|*") as archive:
                _apply(archive, contents, links)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise WorkFailed(f"cannot read the layer `{layer.digest}` of a base: {error}") from error
    return Tree(contents, links)


def _apply(archive: tarfile.TarFile, contents: dict[str, bytes], links: dict[str, str]) -> None:
    written: dict[str, bytes] = {}
    linked: dict[str, str] = {}
    hidden: list[str] = []
    for member in archive:
        path = posixpath.normpath("/" + member.name.lstrip("/"))
        folder, name = posixpath.split(path)
        if name == OPAQUE:
            hidden.append(f"{folder.rstrip('/')}/")
        elif name.startswith(WHITEOUT):
            hidden += _itself_and_below(posixpath.join(folder, name.removeprefix(WHITEOUT)))
        elif member.issym():
            hidden += _itself_and_below(path)
            linked[path] = member.linkname
        elif member.islnk():
            origin = posixpath.normpath("/" + member.linkname.lstrip("/"))
            if origin in written:
                written[path] = written[origin]
        elif member.isfile():
            hidden.append(path)
            if _is_kept(path) and member.size <= LARGEST:
                source = archive.extractfile(member)
                written[path] = source.read() if source else b""
    _hide(hidden, contents)
    _hide(hidden, links)
    contents.update(written)
    links.update(linked)


def _itself_and_below(path: str) -> list[str]:
    return [path, f"{path}/"]


def _hide(hidden: Iterable[str], table: dict[str, object] | dict[str, bytes] | dict[str, str]) -> None:
    exact = {each for each in hidden if not each.endswith("/")}
    below = tuple({each for each in hidden if each.endswith("/")})
    for path in [path for path in table if path in exact or path.startswith(below)]:
        del table[path]


def _is_kept(path: str) -> bool:
    return path.startswith(KEPT) or posixpath.basename(path) in SMALL
