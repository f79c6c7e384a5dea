"""The rules of webhook configurations and APIServices, in the API's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.registry import apiservice, mutatingwebhookconfiguration, validatingwebhookconfiguration
from apiserver.registry.admissionrules import validate_rule
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Context, Kind
from apiserver.registry.webhookclient import validate_client

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RANGE = "the timeout value must be between 1 and 30 seconds"
PORTS = "must be between 1 and 65535, inclusive"
OTHERS = "if '*/*' is present, must not specify other resources"
WIDER = "if '*/scale' is present, must not specify a/scale"


def problems(kind: Kind, obj: dict[str, Any]) -> list[str]:
    kind.strategy.default(obj)
    return [error.message for error in kind.strategy.validate(obj, Context(NOW))]


def hook(**fields: Any) -> dict[str, Any]:
    client = {"url": "https://host/path"}
    return {"name": "a.b.c", "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"], **fields}


def test_a_good_webhook_has_no_problems() -> None:
    for module in (mutatingwebhookconfiguration, validatingwebhookconfiguration):
        assert problems(module.KIND, {"metadata": {"name": "x"}, "webhooks": [hook(), hook(name="d.e.f")]}) == []


def test_only_mutating_webhooks_are_reinvoked() -> None:
    for module, wanted in ((mutatingwebhookconfiguration, "Never"), (validatingwebhookconfiguration, None)):
        obj: dict[str, Any] = {"webhooks": [hook()]}
        module.KIND.strategy.default(obj)
        assert obj["webhooks"][0].get("reinvocationPolicy") == wanted


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "name: Required value"),
        ({"sideEffects": "Some"}, 'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'),
        ({"failurePolicy": "X"}, 'failurePolicy: Unsupported value: "X": supported values: "Fail", "Ignore"'),
        ({"timeoutSeconds": 0}, "timeoutSeconds: Invalid value: 0: " + RANGE),
        ({"clientConfig": {}}, "clientConfig: Required value: exactly one of url or service is required"),
        ({"admissionReviewVersions": []}, "admissionReviewVersions: Required value: must specify one of v1, v1beta1"),
        (
            {"reinvocationPolicy": "X"},
            'reinvocationPolicy: Unsupported value: "X": supported values: "IfNeeded", "Never"',
        ),
        ({"matchConditions": [{"name": "x"}]}, "matchConditions[0].expression: Required value"),
    ],
)
def test_bad_webhooks(fields: dict[str, Any], problem: str) -> None:
    assert problems(mutatingwebhookconfiguration.KIND, {"webhooks": [hook(**fields)]}) == [f"webhooks[0].{problem}"]


def test_names_are_unique() -> None:
    found = problems(mutatingwebhookconfiguration.KIND, {"webhooks": [hook(), hook()]})
    assert found == ['webhooks[1].name: Duplicate value: "a.b.c"']


@pytest.mark.parametrize(
    ("resources", "problem"),
    [
        ([], "r.resources: Required value"),
        (["*/*", "pods"], 'r.resources: Invalid value: ["*/*","pods"]: ' + OTHERS),
        (["*/scale", "a/scale"], 'r.resources[1]: Invalid value: "a/scale": ' + WIDER),
    ],
)
def test_resources_of_a_rule(resources: list[str], problem: str) -> None:
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": resources}
    assert [error.message for error in validate_rule(rule, "r")] == [problem]


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        ({"name": "x", "port": 443}, "c.service.namespace: Required value: service namespace is required"),
        ({"name": "x", "namespace": "y", "port": 0}, "c.service.port: Invalid value: 0: port is not valid: " + PORTS),
        (
            {"name": "x", "namespace": "y", "port": 1, "path": "a//b"},
            "c.service.path: Invalid value: \"a//b\": must start with a '/'",
        ),
    ],
)
def test_references_to_services(service: dict[str, Any], problem: str) -> None:
    assert validate_client({"service": service}, "c")[0].message == problem


def service(**spec: Any) -> dict[str, Any]:
    whole = {"group": "g.io", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10, **spec}
    return {"metadata": {"name": "v1.g.io"}, "spec": whole}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"version": "v2"},
            'metadata.name: Invalid value: "v1.g.io": must be `spec.version+"."+spec.group`: "v2.g.io"',
        ),
        (
            {"groupPriorityMinimum": 0},
            "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
        ),
        ({"caBundle": "eA=="}, 'spec.caBundle: Invalid value: "4 bytes": local APIServices may not have a caBundle'),
        ({"service": {"name": "x"}}, "spec.service.namespace: Required value"),
    ],
)
def test_bad_apiservices(spec: dict[str, Any], problem: str) -> None:
    assert problems(apiservice.KIND, service(**spec)) == [problem]


def test_an_apiservice_in_a_table() -> None:
    def cells(obj: dict[str, Any]) -> list[Any]:
        return [column.cell(obj, NOW) for column in table_columns(apiservice.KIND)[1:3]]

    mine = service()
    apiservice.KIND.strategy.prepare_for_create(mine, Context(NOW))
    assert cells(mine) == ["Local", "True"]
    theirs = service(service={"namespace": "x", "name": "y"})
    assert cells(theirs) == ["x/y", "Unknown"]
    theirs["status"] = {"conditions": [{"type": "Available", "status": "False", "reason": "ServiceNotFound"}]}
    assert cells(theirs) == ["x/y", "False (ServiceNotFound)"]
