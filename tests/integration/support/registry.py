"""A real registry on loopback: plain, with a password, or with TLS."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from .ports import free_port
from .probes import program

USER, PASSWORD = "tester", "correct horse"
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


@frozen
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


@frozen
class Registry:
    """A running registry: `host` begins its references; `ca` is there with TLS, `auth` with a password."""

    port: int
    directory: Path
    ca: Path | None = None
    auth: tuple[str, str] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def auth_file(self) -> Path:
        """Credentials for this registry, in the form that REGISTRY_AUTH_FILE wants."""
        return self.directory / "auth.json"

    @property
    def cert_dir(self) -> Path:
        """A folder for the `--cert-dir` options, holding the CA."""
        return self.directory / "certs.d"

    def request(self, method: str, path: str) -> Response:
        """One call of the registry's API, with its credentials and CA."""
        headers = {"Accept": _ACCEPT}
        if self.auth is not None:
            token = base64.b64encode(":".join(self.auth).encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        with contextlib.closing(self._connection()) as connection:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def _connection(self) -> http.client.HTTPConnection:
        if self.ca is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        context = ssl.create_default_context(cafile=str(self.ca))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest that a tag points at now, None where there is no such tag."""
        answer = self.request("HEAD", f"/v2/{repository}/manifests/{tag}")
        return answer.headers["docker-content-digest"] if answer.status == 200 else None

    def tags(self, repository: str) -> tuple[str, ...]:
        answer = self.request("GET", f"/v2/{repository}/tags/list")
        return tuple(sorted(json.loads(answer.body).get("tags") or ())) if answer.status == 200 else ()

    def repositories(self) -> tuple[str, ...]:
        return tuple(json.loads(self.request("GET", "/v2/_catalog?n=1000").body)["repositories"])


@contextlib.contextmanager
def serve(directory: Path, *, password: bool = False, tls: bool = False) -> Iterator[Registry]:
    """A registry that keeps its blobs in `directory` and lives as long as the context."""
    binary = program("docker-registry")
    registry = Registry(
        free_port(),
        directory,
        ca=_make_certificates(directory) if tls else None,
        auth=(USER, PASSWORD) if password else None,
    )
    if password:
        _write_password(registry)
    config = directory / "config.yml"
    # YAML is a superset of JSON.
    config.write_text(json.dumps(_config(registry), indent=1))
    with (
        (directory / "registry.log").open("wb") as log,
        subprocess.Popen(
            [binary, "serve", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait(registry, process)
            yield registry
        finally:
            process.terminate()


def _config(registry: Registry) -> dict[str, object]:
    http_part: dict[str, object] = {"addr": registry.host, "relativeurls": True}
    config: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(registry.directory / "data")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": http_part,
    }
    if registry.ca is not None:
        files = registry.directory
        http_part["tls"] = {"certificate": str(files / "server.crt"), "key": str(files / "server.key")}
    if registry.auth is not None:
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(registry.directory / "htpasswd")}}
    return config


def _wait(registry: Registry, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if registry.request("GET", "/v2/").status == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the registry did not start: {(registry.directory / 'registry.log').read_text()}")


def _write_password(registry: Registry) -> None:
    argv = [program("htpasswd"), "-Bbn", USER, PASSWORD]
    hashed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    (registry.directory / "htpasswd").write_text(hashed + "\n")
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    registry.auth_file.write_text(json.dumps({"auths": {registry.host: {"auth": token}}}))


def _make_certificates(directory: Path) -> Path:
    """A CA of its own and a server certificate for loopback signed by it; the CA's file."""
    openssl = program("openssl")
    ca, ca_key = directory / "ca.crt", directory / "ca.key"
    key, request, certificate = (directory / f"server.{end}" for end in ("key", "csr", "crt"))
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")
    extension = directory / "server.ext"
    extension.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    constraint = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    root = ("-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=bic tests CA", *constraint)
    leaf = ("-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1")
    signed = ("-CA", ca, "-CAkey", ca_key, "-out", certificate, "-days", "2", "-set_serial", "2")
    for argv in (
        ("req", "-x509", *new_key, *root),
        ("req", *new_key, *leaf),
        ("x509", "-req", "-in", request, *signed, "-extfile", extension),
    ):
        subprocess.run([openssl, *argv], check=True, capture_output=True, cwd=directory)
    certs = directory / "certs.d"
    certs.mkdir()
    (certs / "ca.crt").write_bytes(ca.read_bytes())
    return ca


def registries_conf(file: Path, registry_host: str, sources: tuple[str, ...] = ("docker.io",)) -> Path:
    """Writes a registries.conf under which each source is mirrored by `registry_host`/SOURCE, without TLS.

    The sources themselves lead to a closed port, so that nothing ever asks the real ones.
    """
    parts = ["unqualified-search-registries = []\n"]
    for source in sources:
        parts.append(
            f'[[registry]]\nprefix = "{source}"\nlocation = "127.0.0.1:1/{source}"\ninsecure = true\n'
            f'[[registry.mirror]]\nlocation = "{registry_host}/{source}"\ninsecure = true\n'
        )
    parts.append(f'[[registry]]\nlocation = "{registry_host}"\ninsecure = true\n')
    file.write_text("\n".join(parts))
    return file
