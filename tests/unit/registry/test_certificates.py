"""CertificateSigningRequests: what is taken, who is noted as their author, who may change what by which way."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from apiserver.registry.certificatesigningrequest import KIND
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, golden, ids, judged, refused
from tests.unit.registry.support import NOW, context, create, edited

DOMAIN = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
PEM = "PEM block type must be CERTIFICATE REQUEST"
REFUSED: list[Case] = [
    ("spec.request", "YWJj", [f'spec.request: Invalid value: "YWJj": {PEM}']),
    ("spec.usages", [], ["spec.usages: Required value"]),
    ("spec.usages", ["client auth"] * 2, ['spec.usages[1]: Duplicate value: "client auth"']),
    ("spec.signerName", None, ["spec.signerName: Required value"]),
    ("spec.signerName", "people", [f'spec.signerName: Invalid value: "people": {DOMAIN}']),
    ("spec.signerName", "example/people", [
        'spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots']),
    ("spec.signerName", "kubernetes.io/legacy-unknown", [
        'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this '
        "API version"]),
    ("spec.expirationSeconds", 599, [
        "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)"]),
    ("metadata.name", "any Name!", []),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), REFUSED, ids=ids(REFUSED))
def test_refused(path: str, value: Any, messages: list[str]) -> None:
    assert refused("certificatesigningrequest", path, value) == messages


def test_a_usage_that_nobody_knows() -> None:
    (message,) = refused("certificatesigningrequest", "spec.usages", ["fun"])
    assert message.startswith('spec.usages[0]: Unsupported value: "fun": supported values: "any", "cert sign", "client')


def test_a_request_whose_signature_is_not_its_own() -> None:
    request = base64.b64decode(golden("certificatesigningrequest")[0]["spec"]["request"]).decode()
    lines = request.splitlines()
    lines[-2] = ("A" if lines[-2][5] != "A" else "B").join((lines[-2][:5], lines[-2][6:]))
    spoilt = base64.b64encode("\n".join(lines).encode()).decode()
    (message,) = refused("certificatesigningrequest", "spec.request", spoilt)
    assert "x509: " in message


def test_whoever_asks_is_noted_whatever_they_say() -> None:
    asker = replace(context(), user="ann", groups=("staff",), uid="7", extra={"a": ("b",)})
    sent = edited(golden("certificatesigningrequest")[0], "spec.username", "admin")
    spec = create(sent, asker)[0]["spec"]
    assert (spec["username"], spec["groups"], spec["uid"], spec["extra"]) == ("ann", ["staff"], "7", {"a": ["b"]})


def condition(kind: str, status: str = "True", **more: Any) -> Object:
    return {"type": kind, "status": status, **more}


APPROVED, DENIED = condition("Approved"), condition("Denied")
KEPT = 'status.conditions: Forbidden: updates may not {} a condition of type "Approved"'
STATUSES: list[tuple[Object, Object, list[str]]] = [
    ({}, {"conditions": [APPROVED]}, [KEPT.format("add")]),
    ({"conditions": [APPROVED]}, {"conditions": [APPROVED, condition("Failed")]}, []),
    ({"conditions": [APPROVED]}, {"conditions": []}, [KEPT.format("remove")]),
    ({"conditions": [APPROVED]}, {"conditions": [condition("Approved", reason="x")]}, [KEPT.format("modify")]),
    ({}, {"certificate": "YWJj"}, [
        'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block']),
    ({}, {"conditions": [condition("Mine", "Maybe"), condition("Mine", "")]}, [
        'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
        "status.conditions[1].status: Required value", 'status.conditions[1].type: Duplicate value: "Mine"']),
]  # fmt: skip


@pytest.mark.parametrize(("before", "status", "messages"), STATUSES, ids=[str(n) for n in range(len(STATUSES))])
def test_statuses(before: Object, status: Object, messages: list[str]) -> None:
    now = {"lastUpdateTime": "2026-11-22T12:00:00Z", "lastTransitionTime": "2026-11-22T12:00:00Z"}
    dated = {**before, "conditions": [{**each, **now} for each in before.get("conditions", ())]}
    given = {**status, "conditions": [{**each, **now} for each in status.get("conditions", ())]}
    assert judged("certificatesigningrequest", given, dated) == messages


def approve(status: Object, before: Object | None = None) -> tuple[Object, list[str]]:
    strategy, old = KIND.parts["approval"], edited(golden("certificatesigningrequest")[1], "status", before or {})
    new = edited(edited(old, "status", status), "spec.signerName", "other.com/x")
    strategy.prepare_for_update(new, old, context())
    return new, [error.message for error in strategy.validate_update(new, old, context())]


def test_approval() -> None:
    new, messages = approve({"conditions": [APPROVED]})
    assert messages == []
    assert new["spec"]["signerName"] == "example.com/people"
    assert new["status"]["conditions"][0]["lastTransitionTime"] == "2026-11-22T12:00:00Z"
    assert approve({"conditions": [APPROVED, DENIED]})[1] == [
        'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'
    ]
    assert approve({"conditions": []}, {"conditions": [DENIED]})[1] == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Denied"'
    ]


def test_a_request_does_not_change() -> None:
    assert changed("certificatesigningrequest", "spec.signerName", "other.com/x") == []


CONDITIONS = [
    ({}, "Pending"),
    ({"conditions": [APPROVED], "certificate": "x"}, "Approved,Issued"),
    ({"conditions": [DENIED, condition("Failed")]}, "Denied,Failed"),
]


@pytest.mark.parametrize(("status", "shown"), CONDITIONS)
def test_rows(status: Object, shown: str) -> None:
    obj = edited(golden("certificatesigningrequest")[1], "status", status)
    obj["metadata"]["creationTimestamp"] = "2026-11-22T11:00:00Z"
    cells = [column.cell(obj, NOW) for column in table_columns(KIND)]
    assert cells == ["ann", "60m", "example.com/people", "", "60m", shown]
