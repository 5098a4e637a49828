"""One request to the default registry, for the probes that may ask the network."""

from __future__ import annotations

import email.utils
import http.client
import ssl
import time
import urllib.parse
from typing import Any

from attrs import frozen

from bic.engine.doctor.machine import Host
from bic.engine.host import find_ca_bundle

REGISTRY = "registry-1.docker.io"
TIMEOUT_S = 10.0

PUBLIC = (
    "Amazon",
    "Cloudflare",
    "DigiCert",
    "Entrust",
    "GlobalSign",
    "Google Trust Services",
    "Internet Security Research Group",
    "Let's Encrypt",
    "Microsoft",
    "SSL Corporation",
    "Sectigo",
)
"""Organisations that sign for public registries; another name is most likely a company's proxy."""


@frozen
class Answer:
    """What a registry said; `status` None where there was no answer, for the reason in `error`."""

    status: int | None = None
    date: str | None = None
    issuer: str | None = None
    error: str = ""
    untrusted: bool = False
    at: float = 0.0


def ask(host: Host) -> Answer:
    """GET /v2/ of the registry with the host's proxy and certificates; a 401 is an answer like any other.

    distribution-spec, end-1.
    """
    try:
        context = ssl.create_default_context(cafile=find_ca_bundle(host))
        connection = _connection(host, context)
        connection.request("GET", "/v2/", headers={"User-Agent": "bic-doctor"})
        issuer = _issuer(connection.sock)
        response = connection.getresponse()
        connection.close()
    except ssl.SSLCertVerificationError as error:
        return Answer(error=error.verify_message, untrusted=True)
    except (OSError, http.client.HTTPException) as error:
        return Answer(error=str(error))
    return Answer(response.status, response.getheader("Date"), issuer, at=time.time())


def clock_skew_s(answer: Answer) -> float | None:
    """Seconds that this machine is ahead of the registry."""
    if answer.date is None:
        return None
    return answer.at - email.utils.parsedate_to_datetime(answer.date).timestamp()


def is_public(issuer: str) -> bool:
    return any(name.lower() in issuer.lower() for name in PUBLIC)


def _connection(host: Host, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    proxy = host.env.get("https_proxy") or host.env.get("HTTPS_PROXY")
    if not proxy:
        return http.client.HTTPSConnection(REGISTRY, timeout=TIMEOUT_S, context=context)
    parts = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port or 80, timeout=TIMEOUT_S, context=context
    )
    connection.set_tunnel(REGISTRY, 443)
    return connection


def _issuer(sock: object) -> str | None:
    certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    groups: Any = (certificate or {}).get("issuer", ())
    names: dict[str, str] = dict(pair for group in groups for pair in group)
    return names.get("organizationName") or names.get("commonName")
