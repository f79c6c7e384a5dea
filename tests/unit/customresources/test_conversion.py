"""Between versions: what is renamed, what a webhook may answer, and what is done with its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from api.errors import StatusError
from apiserver.customresources.conversion import conversion_of
from apiserver.registry.kind import Object
from apiserver.remote.webhook import WebhookError, Webhooks

GROUP = "example.com"


def version(name: str, **fields: Any) -> Object:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    return {"name": name, "schema": {"openAPIV3Schema": schema}}


def crd(*versions: Object, webhook: bool = False) -> Object:
    conversion: Object = {"strategy": "None"}
    if webhook:
        client = {"url": "https://localhost/convert"}
        conversion = {
            "strategy": "Webhook",
            "webhook": {"clientConfig": client, "conversionReviewVersions": ["v2", "v1"]},
        }
    return {"spec": {"group": GROUP, "versions": list(versions), "conversion": conversion}}


def thing(name: str = "a", version: str = "v1", **spec: Any) -> Object:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "7"}
    return {"apiVersion": f"{GROUP}/{version}", "kind": "Thing", "metadata": metadata, "spec": spec}


class Hook:
    """Stands for the connections to webhooks."""

    def __init__(self, answer: Callable[[Object], Object]) -> None:
        self.answer = answer
        self.asked: list[Object] = []

    async def post(self, client: Object, document: Object, seconds: int) -> Object:
        self.asked.append(document)
        response = self.answer(document["request"])
        head = {"kind": "ConversionReview", "apiVersion": document["apiVersion"]}
        return {**head, "response": {"uid": document["request"]["uid"], **response}}


def converted(request: Object, **changes: Any) -> Object:
    """What a good webhook answers."""
    objects = [{**obj, "apiVersion": request["desiredAPIVersion"], **changes} for obj in request["objects"]]
    return {"result": {"status": "Success"}, "convertedObjects": objects}


async def convert(answer: Callable[[Object], Object], *objects: Object) -> list[Object]:
    versions = version("v1", size={"type": "integer"}), version("v2", size={"type": "integer"})
    change = conversion_of(crd(*versions, webhook=True), cast(Webhooks, Hook(answer)))
    assert change is not None
    return await change(list(objects), f"{GROUP}/v2")


def test_versions_that_say_the_same_need_no_conversion() -> None:
    assert conversion_of(crd(version("v1"), version("v2")), cast(Webhooks, None)) is None


async def test_only_the_name_changes_and_the_schema_is_kept_to() -> None:
    one = version("v1", old={"type": "string"}, was={"type": "string", "default": "w"})
    two = version("v2", new={"type": "string", "default": "n"}, was={"type": "string"})
    change = conversion_of(crd(one, two), cast(Webhooks, None))
    assert change is not None
    given = thing(old="x")
    (found,) = await change([given], f"{GROUP}/v2")
    assert found == {**thing(), "apiVersion": f"{GROUP}/v2", "spec": {"was": "w", "new": "n"}}
    assert given == thing(old="x")


async def test_a_webhook_converts_all_at_once() -> None:
    hook = Hook(lambda request: converted(request, spec={"size": 2, "unknown": 1}))
    change = conversion_of(
        crd(version("v1"), version("v2", size={"type": "integer"}), webhook=True), cast(Webhooks, hook)
    )
    assert change is not None
    found = await change([thing("a", size=1), thing("b")], f"{GROUP}/v2")
    assert [(each["metadata"]["name"], each["spec"]) for each in found] == [("a", {"size": 2}), ("b", {"size": 2})]
    (asked,) = hook.asked
    assert (asked["apiVersion"], asked["kind"]) == ("apiextensions.k8s.io/v1", "ConversionReview")
    assert asked["request"]["desiredAPIVersion"] == f"{GROUP}/v2"


async def test_labels_and_annotations_may_change_and_nothing_else() -> None:
    def answer(request: Object) -> Object:
        (obj,) = request["objects"]
        metadata = {**obj["metadata"], "labels": {"a": "b"}, "resourceVersion": "99", "finalizers": ["x/y"]}
        return converted(request, metadata=metadata)

    (found,) = await convert(answer, thing())
    assert found["metadata"] == {**thing()["metadata"], "labels": {"a": "b"}}


_WHAT = f"conversion webhook for {GROUP}/v1, Kind=Thing"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _: {"result": {"status": "Failed", "message": "no way"}}, f"{_WHAT} failed: no way"),
        (lambda _: {}, f"{_WHAT} failed: response.result.status was '', not 'Success'"),
        (lambda _: {"result": {"status": "Success"}}, f"{_WHAT} returned 0 objects, expected 1"),
        (lambda request: {**converted(request), "uid": "other"}, 'got "other"'),
        (
            lambda request: {"result": {"status": "Success"}, "convertedObjects": request["objects"]},
            f"{_WHAT} returned invalid converted object at index 0: "
            f"invalid groupVersion (expected {GROUP}/v2, received {GROUP}/v1)",
        ),
        (lambda request: converted(request, kind="Other"), "invalid kind (expected Thing, received Other)"),
        (
            lambda request: converted(request, metadata={**request["objects"][0]["metadata"], "name": "z"}),
            "must have the same name: a != z",
        ),
        (
            lambda request: converted(request, metadata={**request["objects"][0]["metadata"], "uid": "z"}),
            "must have the same UID: uid-a != z",
        ),
        (lambda request: converted(request, metadata=None), "it is no object with metadata"),
        (
            lambda request: converted(request, metadata={**request["objects"][0]["metadata"], "labels": {"a": 1}}),
            "metadata.labels must be a map of strings",
        ),
    ],
)
async def test_bad_answers(answer: Callable[[Object], Object], message: str) -> None:
    with pytest.raises(StatusError) as caught:
        await convert(answer, thing())
    assert str(caught.value).endswith(message)
    assert caught.value.code == 500


async def test_a_webhook_that_cannot_be_reached() -> None:
    def unreachable(request: Object) -> Object:
        raise WebhookError('Post "https://localhost/convert": EOF')

    with pytest.raises(StatusError, match=r"failed: Post .* EOF"):
        await convert(unreachable, thing())
