"""A client written in Go reads our protobuf as it reads our JSON: `kubectl describe` of every kind, both ways.

kubectl asks for protobuf first. A proxy in front of the same server asks for JSON in its place, and what kubectl makes
of the two must be the same.
"""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from cluster import identities
from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl

GOLDEN = Path(__file__).parents[2] / "unit" / "registry" / "golden"
PROTOBUF = "application/vnd.kubernetes.protobuf"


class Proxy(BaseHTTPRequestHandler):
    """Passes GETs on. `json_only` takes protobuf out of what the client accepts."""

    server: Front

    def do_GET(self) -> None:
        accept = self.headers.get("Accept", "")
        if self.server.json_only:
            accept = ",".join(clause for clause in accept.split(",") if PROTOBUF not in clause)
        request = urllib.request.Request(self.server.target + self.path, headers={"Accept": accept})
        try:
            answer = self.server.opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.server.types[answer.headers["Content-Type"]] += 1
            body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test tells what matters."""


class Front(ThreadingHTTPServer):
    """The proxy's server."""

    daemon_threads = True

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(("127.0.0.1", 0), Proxy)
        pair = identities.pair(plane.layout, "admin")
        context = ssl.create_default_context(cafile=str(plane.layout.pki / "ca.crt"))
        context.load_cert_chain(pair.certificate, pair.key)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        self.target = plane.server
        self.json_only = False
        self.types: Counter[str] = Counter()


@pytest.fixture
def front(plane: ControlPlane) -> Iterator[Front]:
    with Front(plane) as server:
        thread = threading.Thread(target=server.serve_forever, name="front")
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_describe_is_the_same_from_protobuf_and_from_json(plane: ControlPlane, front: Front, tmp_path: Path) -> None:
    kubectl = Kubectl(plane.admin_conf)
    made = []
    for file in sorted(GOLDEN.glob("*.yaml")):
        sample = next(yaml.safe_load_all(file.read_text()))
        sample["metadata"]["name"] = f"{file.stem}-{sample['metadata']['name']}"[:60].lower()
        if kubectl.run("create", "-f", "-", stdin=yaml.safe_dump(sample)).code == 0:
            made.append(sample)
    assert len({sample["kind"] for sample in made}) > 30
    everything = tmp_path / "everything.yaml"
    everything.write_text(yaml.safe_dump_all(made))

    def described() -> str:
        server = f"--server=http://127.0.0.1:{front.server_port}"
        return kubectl("describe", server, "-f", str(everything), "--show-events=false", seconds=120)

    binary = described()
    assert front.types[PROTOBUF] > 30, front.types
    front.json_only = True
    front.types.clear()
    plain = described()
    assert front.types[PROTOBUF] == 0, front.types
    assert sorted(binary.splitlines()) == sorted(plain.splitlines())  # kubectl goes through maps in no order
    assert "Error" not in binary
