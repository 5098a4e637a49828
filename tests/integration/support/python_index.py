"""A Python package index on loopback, with tiny wheels made by hand."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from attrs import define, field

PASSWORD = "s3cret"


@define
class Index:
    """A package index (PEP 503) that answers from memory; with `password`, only to who gives it."""

    files: dict[str, dict[str, bytes]] = field(factory=dict)
    password: str | None = None
    knows_head: bool = True
    asked: list[str] = field(factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    @property
    def url_with_password(self) -> str:
        return f"http://me:{PASSWORD}@127.0.0.1:{self.port}/simple"

    def wheel(self, name: str, version: str, tag: str = "py3-none-any", needs: tuple[str, ...] = ()) -> None:
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {each}" for each in needs]
        info = f"{name}-{version}.dist-info"
        wheel = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
        record = f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n{name}.py,,\n"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(f"{name}.py", f"version = {version!r}\n")
            archive.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
            archive.writestr(f"{info}/WHEEL", wheel)
            archive.writestr(f"{info}/RECORD", record)
        self._put(name, f"{name}-{version}-{tag}.whl", buffer.getvalue())

    def sources(self, name: str, version: str) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            content = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
            member = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        self._put(name, f"{name}-{version}.tar.gz", buffer.getvalue())

    def _put(self, name: str, file: str, content: bytes) -> None:
        self.files.setdefault(name, {})[file] = content

    def content(self, path: str) -> bytes | None:
        """What lies at a path: the page of a package, or a file."""
        match path.strip("/").split("/"):
            case ["simple", name] if name in self.files:
                links = (self._link(name, file) for file in self.files[name])
                return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
            case ["files", name, file]:
                return self.files.get(name, {}).get(file)
            case _:
                return None

    def _link(self, name: str, file: str) -> str:
        digest = hashlib.sha256(self.files[name][file]).hexdigest()
        return f'<a href="/files/{name}/{file}#sha256={digest}">{file}</a>'

    def admits(self, authorization: str | None) -> bool:
        wanted = base64.b64encode(f"me:{self.password}".encode()).decode()
        return self.password is None or authorization == f"Basic {wanted}"


def _handler(index: Index) -> type[SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            index.asked.append(f"{self.command} {self.path}")
            if not body and not index.knows_head:
                self.send_error(405)
                return
            content = index.content(self.path)
            admitted = index.admits(self.headers.get("Authorization"))
            self.send_response(401 if not admitted else 404 if content is None else 200)
            if not admitted:
                self.send_header("WWW-Authenticate", 'Basic realm="test"')
            shown = content if admitted and content is not None else b""
            self.send_header(
                "Content-Type", "application/octet-stream" if "/files/" in self.path else "text/html"
            )
            self.send_header("Content-Length", str(len(shown)))
            self.end_headers()
            if body:
                self.wfile.write(shown)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    return Handler


@contextlib.contextmanager
def serve() -> Iterator[Index]:
    index = Index()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(index)) as server:
        index.port = server.server_port
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield index
        server.shutdown()
