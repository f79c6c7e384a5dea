"""Whatever the OpenAPI documents allow is asked of a live server: it never breaks down, and answers as documented.

The whole API has a thousand operations. Here every kind is asked for something and every verb of several kinds, always
the same: what each kind is asked turns with its place in the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cluster import identities
from tests.harness.control import ControlPlane

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
ONCE_WRONG = (
    ("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}", "patch"),
    ("/apis/events.k8s.io/v1/namespaces/{namespace}/events/{name}", "get"),
    ("/apis/events.k8s.io/v1/namespaces/{namespace}/events/{name}", "patch"),
    ("/api/v1/namespaces/{namespace}/limitranges/{name}", "put"),
)
"""Operations whose answers were not as documented: always asked."""
LEFT_OUT = ("watch", "follow", "timeoutSeconds", "sendInitialEvents", "force", "orphanDependents", "continue")
"""Parameters that make an answer a stream, or go with few others."""
SHAKY = ("/namespaces/{name}", "/apiservices", "webhookconfigurations")
"""Paths whose writes would change what the rest of the test meets."""
ONLY_OURS = {"name": "labelSelector", "in": "query", "required": True, "schema": {"enum": ["made-by=chance"]}}
"""A selector that keeps a deletecollection from what the server itself lives on."""
EACH_KIND, TIMES, WRONG_TIMES = 2, 3, 1
"""Operations of each kind; how often each is asked for what its document allows, and for what it does not."""
BODIES = ("application/json", "application/merge-patch+json", "application/strategic-merge-patch+json")
GOLDEN = Path(__file__).parents[2] / "unit" / "registry" / "golden"
SENSIBLE: dict[str, Json] = {
    "dryRun": {"enum": ["All"]},
    "fieldManager": {"enum": ["chance", "x"]},
    "fieldSelector": {"enum": ["metadata.name=one", "metadata.namespace!=x"]},
    "fieldValidation": {"enum": ["Ignore", "Warn", "Strict"]},
    "labelSelector": {"enum": ["made-by=chance", "a notin (b)"]},
    "limit": {"enum": [0, 1, 500]},
    "resourceVersion": {"enum": ["", "0"]},
    "resourceVersionMatch": {"enum": [""]},
    "propagationPolicy": {"enum": ["Orphan", "Background", "Foreground"]},
}
"""Values of parameters and types that come further than chance does."""
TYPES: dict[str, Json] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"enum": ["1", "500m", "2Gi"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"enum": [80, "http", "50%"]},
    f"{META}.LabelSelector": {"enum": [{}, {"matchLabels": {"app": "web"}}]},
    f"{META}.MicroTime": {"enum": ["2026-11-22T11:00:00.000001Z"]},
    f"{META}.Patch": {"enum": [{"metadata": {"labels": {"made-by": "chance"}}}, {"metadata": {"annotations": None}}]},
    f"{META}.Time": {"enum": ["2026-11-22T11:00:00Z"]},
}


@pytest.fixture(scope="module")
def session(plane: ControlPlane) -> Iterator[requests.Session]:
    pair = identities.pair(plane.layout, "admin")
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(plane.layout.pki / "ca.crt")
        made.cert = (str(pair.certificate), str(pair.key))
        yield made


@pytest.fixture(scope="module")
def documents(plane: ControlPlane, session: requests.Session) -> list[Json]:
    index = session.get(f"{plane.server}/openapi/v3").json()["paths"]
    return [session.get(plane.server + each["serverRelativeURL"]).json() for each in index.values()]


def by_kind(document: Json) -> dict[str, list[tuple[str, str]]]:
    """(path, method) of the operations of each kind of a document, but old watches and what other servers answer."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path, item in document["paths"].items():
        plural = path.removesuffix("/").split("/{name}")[0].rpartition("/")[2]
        if "/watch/" in path:
            continue
        for method in METHODS:
            writes = method != "get"
            if item.get(method, {}).get("x-kubernetes-action") == "connect":
                continue
            if method in item and not (writes and any(part in path for part in SHAKY)):
                found.setdefault(plural, []).append((path, method))
    return found


def chosen(documents: list[Json]) -> list[tuple[Json, str, str]]:
    """Of each kind some operations, others of the next one, in an order in which there is something to read."""
    found: list[tuple[Json, str, str]] = []
    for document in documents:
        for operations in by_kind(document).values():
            turn = len(found) % len(operations)
            picked = [operations[(turn + step * 5) % len(operations)] for step in range(EACH_KIND)]
            picked += [each for each in operations if each in ONCE_WRONG]
            found.extend((document, path, method) for path, method in dict.fromkeys(picked))
    return found


