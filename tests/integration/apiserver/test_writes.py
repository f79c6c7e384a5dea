"""Create, update and patch: identity, versions, options, and the words of each refusal."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.apiserver.api import (
    CORE,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    TABLE,
    Api,
    config_map,
    deployment,
    pod,
)


async def test_a_new_object_gets_its_identity_from_the_server(api: Api) -> None:
    given = config_map()
    given["metadata"] |= {"uid": "mine", "creationTimestamp": "1999-01-01T00:00:00Z", "selfLink": "/x", "generation": 9}
    made = await api.create("configmaps", given)
    meta = made.body["metadata"]
    assert made.code == 201
    assert meta["namespace"] == api.namespace
    assert meta["uid"] not in ("", "mine")
    assert len(meta["uid"]) == 36
    assert meta["creationTimestamp"].startswith("20")
    assert meta["resourceVersion"].isdigit()
    assert "selfLink" not in meta
    assert "generation" not in meta
    assert (await api.get(api.path("configmaps", "one"))).body == made.body


async def test_a_name_is_made_up_on_demand(api: Api) -> None:
    unnamed = {"metadata": {"generateName": "many-"}}
    answers = [await api.create("configmaps", unnamed) for _ in range(3)]
    names = {answer.body["metadata"]["name"] for answer in answers}
    assert len(names) == 3
    assert all(name.startswith("many-") and len(name) == len("many-") + 5 for name in names)


async def test_a_name_is_taken_once(api: Api) -> None:
    await api.create("configmaps", config_map())
    again = await api.create("configmaps", config_map())
    assert (again.code, again.reason) == (409, "AlreadyExists")
    assert again.message == 'configmaps "one" already exists'
    assert again.body["details"] == {"name": "one", "kind": "configmaps"}
    deploy = [await api.create("deployments", deployment(), group="apps") for _ in range(2)][1]
    assert deploy.message == 'deployments.apps "one" already exists'


async def test_the_path_decides_on_the_namespace(api: Api) -> None:
    elsewhere = config_map()
    elsewhere["metadata"]["namespace"] = "default"
    answer = await api.create("configmaps", elsewhere)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "namespace of the provided object does not match the namespace sent on the request" in answer.message


async def test_nothing_is_made_in_a_namespace_that_is_not_there(api: Api) -> None:
    api.namespace = "nowhere"
    answer = await api.create("configmaps", config_map())
    assert (answer.code, answer.message) == (404, 'namespaces "nowhere" not found')


async def test_a_new_object_has_no_version_yet(api: Api) -> None:
    given = config_map()
    given["metadata"]["resourceVersion"] = "5"
    answer = await api.create("configmaps", given)
    assert (answer.code, answer.message) == (500, "resourceVersion should not be set on objects to be created")


async def test_an_update_of_an_old_version_is_a_conflict(api: Api) -> None:
    first = (await api.create("configmaps", config_map(data={"a": "1"}))).body
    path = api.path("configmaps", "one")
    second = await api.send("PUT", path, {**first, "data": {"a": "2"}})
    assert second.code == 200
    assert int(second.version) > int(first["metadata"]["resourceVersion"])
    stale = await api.send("PUT", path, {**first, "data": {"a": "3"}})
    assert (stale.code, stale.reason) == (409, "Conflict")
    assert stale.message == (
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert (await api.get(path)).body["data"] == {"a": "2"}


async def test_an_update_without_a_version_is_unconditional(api: Api) -> None:
    await api.create("configmaps", config_map(data={"a": "1"}))
    for value in ("2", "3"):
        answer = await api.send("PUT", api.path("configmaps", "one"), config_map(data={"a": value}))
        assert (answer.code, answer.body["data"]) == (200, {"a": value})


async def test_some_kinds_are_only_updated_in_a_version(api: Api) -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"}, "spec": {}}
    made = await api.create("leases", lease, group="coordination.k8s.io")
    path = api.path("leases", "one", group="coordination.k8s.io")
    refused = await api.send("PUT", path, lease)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.message == (
        'leases.coordination.k8s.io "one" is invalid: metadata.resourceVersion: Invalid value: 0x0: '
        "must be specified for an update"
    )
    assert (await api.send("PUT", path, made.body)).code == 200
    fresh = {**lease, "metadata": {"name": "two"}}
    assert (await api.send("PUT", api.path("leases", "two", group="coordination.k8s.io"), fresh)).code == 201


async def test_an_update_that_changes_nothing_writes_nothing(api: Api) -> None:
    first = await api.create("configmaps", config_map(data={"a": "1"}))
    again = await api.send("PUT", api.path("configmaps", "one"), first.body)
    patched = await api.patch(api.path("configmaps", "one"), {"data": {"a": "1"}})
    assert first.version == again.version == patched.version


async def test_an_update_says_which_object_it_means(api: Api) -> None:
    first = (await api.create("configmaps", config_map())).body
    other_name = await api.send("PUT", api.path("configmaps", "one"), config_map("two"))
    assert other_name.code == 400
    assert other_name.message == "the name of the object (two) does not match the name on the URL (one)"
    other = {**first, "metadata": {**first["metadata"], "uid": "0-0", "resourceVersion": ""}}
    other_uid = await api.send("PUT", api.path("configmaps", "one"), other)
    assert other_uid.code == 409
    assert f"UID in precondition: 0-0, UID in object meta: {first['metadata']['uid']}" in other_uid.message
    missing = await api.send("PUT", api.path("configmaps", "three"), config_map("three"))
    assert (missing.code, missing.message) == (404, 'configmaps "three" not found')


async def test_an_owner_is_named_once(api: Api) -> None:
    given = config_map()
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1-2"}
    given["metadata"]["ownerReferences"] = [owner, {**owner, "uid": "3-4"}, owner]
    made = await api.create("configmaps", given)
    assert [each["uid"] for each in made.body["metadata"]["ownerReferences"]] == ["1-2", "3-4"]
    assert "duplicate UID(s) observed: 1-2" in made.headers["warning"]


async def test_the_generation_counts_changes_of_the_spec(api: Api) -> None:
    made = await api.create("deployments", deployment(), group="apps")
    path = api.path("deployments", "one", group="apps")
    labelled = await api.patch(path, {"metadata": {"labels": {"a": "b"}}})
    scaled = await api.patch(path, {"spec": {"replicas": 5}})
    status = await api.patch(f"{path}/status", {"status": {"replicas": 5}})
    generations = [answer.body["metadata"]["generation"] for answer in (made, labelled, scaled, status)]
    assert generations == [1, 1, 2, 2]


async def test_status_and_the_rest_are_written_apart(api: Api) -> None:
    given = {**deployment(), "status": {"replicas": 7}}
    made = await api.create("deployments", given, group="apps")
    assert made.body["status"].get("replicas") is None
    path = api.path("deployments", "one", group="apps")
    both = {**made.body, "status": {"replicas": 3}, "spec": {**made.body["spec"], "replicas": 9}}
    status = await api.send("PUT", f"{path}/status", both)
    assert (status.body["status"]["replicas"], status.body["spec"]["replicas"]) == (3, 2)
    main = await api.send("PUT", path, {**status.body, "status": {"replicas": 1}})
    assert main.body["status"]["replicas"] == 3


async def test_each_kind_of_patch(api: Api) -> None:
    await api.create("pods", pod())
    path = api.path("pods", "one")
    merged = await api.patch(path, {"metadata": {"labels": {"a": "1", "b": "2"}}}, MERGE)
    assert merged.body["metadata"]["labels"] == {"a": "1", "b": "2"}
    dropped = await api.patch(path, {"metadata": {"labels": {"b": None}}}, MERGE)
    assert dropped.body["metadata"]["labels"] == {"a": "1"}
    image = {"spec": {"containers": [{"name": "main", "image": "busybox:2"}]}}
    strategic = await api.patch(path, image, STRATEGIC)
    assert strategic.body["spec"]["containers"][0]["image"] == "busybox:2"
    assert strategic.body["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    operations = [
        {"op": "test", "path": "/metadata/labels/a", "value": "1"},
        {"op": "remove", "path": "/metadata/labels"},
    ]
    json_patch = await api.patch(path, operations, JSON_PATCH)
    assert "labels" not in json_patch.body["metadata"]
    failed = await api.patch(path, operations, JSON_PATCH)
    assert (failed.code, failed.reason) == (422, "Invalid")


async def test_a_patch_of_an_unknown_kind_is_refused(api: Api) -> None:
    await api.create("configmaps", config_map())
    path = api.path("configmaps", "one")
    answer = await api.patch(path, {}, "application/json")
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")
    assert answer.message.startswith(
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json"
    )
    malformed = await api.patch(path, b'{"a":', MERGE)
    assert (malformed.code, malformed.reason) == (400, "BadRequest")
    missing = await api.patch(api.path("configmaps", "none"), {}, MERGE)
    assert missing.code == 404


async def test_a_patch_may_name_the_version_it_means(api: Api) -> None:
    made = await api.create("configmaps", config_map())
    path = api.path("configmaps", "one")
    version = {"metadata": {"resourceVersion": made.version}}
    assert (await api.patch(path, {**version, "data": {"a": "1"}})).code == 200
    assert (await api.patch(path, {**version, "data": {"a": "2"}})).code == 409


async def test_patches_at_once_all_arrive(api: Api) -> None:
    await api.create("configmaps", config_map())
    path = api.path("configmaps", "one")
    answers = await asyncio.gather(*(api.patch(path, {"data": {f"k{i}": "v"}}) for i in range(8)))
    assert {answer.code for answer in answers} == {200}
    assert len((await api.get(path)).body["data"]) == 8


async def test_a_dry_run_does_everything_but_store(api: Api) -> None:
    tried = await api.create("configmaps", config_map(), "?dryRun=All")
    assert (tried.code, tried.body["metadata"]["name"]) == (201, "one")
    assert (await api.get(api.path("configmaps", "one"))).code == 404
    row = await api.send("POST", api.path("configmaps") + "?dryRun=All", config_map(), Accept=TABLE)
    assert row.body["rows"][0]["cells"][0] == "one"
    await api.create("configmaps", config_map(data={"a": "1"}))
    assert (await api.create("configmaps", config_map(), "?dryRun=All")).code == 409
    path = api.path("configmaps", "one")
    patched = await api.patch(f"{path}?dryRun=All", {"data": {"a": "2"}})
    assert patched.body["data"] == {"a": "2"}
    assert (await api.delete(f"{path}?dryRun=All")).code == 200
    assert (await api.get(path)).body["data"] == {"a": "1"}
    wrong = await api.create("configmaps", config_map("two"), "?dryRun=Some")
    assert (wrong.code, wrong.reason) == (422, "Invalid")


UNKNOWN = {**deployment(), "spec": {**deployment()["spec"], "replica": 1}}


async def test_unknown_fields_are_refused_told_or_dropped(api: Api) -> None:
    strict = await api.create("deployments", UNKNOWN, "?fieldValidation=Strict", group="apps")
    assert (strict.code, strict.reason) == (400, "BadRequest")
    assert strict.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: '
        'strict decoding error: unknown field "spec.replica"'
    )
    assert (await api.get(api.path("deployments", "one", group="apps"))).code == 404
    warned = await api.create("deployments", UNKNOWN, group="apps")
    assert warned.code == 201
    assert warned.headers["warning"] == '299 - "unknown field \\"spec.replica\\""'
    assert "replica" not in warned.body["spec"]
    path = api.path("deployments", "one", group="apps")
    ignored = await api.send("PATCH", f"{path}?fieldValidation=Ignore", {"spec": {"nothing": 1}}, MERGE)
    assert ignored.code == 200
    assert "warning" not in ignored.headers
    patched = await api.send("PATCH", f"{path}?fieldValidation=Strict", {"spec": {"nothing": 1}}, MERGE)
    assert (patched.code, patched.reason) == (422, "Invalid")
    assert patched.message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert patched.message.endswith('strict decoding error: unknown field "spec.nothing"')
    doubled = b'{"spec":{"replicas":1,"replicas":2}}'
    twice = await api.send("PATCH", f"{path}?fieldValidation=Strict", doubled, STRATEGIC)
    assert twice.message == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:2]]": '
        'strict decoding error: duplicate field "spec.replicas"'
    )
    operations = [{"op": "add", "path": "/spec/paused", "value": False, "why": 1}]
    told = await api.patch(path, operations, JSON_PATCH)
    assert told.headers["warning"] == '299 - "json patch unknown field \\"[0].why\\""'
    wrong = await api.send("PATCH", f"{path}?fieldValidation=Maybe", {}, MERGE)
    assert (wrong.code, wrong.reason) == (422, "Invalid")


async def test_bodies_that_are_too_large(api: Api) -> None:
    annotated = config_map(data={"a": "x" * 900_000}, binaryData={"b": "eHh4" * 300_000})
    beyond_etcd = await api.create("secrets", {"metadata": {"name": "s"}, "stringData": {"a": "x" * 2_000_000}})
    assert beyond_etcd.code == 422
    assert (await api.create("configmaps", annotated)).code == 422
    labels = {f"key-{i}": "y" * 63 for i in range(25_000)}
    many = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "l", "labels": labels}}
    refused = await api.create("configmaps", many)
    assert (refused.code, refused.message) == (500, "etcdserver: request is too large")
    huge = await api.create("configmaps", config_map(data={"a": "x" * 3_200_000}))
    assert (huge.code, huge.reason) == (413, "RequestEntityTooLarge")
    assert huge.message == "Request entity too large: limit is 3145728"
    assert (await api.get(api.path("configmaps"))).names == []


async def test_scale_is_the_same_for_all_that_scale(api: Api) -> None:
    await api.create("deployments", deployment(replicas=2), group="apps")
    path = api.path("deployments", "one", "scale", group="apps")
    scale = await api.get(path)
    assert (scale.body["kind"], scale.body["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale.body["spec"] == {"replicas": 2}
    assert scale.body["status"] == {"replicas": 0, "selector": "app=one"}
    put = await api.send("PUT", path, {**scale.body, "spec": {"replicas": 4}})
    assert (put.code, put.body["spec"]) == (200, {"replicas": 4})
    stale = await api.send("PUT", path, {**scale.body, "spec": {"replicas": 5}})
    assert stale.code == 409
    patched = await api.patch(path, {"spec": {"replicas": 1}})
    assert patched.body["spec"] == {"replicas": 1}
    negative = await api.patch(path, {"spec": {"replicas": -1}})
    assert (negative.code, negative.reason) == (422, "Invalid")
    mistyped = await api.patch(path, {"spec": []})
    assert (mistyped.code, mistyped.reason) == (422, "Invalid")
    table = await api.get(path, Accept=TABLE)
    assert [each["name"] for each in table.body["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert table.body["rows"][0]["cells"][:3] == ["one", 1, 0]
    main = await api.get(api.path("deployments", "one", group="apps"))
    assert (main.body["spec"]["replicas"], main.body["metadata"]["generation"]) == (1, 3)


async def test_a_pod_is_bound_once(api: Api) -> None:
    await api.create("pods", pod())
    path = api.path("pods", "one", "binding")
    binding = {"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "n1"}}
    bound = await api.send("POST", path, binding)
    assert (bound.code, bound.body["status"]) == (201, "Success")
    seen = (await api.get(api.path("pods", "one"))).body
    assert seen["spec"]["nodeName"] == "n1"
    conditions = {each["type"]: each["status"] for each in seen["status"]["conditions"]}
    assert conditions["PodScheduled"] == "True"
    again = await api.send("POST", path, binding)
    assert (again.code, again.reason) == (409, "Conflict")
    assert 'pod one is already assigned to node "n1"' in again.message
    nowhere = await api.send("POST", path, {"metadata": {"name": "one"}, "target": {}})
    assert nowhere.code == 422


async def test_the_old_way_to_bind_a_pod(api: Api) -> None:
    await api.create("pods", pod())
    bound = await api.create("bindings", {"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "n1"}})
    assert (bound.code, bound.body["status"]) == (201, "Success")
    assert (await api.get(api.path("pods", "one"))).body["spec"]["nodeName"] == "n1"
    assert (await api.get(api.path("bindings"))).code == 405


async def test_services_hold_their_addresses_alone(api: Api) -> None:
    def service(name: str, **spec: object) -> dict[str, object]:
        return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}

    made = await asyncio.gather(*(api.create("services", service(f"s{i}", type="NodePort")) for i in range(12)))
    assert {answer.code for answer in made} == {201}
    assert len({answer.body["spec"]["clusterIP"] for answer in made}) == 12
    assert len({answer.body["spec"]["ports"][0]["nodePort"] for answer in made}) == 12
    address = made[0].body["spec"]["clusterIP"]
    taken = await api.create("services", service("thief", clusterIP=address))
    assert (taken.code, taken.reason) == (422, "Invalid")
    await api.delete(api.path("services", "s0"))
    freed = await api.create("services", service("heir", clusterIP=address))
    assert freed.code == 201, freed.message


async def test_two_claims_of_one_address_at_the_same_time(api: Api) -> None:
    wish = {"spec": {"ports": [{"port": 80}], "clusterIP": "10.96.77.7"}}
    both = [api.create("services", {"metadata": {"name": f"s{i}"}, **wish}) for i in range(4)]
    answers = await asyncio.gather(*both)
    assert sorted(answer.code for answer in answers) == [201, 422, 422, 422]


@pytest.mark.parametrize("path", ["/api/v1/nothings", "/apis/nobody/v1/things", "/api/v2/pods", "/api/v1/pods/x/y"])
async def test_what_is_not_served(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == "the server could not find the requested resource"


async def test_methods_that_are_not_meant(api: Api) -> None:
    put_list = await api.send("PUT", api.path("configmaps"), {})
    assert (put_list.code, put_list.reason) == (405, "MethodNotAllowed")
    post_one = await api.send("POST", api.path("configmaps", "one"), {})
    assert post_one.code == 405
    scale = await api.send("DELETE", api.path("deployments", "one", "scale", group="apps"))
    assert scale.code == 405


async def test_yaml_and_other_media_types(api: Api) -> None:
    text = b"metadata: {name: from-yaml}\ndata: {a: b}\n"
    made = await api.send("POST", api.path("configmaps"), text, "application/yaml")
    assert (made.code, made.body["data"]) == (201, {"a": "b"})
    shown = await api.get(api.path("configmaps", "from-yaml"), Accept="application/yaml")
    assert "name: from-yaml" in shown.body
    unknown = await api.send("POST", api.path("configmaps"), b"<a/>", "text/xml")
    assert (unknown.code, unknown.reason) == (415, "UnsupportedMediaType")
    unwanted = await api.get(f"{CORE}/namespaces", Accept="text/html")
    assert (unwanted.code, unwanted.reason) == (406, "NotAcceptable")
