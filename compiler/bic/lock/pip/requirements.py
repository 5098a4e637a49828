"""The requirements file that a build installs from: offline, exact, checked by hash."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from bic.lock.model import PackagePin


def requirements(pins: Iterable[PackagePin], directory_of: Callable[[PackagePin], str]) -> str:
    """The text for `pip install --require-hashes -r`; the same pins give the same bytes.

    `directory_of` names the directory that pip finds a pin's wheel in, under the wheel's own file name.
    """
    ordered = sorted(pins, key=lambda pin: (pin.name, pin.version))
    places = sorted({directory_of(pin) for pin in ordered})
    lines = [
        "--no-index",
        *(f"--find-links {shlex.quote(place)}" for place in places),
        *(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}" for pin in ordered),
    ]
    return "\n".join(lines) + "\n"
