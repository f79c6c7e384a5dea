"""Server-side apply and managedFields over HTTP: who is noted for which write, what is refused and in which words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.apply.fieldset import paths
from tests.integration.apiserver.api import (
    CORE,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Answer,
    Api,
    Object,
    config_map,
    deployment,
    pod,
)
from tests.integration.apiserver.custom import INTEGER, STRING, custom, obj, version

APPLY = "application/apply-patch+yaml"


async def apply(api: Api, path: str, config: Any, manager: str = "me", query: str = "") -> Answer:
    return await api.patch(f"{path}?fieldManager={manager}{query}", config, APPLY)


def owners(obj: Object) -> dict[tuple[str, ...], list[str]]:
    """The paths each manager owns, by name, operation and, if there is one, subresource."""
    entries = obj["metadata"].get("managedFields") or []
    names = [(each["manager"], each["operation"], each.get("subresource", "")) for each in entries]
    return {tuple(filter(None, name)): list(paths(each["fieldsV1"])) for name, each in zip(names, entries, strict=True)}


def scaled(replicas: int) -> Object:
    return {**deployment(), "spec": {"replicas": replicas}}


async def test_an_apply_creates_merges_and_changes_nothing_twice(api: Api) -> None:
    path = api.path("configmaps", "one")
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: '1'}\n"
    made = await apply(api, path, text)
    assert (made.code, made.body["data"]) == (201, {"a": "1"})
    assert owners(made.body) == {("me", "Apply"): [".data.a"]}
    again = await apply(api, path, config_map(data={"a": "1"}))
    assert (again.code, again.body) == (200, made.body)
    other = await apply(api, path, config_map(data={"b": "2"}), "other")
    assert other.body["data"] == {"a": "1", "b": "2"}
    gone = await apply(api, path, config_map())
    assert gone.body["data"] == {"b": "2"}
    assert owners(gone.body) == {("other", "Apply"): [".data.b"]}
    nothing = await apply(api, path, config_map(), "other")
    assert "data" not in nothing.body
    assert "managedFields" not in nothing.body["metadata"]


async def test_every_write_is_noted_under_its_clients_name(api: Api) -> None:
    path = api.path("pods", "one")
    agent = {"User_Agent": "kube-controller-manager/v1.36.0 (linux/amd64)"}
    await api.send("POST", f"{CORE}/namespaces/{api.namespace}/pods", pod(), **agent)
    await api.patch(f"{path}?fieldManager=labeller", {"metadata": {"labels": {"a": "b"}}})
    await api.send("PATCH", f"{path}/status", {"status": {"message": "hm"}}, MERGE, User_Agent="kubelet/v1.36.0")
    operations = [{"op": "replace", "path": "/spec/containers/0/image", "value": "busybox:2"}]
    await api.send("PATCH", path, operations, JSON_PATCH, User_Agent="fixer")
    seen = (await api.get(path)).body
    found = owners(seen)
    assert found["kubelet", "Update", "status"] == [".status.message"]
    assert found["labeller", "Update"] == [".metadata.labels", ".metadata.labels.a"]
    assert found["fixer", "Update"] == ['.spec.containers[name="main"].image']
    maker = found["kube-controller-manager", "Update"]
    assert ".spec.restartPolicy" in maker
    assert '.spec.containers[name="main"].image' not in maker
    assert not any("serviceAccount" in each or "status" in each for each in maker)  # nobody's: the server set them
    before = seen["metadata"]["managedFields"]
    await api.send("POST", f"{path}/binding", {"metadata": {"name": "one"}, "target": {"name": "n1"}})
    assert (await api.get(path)).body["metadata"]["managedFields"] == before


async def test_conflicts_name_the_owner_and_force_takes_over(api: Api) -> None:
    path = api.path("deployments", "one", group="apps")
    await api.create("deployments", deployment(), "?fieldManager=maker", group="apps")
    refused = await apply(api, path, scaled(5))
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert refused.message == 'Apply failed with 1 conflict: conflict with "maker" using apps/v1: .spec.replicas'
    assert refused.body["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "maker" using apps/v1',
            "field": ".spec.replicas",
        }
    ]
    tried = await apply(api, path, scaled(5), query="&force=true&dryRun=All")
    assert tried.body["spec"]["replicas"] == 5
    assert (await api.get(path)).body["spec"]["replicas"] == 2
    taken = await apply(api, path, scaled(5), query="&force=true")
    assert (taken.body["spec"]["replicas"], taken.body["metadata"]["generation"]) == (5, 2)
    assert owners(taken.body)["me", "Apply"] == [".spec.replicas"]
    assert ".spec.replicas" not in owners(taken.body)["maker", "Update"]


async def test_scale_and_status_are_owned_through_their_subresources(api: Api) -> None:
    path = api.path("deployments", "one", group="apps")
    await apply(api, path, deployment())
    await api.patch(f"{path}/scale?fieldManager=scaler", {"spec": {"replicas": 7}})
    refused = await apply(api, path, scaled(5))
    assert refused.message == (
        'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas'
    )
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one"}, "spec": {"replicas": 9}}
    assert (await apply(api, f"{path}/scale", scale)).code == 409
    applied = await apply(api, f"{path}/scale", scale, query="&force=1")
    assert (applied.code, applied.body["spec"]) == (200, {"replicas": 9})
    found = owners((await api.get(path)).body)
    assert found["me", "Apply", "scale"] == [".spec.replicas"]
    assert ("scaler", "Update", "scale") not in found
    status = {**deployment(), "spec": {"replicas": 1}, "status": {"replicas": 3}}
    said = await apply(api, f"{path}/status", status, "controller")
    assert (said.body["status"]["replicas"], said.body["spec"]["replicas"]) == (3, 9)
    assert owners(said.body)["controller", "Apply", "status"] == [".status.replicas"]
    assert (await apply(api, api.path("deployments", "none", "status", group="apps"), deployment())).code == 404


async def test_what_an_apply_must_say(api: Api) -> None:
    path = api.path("configmaps", "one")
    nobody = await api.patch(path, config_map(), APPLY)
    assert (nobody.code, nobody.reason) == (422, "Invalid")
    assert nobody.message == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )
    forced = await api.patch(f"{path}?force=true", {}, MERGE)
    assert forced.message == (
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
    )
    untyped = await apply(api, path, {"metadata": {"name": "one"}})
    assert (untyped.code, untyped.message) == (400, "invalid object type: /, Kind=")
    managed = {**config_map(), "metadata": {"name": "one", "managedFields": []}}
    assert (await apply(api, path, managed)).message == "metadata.managedFields must be nil"
    unknown = await apply(api, path, config_map(dada={}))
    assert (unknown.code, unknown.message) == (
        500,
        "failed to create typed patch object (/one; /v1, Kind=ConfigMap): .dada: field not declared in schema",
    )
    cbor = await api.patch(f"{path}?fieldManager=me", b"\xa0", "application/apply-patch+cbor")
    assert cbor.code == 415
    assert cbor.message.endswith(
        "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
        "application/apply-patch+yaml"
    )
    assert (await apply(api, path, b"a: [")).code == 400
    twice = b"apiVersion: v1\nkind: ConfigMap\ndata: {a: '1'}\ndata: {a: '2'}\n"
    strict = await apply(api, path, twice, query="&fieldValidation=Strict")
    assert strict.code == 400
    assert 'key "data" already set in map' in strict.message
    other = await apply(api, path, config_map("two"))
    assert other.message == "the name of the object (two) does not match the name on the URL (one)"
    assert (await api.get(path)).code == 404


async def test_an_apply_may_name_the_object_it_means(api: Api) -> None:
    path = api.path("configmaps", "one")
    config = config_map(data={"a": "1"})
    lost = await apply(api, path, {**config, "metadata": {"name": "one", "uid": "0-0"}})
    assert (lost.code, lost.reason) == (409, "Conflict")
    assert "uid mismatch: the provided object specified uid 0-0, and no existing object was found" in lost.message
    made = await apply(api, path, config)
    stale = {**config, "metadata": {"name": "one", "resourceVersion": made.version}}
    assert (await apply(api, path, {**stale, "data": {"a": "2"}})).code == 200
    assert (await apply(api, path, {**stale, "data": {"a": "3"}})).code == 409
    assert (await apply(api, path, {**config, "metadata": {"name": "one", "uid": "0-0"}})).code == 409


@pytest.mark.parametrize("manager", ["x" * 129, "tab\there", "line\n"])
async def test_managers_have_printable_names(api: Api, manager: str) -> None:
    from urllib.parse import quote

    answer = await api.create("configmaps", config_map(), f"?fieldManager={quote(manager)}")
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.body["details"]["causes"][0]["field"] == "fieldManager"


async def test_clients_may_drop_keep_or_reset_managers(api: Api) -> None:
    path = api.path("configmaps", "one")
    made = (await api.create("configmaps", config_map(data={"a": "1"}), "?fieldManager=maker")).body
    managed = made["metadata"]["managedFields"]
    bare = {**made, "metadata": {"name": "one"}}
    assert (await api.send("PUT", path, bare)).body["metadata"]["managedFields"] == managed
    nonsense = {**made, "metadata": {**made["metadata"], "managedFields": [{"fieldsV1": {"f:a": {}}}]}}
    kept = await api.send("PUT", path, nonsense)
    assert (kept.code, kept.body["metadata"]["managedFields"]) == (200, managed)
    resets: list[list[Object]] = [[], [{}]]
    for reset in resets:
        await apply(api, path, config_map(data={"z": "1"}))
        done = await api.patch(path, {"metadata": {"managedFields": reset}})
        assert (done.code, done.body["metadata"].get("managedFields")) == (200, None)
    untracked = await api.patch(path, {"data": {"b": "2"}})
    assert "managedFields" not in untracked.body["metadata"]
    first = await apply(api, path, config_map(data={"c": "3"}))
    assert owners(first.body) == {
        ("me", "Apply"): [".data.c"],
        ("before-first-apply", "Update"): [".data", ".data.a", ".data.b", ".data.z"],
    }


async def test_a_write_that_changes_nothing_is_none(api: Api) -> None:
    path = api.path("deployments", "one", group="apps")
    made = await api.create("deployments", deployment(), group="apps")
    same = await api.patch(f"{path}?fieldManager=other", {"spec": {"replicas": 2}}, STRATEGIC)
    assert same.body == made.body
    status = await api.send("PUT", path, {**made.body, "status": {"replicas": 3}})
    assert status.body == made.body
    applied = await apply(api, path, {**deployment(), "status": {"replicas": 9}})
    assert (await apply(api, path, {**deployment(), "status": {"replicas": 9}})).version == applied.version


async def test_applies_at_once_all_arrive(api: Api) -> None:
    path = api.path("configmaps", "one")
    managers = [f"m{index}" for index in range(6)]
    answers = await asyncio.gather(*(apply(api, path, config_map(data={m: "1"}), m) for m in managers))
    assert sorted(answer.code for answer in answers) == [200, 200, 200, 200, 200, 201]
    final = (await api.get(path)).body
    assert sorted(final["data"]) == managers
    assert len(owners(final)) == 6


async def test_an_object_that_is_too_large_with_its_owners_is_kept_without(api: Api) -> None:
    labels = {f"key-{index:05}": "y" * 63 for index in range(18_000)}
    many = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "labels": labels}}
    made = await api.create("configmaps", many)
    assert made.code == 201, made.message
    assert "managedFields" not in made.body["metadata"]


async def test_owners_in_two_versions_of_one_object(api: Api) -> None:
    def path(version: str) -> str:
        return api.path("horizontalpodautoscalers", "one", group="autoscaling", version=version)

    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5}
    new = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "one"}}
    made = await apply(
        api, path("v2"), {**new, "spec": {**spec, "metrics": [{"type": "Resource", "resource": metric}]}}
    )
    assert made.code == 201, made.message
    await api.patch(f"{path('v1')}?fieldManager=old", {"spec": {"maxReplicas": 9}})
    found = owners((await api.get(path("v2"))).body)
    assert found["old", "Update"] == [".spec.maxReplicas"]
    assert ".spec.maxReplicas" not in found["me", "Apply"]
    assert ".spec.metrics" in found["me", "Apply"]
    await api.patch(f"{path('v1')}?fieldManager=old", {"spec": {"targetCPUUtilizationPercentage": 50}})
    body = (await api.get(path("v2"))).body
    assert body["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    found = owners(body)
    assert ".spec.metrics" not in found["me", "Apply"]
    assert ".spec.targetCPUUtilizationPercentage" in found["old", "Update"]
    refused = await apply(api, path("v2"), {**new, "spec": {**spec, "maxReplicas": 3}})
    assert refused.message == (
        'Apply failed with 1 conflict: conflict with "old" using autoscaling/v1: .spec.maxReplicas'
    )


async def test_custom_kinds_are_applied_by_their_schemas(api: Api) -> None:
    ports = {
        "type": "array",
        "items": obj(port=INTEGER, protocol={"type": "string", "default": "TCP"}, name=STRING) | {"required": ["port"]},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
    }
    tags = {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"}
    whole = obj(a=STRING, b=STRING) | {"x-kubernetes-map-type": "atomic"}
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    spec = obj(size=INTEGER, ports=ports, tags=tags, whole=whole, free=free, plain={"type": "array", "items": STRING})
    async with custom(api, version(schema=spec)) as things:
        path = things.path("one")
        wish = {
            "size": 1,
            "ports": [{"port": 80, "name": "web"}],
            "tags": ["x"],
            "whole": {"a": "1"},
            "free": {"deep": {"er": 1}},
            "plain": ["a"],
        }
        made = await apply(api, path, things.thing("one", wish))
        assert made.code == 201, made.message
        assert owners(made.body)["me", "Apply"] == [
            ".spec.free.deep.er",
            ".spec.plain",
            '.spec.ports[port=80,protocol="TCP"]',
            '.spec.ports[port=80,protocol="TCP"].name',
            '.spec.ports[port=80,protocol="TCP"].port',
            ".spec.size",
            '.spec.tags[="x"]',
            ".spec.whole",
        ]
        more = {"ports": [{"port": 80, "protocol": "UDP"}], "tags": ["y"], "free": {"deep": {"other": 2}}}
        both = (await apply(api, path, things.thing("one", more), "other")).body["spec"]
        assert [(each["port"], each["protocol"]) for each in both["ports"]] == [(80, "TCP"), (80, "UDP")]
        assert (both["tags"], both["free"]) == (["x", "y"], {"deep": {"er": 1, "other": 2}})
        refused = await apply(api, path, things.thing("one", {"whole": {"b": "2"}}), "other")
        assert refused.message == 'Apply failed with 1 conflict: conflict with "me": .spec.whole'
        less = (await apply(api, path, things.thing("one", {"size": 1}))).body["spec"]
        assert less == {"size": 1, **more}
        unknown = await apply(api, path, things.thing("one", {"sise": 1}))
        assert unknown.message.endswith(".spec.sise: field not declared in schema")
        strategic = await api.patch(path, {"spec": {"size": 2}}, STRATEGIC)
        assert strategic.code == 415
        assert "strategic" not in strategic.message


async def test_a_dry_run_of_every_write_stores_nothing(api: Api) -> None:
    await api.create("deployments", deployment(), group="apps")
    await api.create("pods", pod())
    web, one = api.path("deployments", "one", group="apps"), api.path("pods", "one")
    before = [(await api.get(path)).body for path in (web, one)]
    scale = (await api.get(f"{web}/scale")).body
    binding = {"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "n1"}}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one"}}
    dry = "?dryRun=All"
    answers = [
        await api.send("PUT", web + dry, {**before[0], "spec": {**before[0]["spec"], "replicas": 7}}),
        await api.patch(f"{web}/status{dry}", {"status": {"replicas": 9}}),
        await api.send("PUT", f"{web}/scale{dry}", {**scale, "spec": {"replicas": 8}}),
        await api.patch(f"{web}/scale{dry}", {"spec": {"replicas": 8}}),
        await apply(api, web, scaled(4), query="&dryRun=All&force=true"),
        await api.send("POST", f"{one}/binding{dry}", binding),
        await api.send("POST", f"{one}/eviction{dry}", eviction),
        await api.delete(f"{one}{dry}"),
        await api.delete(api.path("pods"), {"dryRun": ["All"]}),
        await apply(api, api.path("configmaps", "new"), config_map("new"), query="&dryRun=All"),
    ]
    assert [answer.code for answer in answers] == [200, 200, 200, 200, 200, 201, 201, 200, 200, 201]
    assert answers[0].body["spec"]["replicas"] == 7
    assert answers[2].body["spec"]["replicas"] == 8
    assert [(await api.get(path)).body for path in (web, one)] == before
    assert (await api.get(api.path("configmaps", "new"))).code == 404


async def test_true_is_not_one(api: Api) -> None:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    async with custom(api, version(schema=free)) as things:
        made = await things.create("one", {"on": 1, "list": [0]}, query="?fieldManager=maker")
        path = things.path("one")
        changed = await api.patch(f"{path}?fieldManager=changer", {"spec": {"on": True, "list": [False]}})
        assert changed.version != made.version
        assert (await things.get("one"))["spec"] == {"on": True, "list": [False]}
        assert isinstance((await things.get("one"))["spec"]["on"], bool)
        assert owners(changed.body)["changer", "Update"] == [".spec.list", ".spec.on"]
