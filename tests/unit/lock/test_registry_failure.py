"""What the tools say, and what bic makes of it."""

from __future__ import annotations

import pytest

from bic.lock.registry.failure import Failed, explained, kind_of, masked
from bic.oci.reference import Reference

IMAGE = Reference.parse("127.0.0.1:5000/a/tiny:1")
NAMES = (IMAGE.name, f"/v2/{IMAGE.path}/")
CRANE = "fetching manifest 127.0.0.1:5000/a/tiny:1: GET http://127.0.0.1:5000/v2/a/tiny/manifests/1: "
SKOPEO = 'Error parsing image name "docker://127.0.0.1:5000/a/tiny:1": reading manifest 1: '


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (CRANE + "MANIFEST_UNKNOWN: manifest unknown; map[Tag:2]", "absent"),
        (CRANE + "NAME_UNKNOWN: repository name not known to registry", "absent"),
        (CRANE + "unexpected status code 404 Not Found", "absent"),
        (CRANE + "unexpected status code 401 Unauthorized", "denied"),
        (CRANE + "UNAUTHORIZED: authentication required; [map[Action:pull]]", "denied"),
        (CRANE + "DENIED: requested access to the resource is denied", "denied"),
        (CRANE + "unexpected status code 403 Forbidden", "denied"),
        (CRANE + "unexpected status code 503 Service Unavailable", "passing"),
        (CRANE + "TOOMANYREQUESTS: You have reached your unauthenticated pull rate limit.", "busy"),
        ("fetching manifest 127.0.0.1:5000/a/tiny:1: unexpected EOF", "passing"),
        ('Get "http://127.0.0.1:5000/v2/": read tcp 127.0.0.1:1: connection reset by peer', "passing"),
        ('Get "https://a.b/v2/": net/http: TLS handshake timeout', "passing"),
        ('Get "https://a.b/v2/": dial tcp 10.0.0.1:443: i/o timeout', "passing"),
        ("no answer within 60 seconds", "other"),
        ('Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', "unreachable"),
        ('Get "https://a.invalid/v2/": dial tcp: lookup a.invalid: no such host', "unreachable"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "untrusted"),
        ('getting credentials: exec: "docker-credential-x": executable file not found', "helper"),
        (SKOPEO + "manifest unknown: manifest unknown", "absent"),
        (SKOPEO + "unauthorized: authentication required", "denied"),
        (SKOPEO + "StatusCode: 403, ", "denied"),
        (SKOPEO + "received unexpected HTTP status: 500 Internal Server Error", "passing"),
        (SKOPEO + "toomanyrequests: You have reached your pull rate limit.", "busy"),
        ("something else", "other"),
    ],
)
def test_the_last_line_of_a_tool_is_understood(line: str, kind: str) -> None:
    assert kind_of(line, *NAMES) == kind


def test_the_name_of_an_image_says_nothing() -> None:
    image = Reference.parse("127.0.0.1:42900/denied/timeout/eof:1")
    line = f"fetching manifest {image}: GET http://127.0.0.1:42900/v2/{image.path}/manifests/1: what"
    assert kind_of(line, image.name, f"/v2/{image.path}/") == "other"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Get https://user:pass@a.b/v2/: no", "Get https://***@a.b/v2/: no"),
        ('proxyconnect "http://user:p%40ss@proxy:3128": no', 'proxyconnect "http://***@proxy:3128": no'),
        ("Get https://cdn.x/blob?X-Signature=abc&Y=1: no", "Get https://cdn.x/blob?***  no"),
        ("x" * 1000, "x" * 400),
    ],
)
def test_secrets_in_addresses_are_masked(line: str, shown: str) -> None:
    assert masked(line).replace(":", "").split() == shown.replace(":", "").split()


def test_a_failure_says_what_and_what_to_do() -> None:
    (fault,) = explained(IMAGE, Failed("denied", "UNAUTHORIZED: no")).faults
    assert fault.message == "the registry refuses access to `127.0.0.1:5000/a/tiny:1`"
    assert fault.hint == "`skopeo login 127.0.0.1:5000`, or set REGISTRY_AUTH_FILE"
    assert fault.notes == ("UNAUTHORIZED: no",)
    (fault,) = explained(IMAGE, Failed("other", "hm")).faults
    assert (fault.message, fault.hint) == (f"the registry did not answer for `{IMAGE}`", None)
    (fault,) = explained(IMAGE, Failed("busy", "429", 3600.0)).faults
    assert fault.notes == ("429", "the registry asks to come back after 3600 seconds")
