"""What is read from a webhook's answer, and what is said when it cannot be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from apiserver.admission.webhooks.review import InvalidAnswer, Verdict, denial, read, request, review
from tests.unit.apiserver.admission.test_matching import attributes

PATCH = base64.b64encode(json.dumps([{"op": "remove", "path": "/data"}]).encode()).decode()


def answer(**response: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u", "allowed": True, **response},
    }


def test_a_subresource_may_have_a_kind_of_its_own() -> None:
    about = attributes(subresource="eviction")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction"}
    asked = request(about, about.resource, eviction, None)
    assert asked["kind"] == {"group": "policy", "version": "v1", "kind": "Eviction"}
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "pods"}
    assert (asked["subResource"], asked["requestSubResource"]) == ("eviction", "eviction")


def test_each_review_has_a_uid_of_its_own() -> None:
    asked = request(attributes(), attributes().resource, {}, None)
    (one, document), (other, _) = review(asked, "v1"), review(asked, "v1")
    assert one != other
    assert document["request"]["uid"] == one
    assert document["apiVersion"] == "admission.k8s.io/v1"


def test_a_full_answer() -> None:
    verdict = read(
        answer(patchType="JSONPatch", patch=PATCH, warnings=["w"], auditAnnotations={"a": "b"}),
        "u",
        "v1",
        mutating=True,
    )
    assert verdict == Verdict(True, {}, [{"op": "remove", "path": "/data"}], ("w",), {"a": "b"})


@pytest.mark.parametrize(
    ("given", "mutating", "why"),
    [
        ({"kind": "AdmissionReview"}, True, "webhook response was absent"),
        (answer(uid="x"), True, 'expected response.uid="u", got "x"'),
        (
            {**answer(), "apiVersion": "admission.k8s.io/v1beta1"},
            True,
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
            "got admission.k8s.io/v1beta1, Kind=AdmissionReview",
        ),
        (answer(patch=PATCH), True, "webhook returned response.patch but not response.patchType"),
        (answer(patchType="JSONPatch"), True, "webhook returned response.patchType but not response.patch"),
        (answer(patch=PATCH, patchType=""), True, 'webhook returned invalid response.patchType of ""'),
        (answer(patch=PATCH, patchType="Merge"), True, 'unsupported patch type "Merge"'),
        (answer(patch=PATCH, patchType="JSONPatch"), False, "validating webhook may not return response.patch"),
        (answer(patchType="JSONPatch"), False, "validating webhook may not return response.patchType"),
    ],
)
def test_answers_that_are_none(given: dict[str, Any], mutating: bool, why: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        read(given, "u", "v1", mutating=mutating)
    assert str(caught.value) == why


def test_what_makes_no_sense_beside_the_verdict_is_left_out() -> None:
    verdict = read(answer(warnings=7, auditAnnotations=[], status="x", allowed="yes"), "u", "v1", mutating=False)
    assert verdict == Verdict(False)
    assert read(answer(warnings=["a", 1]), "u", "v1", mutating=False).warnings == ("a",)


def test_the_old_version_is_taken_more_lightly() -> None:
    given = {"response": {"allowed": True, "patch": PATCH}}
    assert read(given, "u", "v1beta1", mutating=True).patch == [{"op": "remove", "path": "/data"}]


@pytest.mark.parametrize(
    ("result", "code", "reason", "message"),
    [
        ({}, 400, "", "denied the request without explanation"),
        ({"reason": "Conflict"}, 400, "Conflict", "denied the request: Conflict"),
        ({"message": "no", "code": 200}, 400, "", "denied the request: no"),
        ({"message": "no", "code": 409, "reason": "Conflict"}, 409, "Conflict", "denied the request: no"),
    ],
)
def test_refusals(result: dict[str, Any], code: int, reason: str, message: str) -> None:
    refusal = denial("a.b.c", result)
    assert (refusal.code, refusal.reason, refusal.message) == (code, reason, f'admission webhook "a.b.c" {message}')
