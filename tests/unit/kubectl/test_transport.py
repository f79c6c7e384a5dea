"""The transport against a real HTTP server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kubectl.errors import Unreachable
from kubectl.server import Server
from kubectl.transport import Transport


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f'{{"path": "{self.path}"}}\n'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Warning", '299 - "old \\"thing\\""')
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/then-close":
            self.close_connection = True  # without a word, as a server that restarts does it

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_streams_of_many_threads_do_not_meet(url: str) -> None:
    """`logs -f` of several containers reads them all at once."""
    transport = Transport(url, None)

    def read(number: int) -> bytes:
        with transport.open(f"/log/{number}") as response:
            return response.read()

    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(read, range(40)))
    assert bodies == [f'{{"path": "/log/{number}"}}\n'.encode() for number in range(40)]


def test_a_connection_that_the_server_closed_is_made_anew(url: str) -> None:
    transport = Transport(url, None)
    assert transport.request("GET", "/then-close").status == 200
    assert transport.request("GET", "/again").status == 200
    transport.close()


def test_queries_leave_out_what_is_not_set(url: str) -> None:
    transport = Transport(url, None)
    answer = transport.request("GET", "/x", {"limit": 5, "labelSelector": "", "watch": True, "continue": None})
    assert answer.body == b'{"path": "/x?limit=5&watch=true"}\n'
    transport.close()


def test_warnings_are_passed_on(url: str) -> None:
    heard: list[str] = []
    server = Server(Transport(url, None), heard.append)
    assert server.call("GET", "/x") == {"path": "/x"}
    assert heard == ['old "thing"']
    server.transport.close()


def test_nobody_there_is_a_sentence() -> None:
    with pytest.raises(Unreachable, match="was refused - did you specify the right host or port"):
        Transport("http://127.0.0.1:1", None).request("GET", "/")
