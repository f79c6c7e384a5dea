"""Questions on who somebody is and what they may: answers, and questions that are none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.apiserver.api import Api, Object

AUTHENTICATION, AUTHORIZATION = "/apis/authentication.k8s.io/v1", "/apis/authorization.k8s.io/v1"
PODS = {"verb": "get", "resource": "pods"}
NO_SUBJECT = 'spec.user: Invalid value: "": at least one of user or group must be specified'
ONE = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


async def ask(api: Api, path: str, spec: Object, **metadata: Any) -> Object:
    answer = await api.send("POST", path, {"spec": spec, **({"metadata": metadata} if metadata else {})})
    assert answer.code == 201, answer.message
    status: Object = answer.body["status"]
    return status


async def test_access(api: Api) -> None:
    subject = f"{AUTHORIZATION}/subjectaccessreviews"
    assert await ask(api, subject, {"user": "ann", "resourceAttributes": PODS}) == {"allowed": False}
    masters = {"groups": ["system:masters"], "nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    assert await ask(api, subject, masters) == {"allowed": True}
    local = api.path("localsubjectaccessreviews", group="authorization.k8s.io")
    here = {"user": "ann", "resourceAttributes": {**PODS, "namespace": api.namespace}}
    assert await ask(api, local, here) == {"allowed": False}
    assert await ask(api, f"{AUTHORIZATION}/selfsubjectaccessreviews", {"resourceAttributes": PODS}) == {
        "allowed": True
    }


async def test_rules(api: Api) -> None:
    status = await ask(api, f"{AUTHORIZATION}/selfsubjectrulesreviews", {"namespace": "default"})
    assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in status["resourceRules"]
    assert status["nonResourceRules"] == [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
    assert status["incomplete"] is False


NO_QUESTIONS: list[tuple[str, Object, int, str]] = [
    ("subjectaccessreviews", {"resourceAttributes": PODS}, 422, NO_SUBJECT),
    ("selfsubjectaccessreviews", {}, 422, ONE),
    ("selfsubjectaccessreviews", {"resourceAttributes": PODS, "nonResourceAttributes": {}}, 422,
     "cannot be specified in combination with resourceAttributes"),
    ("selfsubjectrulesreviews", {}, 400, "no namespace on request"),
    ("localsubjectaccessreviews", {"user": "a", "resourceAttributes": {**PODS, "namespace": "other"}}, 422,
     'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace'),
    ("localsubjectaccessreviews", {"user": "a", "nonResourceAttributes": {"path": "/"}}, 422,
     "disallowed on this kind of request"),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "spec", "code", "words"), NO_QUESTIONS)
async def test_no_questions(api: Api, plural: str, spec: Object, code: int, words: str) -> None:
    path = api.path(plural, group="authorization.k8s.io") if plural.startswith("local") else f"{AUTHORIZATION}/{plural}"
    answer = await api.send("POST", path, {"spec": spec})
    assert answer.code == code
    assert words in answer.message


async def test_tokens_are_for_their_audiences(api: Api) -> None:
    assert (await api.create("serviceaccounts", {"metadata": {"name": "it"}})).code == 201
    asked = {"spec": {"audiences": ["vault", "mail"]}}
    token = (await api.send("POST", api.path("serviceaccounts", "it", "token"), asked)).body["status"]["token"]
    reviews = f"{AUTHENTICATION}/tokenreviews"
    found = await ask(api, reviews, {"token": token, "audiences": ["mail", "other"]})
    assert (found["authenticated"], found["audiences"]) == (True, ["mail"])
    assert found["user"]["username"] == f"system:serviceaccount:{api.namespace}:it"
    assert (await ask(api, reviews, {"token": token}))["authenticated"] is False
    assert (await ask(api, reviews, {"token": token, "audiences": ["other"]}))["authenticated"] is False
    answer = await api.send("POST", reviews, {"spec": {}})
    assert (answer.code, answer.message) == (400, "token is required for TokenReview in authentication")
