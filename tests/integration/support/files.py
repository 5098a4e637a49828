"""A web server on loopback for what `fetch` steps download."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attrs import frozen


@frozen
class FileServer:
    """Serves what was `put` below `url`."""

    url: str
    directory: Path

    def put(self, name: str, content: bytes) -> str:
        """Its address."""
        (self.directory / name).write_bytes(content)
        return f"{self.url}/{name}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[FileServer]:
    handler = functools.partial(_Quiet, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield FileServer(f"http://127.0.0.1:{server.server_port}", directory)
        server.shutdown()
        thread.join()
