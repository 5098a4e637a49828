"""A thousand tags, and tags in pages: one process each."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from support.registry import Registry
from support.registry_tools import Tool, push
from support.tiny_base import TinyBase

from bic.oci.reference import Reference


@pytest.fixture(scope="module")
def thousand(registry: Registry, tiny_base: TinyBase) -> str:
    """A repository with a thousand tags."""
    reference = push(tiny_base, registry, "oci")
    exact = registry.request("GET", f"/v2/{reference.path}/manifests/1")
    media_type = {"Content-Type": exact.headers["content-type"]}
    connection = http.client.HTTPConnection("127.0.0.1", registry.port)
    with contextlib.closing(connection):
        for number in range(1000):
            connection.request("PUT", f"/v2/{reference.path}/manifests/t{number}", exact.body, media_type)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (201, b"")
    return reference.name


def test_a_thousand_tags_take_one_process_and_a_few_seconds(
    tool: Tool, registry: Registry, thousand: str, recorded: Path, plain: Callable[..., None]
) -> None:
    plain(registry.host)
    start = time.monotonic()
    tags = tool.tags(Reference.parse(thousand))
    taken = time.monotonic() - start
    assert {f"t{number}" for number in range(1000)} <= set(tags)
    assert list(tags) == sorted(tags)
    assert len((recorded / "argv").read_text().splitlines()) == 1
    assert taken < 10


PAGE, PAGES = 100, 15


class _Paged(BaseHTTPRequestHandler):
    """A registry of one repository that never lists more than a page of tags at once."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        link, body = "", b"{}"
        if url.path.endswith("/tags/list"):
            first = int(parse_qs(url.query).get("last", ["-1"])[0]) + 1
            tags = [str(number) for number in range(first, first + PAGE)]
            body = json.dumps({"name": "many", "tags": tags}).encode()
            if first + PAGE < PAGE * PAGES:
                link = f'<{url.path}?last={tags[-1]}&n={PAGE}>; rel="next"'
        self.send_response(200)
        if link:
            self.send_header("Link", link)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_tags_that_come_in_pages_are_all_listed_by_one_process(
    tool: Tool, recorded: Path, plain: Callable[..., None]
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Paged) as server:
        server.daemon_threads = True
        server.block_on_close = False
        Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        plain(host)
        tags = tool.tags(Reference.parse(f"{host}/many"))
        server.shutdown()
    assert tags == tuple(sorted(str(number) for number in range(PAGE * PAGES)))
    assert len((recorded / "argv").read_text().splitlines()) == 1
