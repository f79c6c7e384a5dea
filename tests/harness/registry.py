"""A container registry for the tests: it has every image anybody asks for, made here from the machine's static busybox.

An engine pulls from it as from any registry. For whatever name the layers are the same; what runs is told by the name's
last part: a web server for `nginx`, a process that waits for the rest. As in the real ones it ends when it is told to.

`python -m tests.harness.registry ADDRESS PORT [USER:PASSWORD]` serves until it is killed: in a node's network
namespace, at 127.0.0.1, engines take it without TLS and without any flag.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import sys
import tarfile
import threading
from contextlib import AbstractContextManager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.harness.images import busybox_tree

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
INIT = "/usr/bin/catatonit"
SERVING = "serving"
WEB = "usr/share/nginx/html"


class Registry(AbstractContextManager["Registry"]):
    """Serves plain HTTP at an address of the machine, to everybody or to who has the `login`, `user:password`."""

    def __init__(self, address: str, port: int = 80, login: str = "") -> None:
        self._server = _Server((address, port), _Handler)
        self._server.login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._thread = threading.Thread(target=self._server.serve_forever, name="registry")
        self.url = f"http://{address}:{port}"

    def __enter__(self) -> Registry:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    login = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/").split("/")
        match path:
            case _ if not self._is_known():
                self._refuse()
            case ["v2"]:
                self._answer(b"{}", "application/json")
            case ["v2", *name, "manifests", _]:
                self._answer(_image(name[-1])[0], MANIFEST)
            case ["v2", *name, "blobs", digest] if digest in (blobs := _image(name[-1])[1]):
                self._answer(blobs[digest], "application/octet-stream")
            case _:
                self.send_error(404)

    do_HEAD = do_GET

    def _is_known(self) -> bool:
        assert isinstance(self.server, _Server)
        return self.headers.get("Authorization", "") == self.server.login

    def _refuse(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="the tests"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, body: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", _digest(body))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test's output is for what fails."""


@cache
def _image(name: str) -> tuple[bytes, dict[str, bytes]]:
    """An image's manifest, and its blobs by digest."""
    tree = _tree()
    layer = gzip.compress(tree, 1, mtime=0)
    command = ["httpd", "-f", "-p", "80", "-h", f"/{WEB}"] if name == "nginx" else ["sleep", "1000000"]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["catatonit", "--"], "Cmd": command, "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tree)]},
            "history": [{"created": "2026-01-01T00:00:00Z"}],
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": LAYER, "size": len(layer), "digest": _digest(layer)}],
    }
    return json.dumps(manifest).encode(), {_digest(layer): layer, _digest(config): config}


@cache
def _tree() -> bytes:
    """busybox with its applets, an init that hands signals on, and a page for the web server."""
    buffer = io.BytesIO(busybox_tree())
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        tar.add(INIT, "bin/catatonit")
        page = tarfile.TarInfo(f"{WEB}/index.html")
        text = b"<h1>Welcome to nginx!</h1>\n"
        page.size = len(text)
        tar.addfile(page, io.BytesIO(text))
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


if __name__ == "__main__":
    with Registry(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]):
        print(SERVING, flush=True)
        threading.Event().wait()