def narrowed(document: Json, namespace: str) -> Json:
    """The document with parameters and bodies that come further than the first check: names that exist, right types."""
    narrow: Json = json.loads(json.dumps(document))
    for item in narrow["paths"].values():
        for parameter in item.get("parameters", ()):
            parameter["schema"] = {"enum": ["one" if parameter["name"] == "name" else namespace]}
        for method in set(item) & set(METHODS):
            operation = item[method]
            operation["parameters"] = [each for each in operation["parameters"] if each["name"] not in LEFT_OUT]
            for parameter in operation["parameters"]:
                parameter["schema"] = SENSIBLE.get(parameter["name"], parameter["schema"])
            if "requestBody" in operation:
                bodies = operation["requestBody"]["content"]
                kept = {name: body for name, body in bodies.items() if name in BODIES}
                operation["requestBody"]["content"] = kept
            if operation.get("x-kubernetes-action") == "deletecollection":
                operation["parameters"] = [ONLY_OURS]
    schemas = narrow["components"]["schemas"]
    for name, schema in schemas.items():
        narrow_type(name, schema)
    schemas.update({name: schema for name, schema in TYPES.items() if name in schemas})
    return narrow


def narrow_type(name: str, schema: Json) -> None:
    properties = schema.get("properties")
    if not properties:
        return
    schema["additionalProperties"] = False
    if name == f"{META}.ObjectMeta":
        labels = {"enum": [{"made-by": "chance"}, {"a": "b"}]}
        annotations = {"enum": [{}, {"c": "d"}]}
        schema["properties"] = {"name": {"enum": ["one"]}, "labels": labels, "annotations": annotations}
        schema["required"] = ["name"]
    if name == f"{META}.DeleteOptions":
        properties["kind"], properties["apiVersion"] = {"enum": ["DeleteOptions"]}, {"enum": ["v1"]}
    kinds: list[Json] = schema.get("x-kubernetes-group-version-kind") or []
    if len(kinds) == 1 and "kind" in properties:
        group, version = kinds[0]["group"], kinds[0]["version"]
        properties["kind"] = {"enum": [kinds[0]["kind"]]}
        properties["apiVersion"] = {"enum": [f"{group}/{version}" if group else version]}


class Asking:
    """The operations of a document, to be asked one after the other."""

    def __init__(self, plane: ControlPlane, session: requests.Session, document: Json) -> None:
        self._plane, self._session = plane, session
        self._narrow = schemathesis.openapi.from_dict(narrowed(document, "default"))
        self._whole = schemathesis.openapi.from_dict(document)
        self.problems: list[str] = []

    def ask(self, path: str, method: str, mode: GenerationMode, times: int) -> None:
        source = self._narrow if mode is GenerationMode.POSITIVE else self._whole
        strategy = source[path][method.upper()].as_strategy(generation_mode=mode)

        @seed(20261122)
        @settings(
            max_examples=times,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def run(case: Case[Any]) -> None:
            self._judge(case, path, method)

        run()

    def _judge(self, case: Case[Any], path: str, method: str) -> None:
        case.operation = self._whole[path][method.upper()]
        server, session = self._plane.server, self._session
        response = case.call(base_url=server, session=session, verify=session.verify, timeout=10)
        if response.status_code >= 500:
            self._note(case, f"{response.status_code}: {response.text[:300]}")
            return
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for each in group.exceptions:
                self._note(case, f"{response.status_code}: {each}"[:600])

    def _note(self, case: Case[Any], problem: str) -> None:
        self.problems.append(f"{case.as_curl_command()}\n  {problem}")


def fill(server: str, session: requests.Session, documents: list[Json]) -> int:
    """Make an object of each kind that there is a sample of; how many were taken."""
    places = {}
    for document in documents:
        for path, item in document["paths"].items():
            kind = item.get("post", {}).get("x-kubernetes-group-version-kind")
            if kind and "{name}" not in path:
                places[kind["group"], kind["version"], kind["kind"]] = path.replace("{namespace}", "default")
    made = 0
    for file in sorted(GOLDEN.glob("*.yaml")):
        sample = next(yaml.safe_load_all(file.read_text()))
        group, _, version = sample["apiVersion"].rpartition("/")
        sample["metadata"]["name"] = "one"
        answer = session.post(server + places[group, version, sample["kind"]], json=sample, timeout=10)
        made += answer.status_code == 201
    return made


def test_answers_are_what_the_documents_say(
    plane: ControlPlane, session: requests.Session, documents: list[Json]
) -> None:
    assert fill(plane.server, session, documents) > 30
    operations = chosen(documents)
    assert {method for _, _, method in operations} == set(METHODS)
    asking: dict[int, Asking] = {}
    for document, path, method in operations:
        each = asking.get(id(document)) or Asking(plane, session, document)
        asking[id(document)] = each
        each.ask(path, method, GenerationMode.POSITIVE, TIMES)
        if "requestBody" in document["paths"][path][method]:
            each.ask(path, method, GenerationMode.NEGATIVE, WRONG_TIMES)
    problems = [problem for each in asking.values() for problem in each.problems]
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:20])


def test_an_answer_that_is_not_as_documented_is_noticed(
    plane: ControlPlane, session: requests.Session, documents: list[Json]
) -> None:
    document = next(each for each in documents if "/api/v1/configmaps" in each["paths"])
    wrong: Json = json.loads(json.dumps(document))
    wrong["components"]["schemas"][f"{META}.APIResourceList"]["required"] = ["nowhere"]
    asking = Asking(plane, session, wrong)
    asking.ask("/api/v1/", "get", GenerationMode.POSITIVE, 1)
    assert asking.problems
    assert "nowhere" in asking.problems[0]
