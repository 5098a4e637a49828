"""What Debian packages say of themselves, by sha256: from an index, else from the files."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from bic.lock.apt.stanza import text
from bic.lock.model import PackagePin
from bic.lock.store import Store
from bic.oci import files
from bic.process import Command, run


@frozen
class Described:
    """Stanzas in a directory; those that are missing come from the packages themselves."""

    directory: Path
    store: Store

    def stanza(self, pin: PackagePin) -> str:
        path = self.directory / pin.sha256
        if not path.is_file():
            self.keep(pin.sha256, self._read(pin))
        return path.read_text(encoding="utf-8")

    def keep(self, sha256: str, stanza: str) -> None:
        if not (self.directory / sha256).is_file():
            files.place(self.directory / sha256, stanza.strip("\n").encode() + b"\n")

    def _read(self, pin: PackagePin) -> str:
        package = self.store.fetch(pin.url, pin.sha256)
        done = run(Command(("dpkg-deb", "--field", str(package))))
        return done.stdout.decode("utf-8", "replace") or text({"Package": pin.name, "Version": pin.version})
