"""What this machine can do for a build: `probe_host` chooses driver, isolation and foreign architectures.

`Host` is the only way to the machine: files below a root, an environment, programs. So all of it, and the whole
doctor, is tested with a folder of files and small programs on PATH. Effects: reads the machine, and starts
programs that work in a temporary folder which is removed again.
"""

from __future__ import annotations

import os
import platform
import pwd
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from bic.engine import binfmt
from bic.errors import HostLacking
from bic.process import Command, Completed, environment, run
from bic.process.packages import how_to_get

Driver = Literal["overlay", "fuse-overlayfs", "vfs"]
Isolation = Literal["chroot", "oci", "rootless"]

CAP_SYS_ADMIN = 21
CAP_SETFCAP = 31

CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where Debian, Fedora, older Red Hat, SUSE and Alpine keep their bundle."""
