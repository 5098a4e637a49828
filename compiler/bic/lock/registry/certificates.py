"""CAs in containers-certs.d(5), put together with the host's for crane, which knows one file alone.

Effects: reads files. Client certificates (`*.cert`, `*.key`) are not for crane: it cannot present them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SYSTEM = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))
BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
    Path("/etc/ssl/cert.pem"),
)
"""Where distributions keep the host's CAs; the first that is there counts."""


def bundle(host: str, environment: Mapping[str, str], system: tuple[Path, ...] = SYSTEM) -> bytes | None:
    """The host's CAs and those of certs.d for `HOST[:PORT]`; None where certs.d has none for it."""
    user = Path(environment.get("HOME") or "/nonexistent") / ".config/containers/certs.d"
    folder = next((each / host for each in (user, *system) if os.path.isdir(each / host)), None)  # noqa: PTH112
    own = [text for path in sorted(folder.glob("*.crt")) if (text := _read(path))] if folder else []
    return b"\n".join((_common(environment), *own)) if own else None


def _common(environment: Mapping[str, str]) -> bytes:
    chosen = environment.get("SSL_CERT_FILE")
    places = (Path(chosen),) if chosen else BUNDLES
    return next((text for path in places if (text := _read(path))), b"")


def _read(path: Path) -> bytes:
    """What cannot be read is left out, as the container tools do; then TLS fails, and says so."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
