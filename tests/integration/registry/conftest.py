"""Plain HTTPS to the API server: bodies exactly as written, answers exactly as given."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cluster import identities
from tests.harness.control import ControlPlane

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Answer:
    code: int
    body: dict[str, Any]

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def fields(self) -> list[str]:
        """The fields that the causes of a refusal name."""
        return [cause.get("field", "") for cause in self.body.get("details", {}).get("causes", [])]


@dataclass(frozen=True)
class Api:
    server: str
    context: ssl.SSLContext

    def send(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """`body` is sent as it is if it is bytes, else as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, {"Content-Type": content_type}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.context) as answer:
                return Answer(answer.status, json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read()))

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, body: Any, content_type: str = "application/json") -> Answer:
        return self.send("POST", path, body, content_type)

    def put(self, path: str, body: Any) -> Answer:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any, content_type: str = MERGE) -> Answer:
        return self.send("PATCH", path, body, content_type)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """A new object, which must be taken."""
        answer = self.post(path, body)
        assert answer.code == 201, answer
        return answer.body

    def names(self, path: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.get(path).body["items"]]


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Api:
    context = ssl.create_default_context(cafile=str(control_plane.layout.pki / "ca.crt"))
    admin = identities.pair(control_plane.layout, "admin")
    context.load_cert_chain(admin.certificate, admin.key)
    return Api(control_plane.server, context)


@pytest.fixture
def namespace(api: Api, request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of a namespace of the test's own; its objects are deleted afterwards."""
    made = api.made("/api/v1/namespaces", {"metadata": {"generateName": "rules-"}})
    name = made["metadata"]["name"]
    yield f"/namespaces/{name}"
    api.send("DELETE", f"/api/v1/namespaces/{name}")
