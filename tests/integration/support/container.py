"""Programs run in a built image by plain buildah, in a store that nobody else uses."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from .accounts import Completed
from .probes import program


@frozen
class Container:
    """A working container of one platform of an image."""

    store: tuple[str, ...]
    name: str

    def run(self, *argv: str, user: str | None = None) -> Completed:
        """The finished program; `user` is the image's own unless given."""
        options = ("--user", user) if user else ()
        return _run(*self.store, "run", "--isolation", "chroot", *options, self.name, "--", *argv)

    def says(self, *argv: str, user: str | None = None) -> str:
        """What the program prints on stdout, without the last newline, after exit 0."""
        return self.run(*argv, user=user).check().stdout.removesuffix("\n")


@contextmanager
def container(layout: Path, platform: str, directory: Path) -> Iterator[Container]:
    """A container of the image in an OCI layout, gone with its store afterwards."""
    os_name, architecture = platform.split("/")[:2]
    store = (program("buildah"), "--root", f"{directory}/root", "--runroot", f"{directory}/run")
    pull = ("from", "--quiet", "--pull", "--os", os_name, "--arch", architecture, f"oci:{layout}")
    opened = Container(store, _run(*store, *pull).check().stdout.strip())
    try:
        yield opened
    finally:
        _run(*store, "rm", opened.name)
        # Explicit folders above: never the caller's own images.
        _run(*store, "rmi", "--all", "--force")


def _run(*argv: str) -> Completed:
    done = subprocess.run(
        argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, errors="replace", timeout=600
    )
    return Completed(argv, done.returncode, done.stdout, done.stderr)
