"""`python -m bench.bare FILE PORT CERT KEY`: a web server that only ever answers with the bytes of one file, over TLS.

Nothing but uvicorn and the kernel stands between the bytes and the client: what the API server's answers can cost at
best.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from bench.plane import Plane
from bench.wire import Target
from cluster import identities
from tests.harness.process import Process, free_port

Send = Callable[[dict[str, Any]], Awaitable[None]]


def serve(file: str, port: str, certificate: str, key: str) -> None:
    body = Path(file).read_bytes()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_level="warning",
        access_log=False,
        lifespan="off",
        loop="uvloop",
        http="httptools",
    )


@contextmanager
def running(plane: Plane, body: bytes) -> Iterator[Target]:
    """A bare server with this body, with the API server's own certificate."""
    file = plane.folder / "body"
    file.write_bytes(body)
    pair, port = identities.pair(plane.layout, "apiserver"), free_port()
    argv = [sys.executable, "-m", "bench.bare", str(file), str(port), str(pair.certificate), str(pair.key)]
    process = Process("bare", argv, plane.folder).start()
    target = Target("127.0.0.1", port, plane.tls(), "")
    try:
        process.wait_for("the bare server", lambda: target.get("/").status == 200)
        yield target
    finally:
        process.stop()


if __name__ == "__main__":
    serve(*sys.argv[1:])
