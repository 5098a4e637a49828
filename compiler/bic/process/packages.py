"""Which Debian package brings a program: for hints only."""

from __future__ import annotations

from pathlib import PurePath

DEBIAN = {
    "buildah": "buildah",
    "busybox": "busybox-static",
    "crun": "crun",
    "dpkg": "dpkg",
    "fuse-overlayfs": "fuse-overlayfs",
    "git": "git",
    "gpg": "gnupg",
    "gpgv": "gpgv",
    "mmdebstrap": "mmdebstrap",
    "newgidmap": "uidmap",
    "newuidmap": "uidmap",
    "qemu-aarch64-static": "qemu-user-static",
    "runc": "runc",
    "skopeo": "skopeo",
    "tar": "tar",
    "unshare": "util-linux",
    "update-binfmts": "binfmt-support",
    "zstd": "zstd",
}

ELSEWHERE = {
    "crane": "install `crane` from the releases of google/go-containerregistry, or `apt-get install skopeo`",
    "shellcheck": "`pip install 'bic[lint]'`, or on Debian or Ubuntu: `apt-get install shellcheck`",
}


def how_to_get(program: str) -> str:
    """What to do about a missing program, naming the Debian package where it is known."""
    name = PurePath(program).name
    if name in DEBIAN:
        return f"on Debian or Ubuntu: `apt-get install {DEBIAN[name]}`"
    return ELSEWHERE.get(name, f"install `{name}`, or put its folder on PATH")
