"""A proxy in front of a registry that misbehaves on request and remembers what it was asked."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

from attrs import define, frozen

Kind = Literal["status", "reset", "truncate", "slow"]
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"}


@frozen
class Request:
    """One request that reached the proxy; `fault` names what was done to it."""

    method: str
    path: str
    fault: str | None


@define
class Fault:
    """What happens to the matching requests number `first` to `first + times - 1`, counted from 1.

    status: answers `status`, with Retry-After where given
    reset: closes the connection by RST before any answer
    truncate: sends half of the body, then closes
    slow: sends a twentieth of the body every `seconds`
    """

    kind: Kind
    path: str = ".*"
    method: str = ".*"
    first: int = 1
    times: int = 1_000_000
    status: int = 500
    retry_after: int | None = None
    seconds: float = 0.1
    seen: int = 0

    @classmethod
    def answer(
        cls,
        status: int,
        path: str = ".*",
        *,
        times: int = 1_000_000,
        first: int = 1,
        retry_after: int | None = None,
    ) -> Self:
        return cls("status", path, status=status, times=times, first=first, retry_after=retry_after)

    def hits(self, method: str, path: str) -> bool:
        """Counts a matching request; true where it is one of those to be spoilt."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)):
            return False
        self.seen += 1
        return self.first <= self.seen < self.first + self.times


class FaultyProxy:
    """`host` replaces the registry's in references; faults are asked in order, and the first hit wins."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self._faults: list[Fault] = []
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def inject(self, *faults: Fault) -> None:
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Forgets all faults and all requests."""
        with self._lock:
            self._faults.clear()
            self._requests.clear()

    def requests(self, method: str = ".*", path: str = ".*") -> tuple[Request, ...]:
        """The requests so far that match, in order of arrival."""
        with self._lock:
            seen = tuple(self._requests)
        return tuple(r for r in seen if re.fullmatch(method, r.method) and re.search(path, r.path))

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            hit = next((fault for fault in self._faults if fault.hits(method, path)), None)
            self._requests.append(Request(method, path, hit.kind if hit else None))
            return hit

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client that keeps its connection open must not hold up the end of a test.
    block_on_close = False
    proxy: FaultyProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: clients that go away in the middle are what the proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Silent: requests are kept by the proxy."""

    def _forward(self) -> None:
        body = self._read_body()
        fault = self.server.proxy.take(self.command, self.path)
        match fault:
            case Fault(kind="status"):
                self._refuse(fault)
            case Fault(kind="reset"):
                self._reset()
            case _:
                self._relay(body, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _forward  # noqa: N815

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _refuse(self, fault: Fault) -> None:
        self.send_response(fault.status)
        if fault.retry_after is not None:
            self.send_header("Retry-After", str(fault.retry_after))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _relay(self, body: bytes, fault: Fault | None) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.proxy.upstream_port, timeout=60)
        with contextlib.closing(upstream):
            # Go's clients send a header line for each media type that they accept.
            names = {name.lower() for name in self.headers} - _HOP
            kept = {name: ", ".join(self.headers.get_all(name, ())) for name in names}
            upstream.request(
                self.command, self.path, body or None, {**kept, "Content-Length": str(len(body))}
            )
            answer = upstream.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP | {"date", "server"}:
                self.send_header(name, value)
        # An answer to HEAD has no body, yet its length is the point of it.
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
        self.end_headers()
        self._send(content, fault)

    def _send(self, content: bytes, fault: Fault | None) -> None:
        match fault:
            case Fault(kind="truncate"):
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
            case Fault(kind="slow"):
                step = max(1, len(content) // 20)
                for start in range(0, len(content), step):
                    self.wfile.write(content[start : start + step])
                    time.sleep(fault.seconds)
            case _:
                self.wfile.write(content)
