"""HTTPS to the API server over the standard library.

A command makes a handful of requests and ends. Importing an async HTTP stack for that takes 0.15 to 0.3 s here, and
`http.client` with `ssl` 0.03 s, so the CLI has a transport of its own.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from kubectl.errors import Unreachable

CONNECT_TIMEOUT = 10.0
KEPT = 30.0
"""Seconds after which a kept connection is not trusted any more: an editor may have been open meanwhile."""
VERSION = "0.1.0"
USER_AGENT = f"pytheas/{VERSION}"

Query = Mapping[str, str | int | bool | None]


@dataclass
class Answer:
    status: int
    body: bytes
    warnings: list[str] = field(default_factory=list)


class Transport:
    """Requests to one server, from any thread; the connection is kept between them."""

    def __init__(
        self,
        server: str,
        tls: ssl.SSLContext | None,
        token: str = "",
        timeout: float | None = None,
        verbose: bool = False,
    ) -> None:
        parts = urlsplit(server)
        self.address = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._tls = tls if parts.scheme == "https" else None
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = timeout
        self._verbose = verbose
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One exchange, the answer read to its end. Raises Unreachable."""
        with self._lock:
            response = self._exchange(method, path, query, body, headers)
            try:
                content = response.read()
            except (OSError, http.client.HTTPException) as problem:
                self.close()
                raise self._unreachable(problem) from problem
        return Answer(response.status, content, response.headers.get_all("Warning") or [])

    @contextmanager
    def open(
        self, path: str, query: Query | None = None, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> Iterator[http.client.HTTPResponse]:
        """A request whose answer is read as it comes (a watch, a followed log), on a connection of its own.

        Safe to call from several threads.
        """
        try:
            connection = self._connect()
        except OSError as problem:
            raise self._unreachable(problem) from problem
        with closing(connection):
            try:
                response = self._send(connection, method, self._target(path, query), None, headers)
            except (OSError, http.client.HTTPException) as problem:
                raise self._unreachable(problem) from problem
            with response:
                yield response

    def upload(self, path: str, body: Iterable[bytes], length: int, content_type: str) -> Answer:
        """POST a body that is made as it is sent, on a connection of its own. Raises Unreachable.

        A server that has heard enough may answer and hang up before the end: its answer counts. Safe to call from
        several threads.
        """
        headers = {"Content-Type": content_type, "Content-Length": str(length)}
        try:
            connection = self._connect()
        except OSError as problem:
            raise self._unreachable(problem) from problem
        with closing(connection):
            try:
                try:
                    connection.request("POST", self._target(path, None), None, {**self._headers, **headers})
                    for piece in body:
                        connection.send(piece)
                except ConnectionError:
                    if connection.sock is None:
                        raise
                response = connection.getresponse()
                return Answer(response.status, response.read(), response.headers.get_all("Warning") or [])
            except (OSError, http.client.HTTPException) as problem:
                raise self._unreachable(problem) from problem

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(
        self, method: str, path: str, query: Query | None, body: bytes | None, headers: Mapping[str, str] | None
    ) -> http.client.HTTPResponse:
        target = self._target(path, query)
        if time.monotonic() - self._used > KEPT:
            self.close()
        for fresh in (self._connection is None, True):
            try:
                if self._connection is None:
                    self._connection = self._connect()
                response = self._send(self._connection, method, target, body, headers)
                self._used = time.monotonic()
                return response
            except (OSError, http.client.HTTPException) as problem:
                self.close()
                # A server may close a kept connection at any moment; what has no effect can be asked again.
                if fresh or method != "GET" or not isinstance(problem, ConnectionError):
                    raise self._unreachable(problem) from problem
        raise AssertionError("the second try is on a fresh connection and returns or raises")

    def _target(self, path: str, query: Query | None) -> str:
        return self._prefix + path + _query_string(query)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> http.client.HTTPResponse:
        started = time.perf_counter()
        connection.request(method, target, body, {**self._headers, **(headers or {})})
        response = connection.getresponse()
        if self._verbose:
            took = (time.perf_counter() - started) * 1000
            sys.stderr.write(f"{method} {target} {response.status} in {took:.0f} ms\n")
        return response

    def _connect(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPSConnection(self.address, timeout=CONNECT_TIMEOUT, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(self.address, timeout=CONNECT_TIMEOUT)
        )
        connection.connect()
        connection.sock.settimeout(self._timeout)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _unreachable(self, problem: Exception) -> Unreachable:
        return Unreachable(explain(self.address, problem))


def _query_string(query: Query | None) -> str:
    if not query:
        return ""
    values = {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in query.items()
        if value is not None and value != ""
    }
    return f"?{urlencode(values)}" if values else ""


def explain(address: str, problem: Exception) -> str:
    """What went wrong on the way to the server, and what to try."""
    if isinstance(problem, ConnectionRefusedError):
        return (
            f"The connection to the server {address} was refused - did you specify the right host or port?\n"
            "Is the API server running? `pytheas up` starts a cluster on this machine."
        )
    if isinstance(problem, ssl.SSLCertVerificationError):
        return (
            f"Unable to connect to the server: the certificate of {address} is not trusted: {problem.verify_message}\n"
            "The cluster may have been made anew: use the kubeconfig that came with it, or --certificate-authority."
        )
    if isinstance(problem, ssl.SSLError):
        return f"Unable to connect to the server: TLS with {address} failed: {problem.reason or problem}"
    if isinstance(problem, socket.gaierror):
        return f"Unable to connect to the server: no address is known for {address} ({problem.strerror})"
    if isinstance(problem, TimeoutError):
        return f"Unable to connect to the server: {address} did not answer in time"
    return f"Unable to connect to the server: {address}: {problem or type(problem).__name__}"
