"""Closures of `dnf` steps: exactly the package files that dnf would install on a base."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from bic.lock.base.files import Files
from bic.lock.dnf import signatures
from bic.lock.dnf.answer import Answer, Found, parsed
from bic.lock.dnf.host import ask
from bic.lock.dnf.request import DnfRequest, architecture
from bic.lock.dnf.root import lay_out, release
from bic.lock.model import PackagePin
from bic.oci.platform import Platform
from bic.process import Cancel

Fetch = Callable[[PackagePin], Path]
"""Gives the file of a pin, its sha256 checked."""


def resolve(
    request: DnfRequest,
    files: Files,
    platform: Platform,
    cache: Path,
    previous: tuple[PackagePin, ...] = (),
    *,
    fetch: Fetch | None = None,
    cancel: Cancel | None = None,
) -> tuple[PackagePin, ...]:
    """What dnf would install on the base for this request, sorted by name; nothing where all is there.

    `previous` are the pins of earlier steps on the same base, in their order: they count as installed, and
    `fetch` gives their files. `cache` keeps the metadata of repositories and the package files that had to
    be downloaded; one platform may be resolved beside another. No program of the platform is run.

    Raises `InputInvalid` for packages that are not there, `WorkFailed` for a repository that cannot be read
    and packages that go not together or are not signed as they should be, `HostLacking` without dnf.
    """
    assert fetch is not None or not previous
    kept = cache / platform.slug
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="resolve-", dir=cache) as temporary:
        folder, root = Path(temporary), Path(temporary, "root")
        lay_out(files, root)
        question = {
            "root": str(root),
            "cache": str(kept.absolute()),
            "arch": architecture(platform),
            "releasever": release(root),
            "packages": list(request.packages),
            "upgrade": request.upgrade,
            "installed": [str(fetch(pin)) for pin in previous] if fetch else [],
        }
        answer = parsed(ask(question, folder, cancel))
        _check_signatures(answer, folder, root, cancel)
        return tuple(sorted(map(_pin, answer.packages), key=lambda pin: (pin.name, pin.architecture)))


def _check_signatures(answer: Answer, folder: Path, root: Path, cancel: Cancel | None) -> None:
    signed = tuple(each.file for each in answer.packages if each.signed and each.file is not None)
    signatures.check(signed, answer.keys, folder, root, cancel)


def _pin(found: Found) -> PackagePin:
    sha256 = found.sha256 or _sha256(found)
    return PackagePin(found.name, found.version, found.architecture, found.size, sha256, found.url)


def _sha256(found: Found) -> str:
    assert found.file is not None
    with found.file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
