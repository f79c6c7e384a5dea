"""Deletion: at once, gracefully, held by finalizers; owners' wishes; whole collections; namespaces."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.apiserver.api import CORE, Api, Object, config_map, deployment, pod


async def bound_pod(api: Api, name: str = "one") -> Object:
    await api.create("pods", pod(name))
    binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": "n1"}}
    assert (await api.send("POST", api.path("pods", name, "binding"), binding)).code == 201
    body: Object = (await api.get(api.path("pods", name))).body
    return body


async def test_most_objects_go_at_once(api: Api) -> None:
    made = await api.create("configmaps", config_map())
    path = api.path("configmaps", "one")
    gone = await api.delete(path)
    assert gone.code == 200
    assert gone.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "one", "kind": "configmaps", "uid": made.body["metadata"]["uid"]},
    }
    again = await api.delete(path)
    assert (again.code, again.message) == (404, 'configmaps "one" not found')


async def test_a_pod_that_runs_nowhere_goes_at_once(api: Api) -> None:
    await api.create("pods", pod())
    gone = await api.delete(api.path("pods", "one"))
    assert (gone.code, gone.body["kind"]) == (200, "Pod")
    assert (await api.get(api.path("pods", "one"))).code == 404


async def test_a_pod_on_a_node_is_given_time(api: Api) -> None:
    await bound_pod(api)
    path = api.path("pods", "one")
    marked = (await api.delete(path)).body["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 30
    assert marked["deletionTimestamp"] > marked["creationTimestamp"]
    shorter = (await api.delete(path, {"gracePeriodSeconds": 5})).body["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < marked["deletionTimestamp"]
    longer = (await api.delete(path, {"gracePeriodSeconds": 60})).body["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 5
    assert (await api.get(path)).code == 200
    assert (await api.delete(path, {"gracePeriodSeconds": 0})).code == 200
    assert (await api.get(path)).code == 404


async def test_no_grace_at_all(api: Api) -> None:
    await bound_pod(api)
    assert (await api.delete(api.path("pods", "one") + "?gracePeriodSeconds=0")).code == 200
    assert (await api.get(api.path("pods", "one"))).code == 404


async def test_finalizers_hold_an_object(api: Api) -> None:
    given = config_map()
    given["metadata"]["finalizers"] = ["example.org/one", "example.org/two"]
    await api.create("configmaps", given)
    path = api.path("configmaps", "one")
    marked = await api.delete(path)
    assert (marked.code, marked.body["kind"]) == (200, "ConfigMap")
    assert marked.body["metadata"]["deletionTimestamp"]
    added = await api.patch(path, {"metadata": {"finalizers": ["example.org/one", "example.org/new"]}})
    assert (added.code, added.reason) == (422, "Invalid")
    assert "no new finalizers can be added if the object is being deleted" in added.message
    one_less = await api.patch(path, {"metadata": {"finalizers": ["example.org/two"]}})
    assert one_less.code == 200
    assert (await api.patch(path, {"metadata": {"finalizers": None}})).code == 200
    assert (await api.get(path)).code == 404


async def test_the_owners_wish_becomes_a_finalizer(api: Api) -> None:
    for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
        name = policy.lower()
        await api.create("deployments", deployment(name), group="apps")
        path = api.path("deployments", name, group="apps")
        marked = await api.delete(path, {"propagationPolicy": policy})
        assert marked.code == (202 if policy == "Foreground" else 200)
        assert marked.body["metadata"]["finalizers"] == [finalizer]
        assert marked.body["metadata"]["generation"] == 2
        await api.patch(path, {"metadata": {"finalizers": []}})
        assert (await api.get(path)).code == 404
    await api.create("deployments", deployment("background"), group="apps")
    done = await api.delete(api.path("deployments", "background", group="apps") + "?propagationPolicy=Background")
    assert done.body["kind"] == "Status"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"propagationPolicy": "Sideways"}, "propagationPolicy"),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, "propagationPolicy"),
        ({"dryRun": ["Some"]}, "dryRun"),
    ],
)
async def test_options_that_make_no_sense(api: Api, options: Object, field: str) -> None:
    await api.create("configmaps", config_map())
    answer = await api.delete(api.path("configmaps", "one"), options)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.body["details"]["causes"][0]["field"] == field


async def test_preconditions(api: Api) -> None:
    made = await api.create("configmaps", config_map())
    path = api.path("configmaps", "one")
    wrong_uid = await api.delete(path, {"preconditions": {"uid": "other"}})
    assert (wrong_uid.code, wrong_uid.reason) == (409, "Conflict")
    uid = made.body["metadata"]["uid"]
    assert wrong_uid.message == (
        'Operation cannot be fulfilled on ConfigMap "one": '
        f"the UID in the precondition (other) does not match the UID in record ({uid}). "
        "The object might have been deleted and then recreated"
    )
    wrong_version = await api.delete(path, {"preconditions": {"resourceVersion": "1"}})
    assert wrong_version.message == (
        'Operation cannot be fulfilled on ConfigMap "one": the ResourceVersion in the precondition (1) does not match '
        f"the ResourceVersion in record ({made.version}). The object might have been modified"
    )
    right = {"preconditions": {"uid": uid, "resourceVersion": made.version}}
    assert (await api.delete(path, right)).code == 200


async def test_a_collection(api: Api) -> None:
    for index in range(5):
        given = config_map(f"c{index}")
        given["metadata"]["labels"] = {"even": str(index % 2 == 0).lower()}
        await api.create("configmaps", given)
    gone = await api.delete(api.path("configmaps") + "?labelSelector=even%3Dtrue")
    assert (gone.code, gone.body["kind"]) == (200, "ConfigMapList")
    assert gone.names == ["c0", "c2", "c4"]
    assert (await api.get(api.path("configmaps"))).names == ["c1", "c3"]
    dry = await api.delete(api.path("configmaps"), {"dryRun": ["All"]})
    assert dry.names == ["c1", "c3"]
    limited = await api.delete(api.path("configmaps") + "?limit=1")
    assert limited.names == ["c1"]
    named = await api.delete(api.path("configmaps") + "?fieldSelector=metadata.name%3Dc3")
    assert named.names == ["c3"]
    assert (await api.get(api.path("configmaps"))).names == []


async def test_a_large_collection_is_deleted_whole(api: Api) -> None:
    await asyncio.gather(*(api.create("configmaps", config_map(f"c{index:02}")) for index in range(40)))
    gone = await api.delete(api.path("configmaps"))
    assert gone.names == [f"c{index:02}" for index in range(40)]
    assert (await api.get(api.path("configmaps"))).names == []


async def test_a_namespace_goes_when_its_finalizer_does(api: Api) -> None:
    path = f"{CORE}/namespaces/{api.namespace}"
    marked = await api.delete(path)
    assert marked.body["status"]["phase"] == "Terminating"
    refused = await api.create("configmaps", config_map())
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == (
        'configmaps "one" is forbidden: unable to create new content in namespace '
        f"{api.namespace} because it is being terminated"
    )
    assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    current = (await api.get(path)).body
    unqualified = await api.send("PUT", f"{path}/finalize", {**current, "spec": {"finalizers": ["mine"]}})
    assert (unqualified.code, unqualified.message) == (
        422,
        f'Namespace "{api.namespace}" is invalid: spec.finalizers[0]: Invalid value: "mine": name is neither a '
        "standard finalizer name nor is it fully qualified",
    )
    final = await api.send("PUT", f"{path}/finalize", {**current, "spec": {"finalizers": []}})
    assert final.code == 200, final.message
    assert (await api.get(path)).code == 404


async def test_nothing_slips_into_a_namespace_that_is_going(api: Api) -> None:
    """Whatever was made before the mark is there to be found after it, and nothing is made later."""
    marked = asyncio.Event()

    async def fill(worker: int) -> set[str]:
        made: set[str] = set()
        for index in range(40):
            name = f"c{worker}-{index}"
            answer = await api.create("configmaps", config_map(name))
            if answer.code == 201:
                made.add(name)
            else:
                assert (answer.code, answer.reason) == (403, "Forbidden")
            if worker == 0 and index == 10:
                marked.set()
        return made

    async def mark() -> set[str]:
        await marked.wait()
        await api.delete(f"{CORE}/namespaces/{api.namespace}")
        return set((await api.get(api.path("configmaps"))).names)

    found, *made = await asyncio.gather(mark(), *(fill(worker) for worker in range(4)))
    assert set[str]().union(*made) == found


async def test_some_namespaces_stay(api: Api) -> None:
    answer = await api.delete(f"{CORE}/namespaces/default")
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


async def test_an_eviction_is_a_delete(api: Api) -> None:
    await bound_pod(api)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one"}}
    path = api.path("pods", "one", "eviction")
    dry = await api.send("POST", path, {**eviction, "deleteOptions": {"dryRun": ["All"]}})
    assert dry.code == 201
    assert "deletionTimestamp" not in (await api.get(api.path("pods", "one"))).body["metadata"]
    done = await api.send("POST", path, {**eviction, "deleteOptions": {"gracePeriodSeconds": 7}})
    assert (done.code, done.body["status"]) == (201, "Success")
    assert (await api.get(api.path("pods", "one"))).body["metadata"]["deletionGracePeriodSeconds"] == 7


async def test_what_a_job_owns_stays_unless_told_otherwise(api: Api) -> None:
    container = {"name": "c", "image": "i"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "one"}, "spec": {"template": template}}
    await api.create("jobs", job, group="batch")
    path = api.path("jobs", "one", group="batch")
    kept = await api.delete(path)
    assert kept.body["metadata"]["finalizers"] == ["orphan"]
    assert "child pods are preserved by default when jobs are deleted" in kept.headers["warning"]
    await api.patch(path, {"metadata": {"finalizers": []}})
    await api.create("jobs", job, group="batch")
    gone = await api.delete(path, {"propagationPolicy": "Background"})
    assert (gone.body["kind"], "warning" in gone.headers) == ("Status", False)


async def test_a_deletion_under_way_keeps_its_finalizers(api: Api) -> None:
    await bound_pod(api)
    path = api.path("pods", "one")
    await api.delete(path, {"gracePeriodSeconds": 20})
    again = await api.delete(path, {"propagationPolicy": "Foreground"})
    assert "finalizers" not in again.body["metadata"]
    owner = deployment()
    owner["metadata"]["finalizers"] = ["example.org/one"]
    await api.create("deployments", owner, group="apps")
    path = api.path("deployments", "one", group="apps")
    await api.delete(path)
    changed = await api.delete(path, {"propagationPolicy": "Foreground"})
    assert (changed.code, changed.body["metadata"]["finalizers"]) == (202, ["example.org/one", "foregroundDeletion"])
    orphaned = await api.delete(path + "?orphanDependents=true")
    assert orphaned.body["metadata"]["finalizers"] == ["example.org/one", "orphan"]
    assert (await api.delete(path + "?orphanDependents=false")).code == 202


async def test_a_negative_grace_period_is_a_second(api: Api) -> None:
    await bound_pod(api)
    marked = await api.delete(api.path("pods", "one"), {"gracePeriodSeconds": -1})
    assert marked.body["metadata"]["deletionGracePeriodSeconds"] == 1
    wrong = await api.delete(api.path("pods", "one") + "?gracePeriodSeconds=soon")
    assert (wrong.code, wrong.message) == (400, 'strconv.ParseInt: parsing "soon": invalid syntax')


async def test_a_client_cannot_set_the_time_of_deletion(api: Api) -> None:
    made = await api.create("configmaps", config_map())
    meta = {**made.body["metadata"], "deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}
    put = await api.send("PUT", api.path("configmaps", "one"), {**made.body, "metadata": meta})
    assert put.code == 200
    assert "deletionTimestamp" not in put.body["metadata"]
    assert put.version == made.version
