"""What this machine can do for a build: the driver and the architectures, found out by trying.

`probe_host` takes less than 0.1 s; whoever builds asks once and keeps the answer. Effects: starts programs
that work in a temporary folder, which is removed again; the user's own container store is neither read nor
written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from attrs import frozen

from bic.engine.doctor import binfmt
from bic.engine.doctor.machine import Host
from bic.errors import HostLacking
from bic.process import Completed
from bic.process.packages import how_to_get

__all__ = ["Driver", "Host", "HostFacts", "probe_host"]

Driver = Literal["overlay", "fuse-overlayfs", "vfs"]

CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where Debian, Fedora, older Red Hat, SUSE and Alpine keep their bundle."""

# A lower file must show through (buildah#1831: overlay on overlay may give an empty root), a write must go
# up, and a removal must leave a whiteout, which is what layers are made from.
TRY = """
cd "$1" && mkdir lower upper work merged && echo lower >lower/file || exit 1
{mount} || exit 1
test -f merged/file && echo upper >merged/new && rm merged/file && test -e upper/new && {whiteout}
result=$?
{umount}
rm -rf lower upper work merged
exit $result
"""
OPTIONS = "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work"


@frozen
class HostFacts:
    """What was chosen for this machine.

    `emulated` holds the OCI architectures that run by emulation, without the native one. `ca_bundle` is the
    host's bundle of trusted certificates, `buildah` the program's path.
    """

    rootless: bool
    driver: Driver
    emulated: frozenset[str]
    ca_bundle: str | None
    buildah: str
    architecture: str

    def runs(self, architecture: str) -> bool:
        """Whether programs of an OCI architecture can be executed here, natively or emulated."""
        return architecture == self.architecture or architecture in self.emulated


def probe_host(host: Host | None = None, *, store: str | None = None) -> HostFacts:
    """The choices for a build whose container store lies (or will lie) in `store`; raises `HostLacking`.

    Driver: native overlay if a mount on the store's volume really works, else fuse-overlayfs, else vfs.
    """
    host = host or Host.here()
    buildah = host.which("buildah")
    if buildah is None:
        raise HostLacking("the program is not installed: `buildah`", hint=how_to_get("buildah"))
    return HostFacts(
        rootless=host.rootless,
        driver=choose_driver(host, store or host.store),
        emulated=binfmt.emulated(host),
        ca_bundle=find_ca_bundle(host),
        buildah=buildah,
        architecture=binfmt.native(host),
    )


def choose_driver(host: Host, store: str) -> Driver:
    """The fastest driver that works on the volume of `store`."""
    if try_overlay(host, store).returncode == 0:
        return "overlay"
    if has_fuse(host) and try_fuse(host, store).returncode == 0:
        return "fuse-overlayfs"
    return "vfs"


def find_ca_bundle(host: Host) -> str | None:
    """The host's bundle: SSL_CERT_FILE where it names a file, else the usual places."""
    candidates = (host.env.get("SSL_CERT_FILE", ""), *CA_BUNDLES)
    return next((path for path in candidates if path and host.path(path).is_file()), None)


def try_overlay(host: Host, store: str) -> Completed:
    """Mount an overlay, write and remove in it, in the namespaces that a build would have."""
    # Without userxattr only the initial namespace may set overlayfs' own attributes (kernel 5.11).
    extra = ",userxattr" if host.rootless or host.in_user_namespace else ""
    mount = f"mount -t overlay overlay -o {OPTIONS}{extra} merged"
    return _try(host, store, mount, "test -c upper/file", "umount merged")


def try_fuse(host: Host, store: str) -> Completed:
    """The same through fuse-overlayfs, whose whiteout may be a device or a `.wh.` file."""
    whiteout = "{ test -c upper/file || test -e upper/.wh.file; }"
    return _try(host, store, f"fuse-overlayfs -o {OPTIONS} merged", whiteout, "umount merged")


def has_fuse(host: Host) -> bool:
    """Whether fuse-overlayfs is there, and `/dev/fuse` may be opened."""
    device = host.path("/dev/fuse")
    return host.which("fuse-overlayfs") is not None and os.access(device, os.R_OK | os.W_OK)


def _try(host: Host, store: str, mount: str, whiteout: str, umount: str) -> Completed:
    with scratch_folder(host, store) as folder:
        script = TRY.format(mount=mount, whiteout=whiteout, umount=umount)
        done = host.inside("sh", "-c", script, "sh", str(folder))
        if any(folder.iterdir()):
            # The script was stopped: what it left may belong to ids of the namespace.
            host.inside("rm", "-rf", *(str(entry) for entry in folder.iterdir()))
        return done


@contextmanager
def scratch_folder(host: Host, store: str) -> Iterator[Path]:
    """A private folder on the volume of the store, removed at the end as far as this user may."""
    above = host.path(host.existing(store))
    usual = Path(host.env.get("TMPDIR") or tempfile.gettempdir())
    same_volume = usual.is_dir() and usual.stat().st_dev == above.stat().st_dev
    place = above if os.access(above, os.W_OK) and not same_volume else usual
    folder = Path(tempfile.mkdtemp(prefix="bic-doctor-", dir=place))
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
