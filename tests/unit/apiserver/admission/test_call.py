"""Questions to webhooks that are answered before anybody is asked."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from api.errors import BadRequest, InternalError
from apiserver.admission.webhooks.call import CallFailed, Question, ask, excuse
from apiserver.admission.webhooks.configuration import Hook
from apiserver.admission.webhooks.mutating import Rounds
from apiserver.admission.webhooks.patching import apply
from apiserver.endpoints.state import State
from tests.unit.apiserver.admission.test_matching import attributes

RULE = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}


class Answers:
    """In place of the connections: each webhook answers with what is planned for its URL, and is noted."""

    def __init__(self, **planned: Any) -> None:
        self.planned = planned
        self.asked: list[str] = []

    async def post(self, client: dict[str, str], document: dict[str, Any], seconds: int) -> dict[str, Any]:
        self.asked.append(client["url"])
        uid = document["request"]["uid"]
        response = {"uid": uid, "allowed": True, **self.planned.get(client["url"], {})}
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def hook(url: str = "x", **fields: Any) -> Hook:
    spec = {"name": f"{url}.b.c", "clientConfig": {"url": url}, "admissionReviewVersions": ["v1"], "rules": [RULE]}
    return Hook.of({**spec, "sideEffects": "None", **fields}, "one", ord(url))


def question(answers: Answers, obj: dict[str, Any] | None = None) -> Question:
    state = SimpleNamespace(webhooks=answers, catalog=())
    return Question(cast(State, state), attributes("configmaps"), obj, None)


def labelled(key: str) -> dict[str, Any]:
    patch = orjson.dumps([{"op": "add", "path": f"/metadata/labels/{key}", "value": "yes"}])
    return {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}


def config_map() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "default", "labels": {}}}


async def test_dry_runs_and_side_effects() -> None:
    about = question(Answers())
    about.attributes.dry_run = True
    with pytest.raises(BadRequest, match=r'admission webhook "x\.b\.c" does not support dry run'):
        await ask(hook(sideEffects="Some"), about, about.attributes.resource, mutating=True)
    assert (await ask(hook(sideEffects="NoneOnDryRun"), about, about.attributes.resource, mutating=True)).allowed


def test_failures_pass_or_do_not() -> None:
    about, failed = attributes(), CallFailed("x.b.c", "why")
    with pytest.raises(InternalError, match=r'Internal error occurred: failed calling webhook "x\.b\.c": why'):
        excuse(hook(), failed, about, "note")
    excuse(hook(failurePolicy="Ignore"), failed, about, "note")
    assert about.annotations == {"note": "x.b.c"}


async def test_nothing_can_be_changed_of_what_goes() -> None:
    about = question(Answers())
    with pytest.raises(
        InternalError, match="attempted to modify the object, which is not supported for this operation"
    ):
        await apply("x.b.c", about, about.attributes.resource, [{"op": "remove", "path": "/data"}])


@pytest.mark.parametrize(
    ("policies", "changing", "asked"),
    [
        ({"a": "IfNeeded", "b": "Never"}, "b", "aba"),  # a looks at what b did
        ({"a": "IfNeeded", "b": "IfNeeded"}, "b", "aba"),  # nothing changed after b
        ({"a": "IfNeeded", "b": "IfNeeded"}, "a", "ab"),  # nothing changed after a, but by itself
        ({"a": "Never", "b": "IfNeeded"}, "b", "ab"),
        ({"a": "IfNeeded", "b": "Never"}, "", "ab"),
        ({"a": "IfNeeded", "b": "IfNeeded", "c": "Never"}, "c", "abcab"),
    ],
)
async def test_who_is_asked_again(policies: dict[str, str], changing: str, asked: str) -> None:
    answers = Answers(**({changing: labelled("k")} if changing else {}))
    hooks = tuple(hook(url, reinvocationPolicy=policy) for url, policy in policies.items())
    rounds = Rounds(question(answers, config_map()), hooks)
    if await rounds.first():
        await rounds.second()
    assert "".join(answers.asked) == asked


async def test_all_are_asked_again_when_the_server_itself_changed_something_between() -> None:
    answers, obj = Answers(a=labelled("k")), config_map()
    hooks = (hook("a", reinvocationPolicy="IfNeeded"), hook("b", reinvocationPolicy="IfNeeded"))
    rounds = Rounds(question(answers, obj), hooks)
    assert await rounds.first()
    obj["data"] = {"by": "a plugin"}
    await rounds.second()
    assert "".join(answers.asked) == "abab"
