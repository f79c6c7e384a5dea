"""Objects broken at random places: whatever comes in, the answer is a Status with a reason, never an accident."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from apiserver.registry import KINDS
from tests.integration.apiserver.api import (
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    TABLE,
    Api,
    Object,
    config_map,
    deployment,
    pod,
)

REQUESTS = 400
BASES: dict[str, Object] = {
    "pods": pod(),
    "deployments": deployment(),
    "configmaps": config_map(data={"a": "b"}),
    "services": {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}},
}
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1 << 70, 1.5, "", "x", "é", "a" * 300, "10%", "2026-01-01T00:00:00Z"),
    *([], [None], [1], [[]], [{"name": "x"}], {}, {"a": None}, {"a": 1}, {"": ""}, {"matchLabels": {"a": "b"}}),
)
FIELDS = (
    *("metadata", "spec", "status", "labels", "annotations", "finalizers", "ownerReferences", "generateName", "name"),
    *(
        "namespace",
        "uid",
        "deletionTimestamp",
        "creationTimestamp",
        "managedFields",
        "template",
        "selector",
        "replicas",
    ),
    *("containers", "volumes", "env", "resources", "ports", "tolerations", "affinity", "type", "clusterIP", "data"),
    *("subsets", "endpoints", "involvedObject", "holderIdentity", "taints", "strategy", "apiVersion", "kind"),
)


def places(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """Every container in an object, itself included."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from places(item)
    elif isinstance(value, list):
        yield value
        for item in value:
            yield from places(item)


def broken(obj: Object, chance: random.Random) -> Object:
    made = copy.deepcopy(obj)
    made["metadata"]["name"] = f"f{chance.randint(0, 3)}"
    for _ in range(chance.randint(1, 3)):
        place, value = chance.choice(list(places(made))), copy.deepcopy(chance.choice(VALUES))
        if isinstance(place, dict):
            place[chance.choice([*FIELDS, *place])] = value
        elif place:
            place[chance.randrange(len(place))] = value
    return made


def operations(chance: random.Random) -> list[Any]:
    paths = ("/metadata/labels", "/metadata/name", "/spec", "/spec/containers/0", "/a/b", "", 1)
    names = ("add", "remove", "replace", "test", "move", "copy", "no")
    return [{"op": chance.choice(names), "path": chance.choice(paths), "value": chance.choice(VALUES)}]


@pytest.mark.parametrize("seed", range(4))
async def test_no_accidents(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(REQUESTS):
        kind = chance.choice(KINDS)
        body: Any = broken(BASES.get(kind.plural, {"metadata": {"name": "f"}}), chance)
        collection = api.path(kind.plural, group=kind.group, version=kind.version)
        if not kind.namespaced:
            collection = collection.replace(f"/namespaces/{api.namespace}", "")
        one = f"{collection}/f{chance.randint(0, 3)}"
        sub = chance.choice(("", "", "", "/status", "/scale", "/binding", "/eviction", "/token"))
        method, path, media = chance.choice(
            (
                *(("POST", collection, "application/json"), ("POST", collection, "application/json")),
                *(("POST", one + sub, "application/json"), ("PUT", one + sub, "application/json")),
                *(("PATCH", one + sub, MERGE), ("PATCH", one + sub, STRATEGIC), ("PATCH", one + sub, JSON_PATCH)),
                ("DELETE", one, "application/json"),
            )
        )
        body = operations(chance) if media == JSON_PATCH else body
        query = chance.choice(("", "", "?dryRun=All", "?fieldValidation=Strict"))
        answer = await api.send(method, path + query, body, media, Accept=chance.choice(("application/json", TABLE)))
        assert answer.reason != "InternalError", f"{method} {path}{query} {media} {body}: {answer.body}"
