"""The official Python client as its users have it: typed calls, pages, patches, watches, informer, election."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.informer import SharedInformer
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from tests.harness.control import ControlPlane
from tests.harness.process import wait_until

SPACE = "official"


@pytest.fixture(scope="module")
def core(plane: ControlPlane) -> Iterator[Any]:
    config.load_kube_config(str(plane.admin_conf))
    with client.ApiClient() as api:
        core = client.CoreV1Api(api)
        core.create_namespace({"metadata": {"name": SPACE}})
        yield core
        core.delete_namespace(SPACE)


def settings(name: str, data: dict[str, str] | None = None, **labels: str) -> Any:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ApiException) as raised:
        call()
    return raised.value.status, raised.value.reason


def test_typed_objects_come_back_as_they_went(core: Any) -> None:
    made = core.create_namespaced_config_map(SPACE, settings("one", {"a": "1"}))
    assert made.metadata.creation_timestamp.tzinfo is not None
    made.data["a"] = "2"
    core.replace_namespaced_config_map("one", SPACE, made)
    assert core.read_namespaced_config_map("one", SPACE).data == {"a": "2"}
    assert refusal(lambda: core.replace_namespaced_config_map("one", SPACE, made)) == (409, "Conflict")
    assert core.delete_namespaced_config_map("one", SPACE)["status"] == "Success"
    assert refusal(lambda: core.read_namespaced_config_map("one", SPACE)) == (404, "Not Found")


def test_pages_and_a_collection_s_end(core: Any) -> None:
    for number in range(5):
        core.create_namespaced_config_map(SPACE, settings(f"page-{number}", page="yes"))
    names, token = [], None
    while token != "":
        page = core.list_namespaced_config_map(SPACE, label_selector="page=yes", limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue or ""
    assert names == [f"page-{number}" for number in range(5)]
    core.delete_collection_namespaced_config_map(SPACE, label_selector="page=yes")
    assert core.list_namespaced_config_map(SPACE, label_selector="page=yes").items == []


@pytest.mark.parametrize(
    ("media_type", "patch"),
    [
        ("application/json-patch+json", [{"op": "add", "path": "/data", "value": {"b": "2"}}]),
        ("application/merge-patch+json", {"data": {"a": None, "b": "2"}}),
        ("application/strategic-merge-patch+json", {"data": {"a": None, "b": "2"}}),
    ],
)
def test_patches(core: Any, media_type: str, patch: Any) -> None:
    name = media_type.partition("/")[2].partition("+")[0]
    core.create_namespaced_config_map(SPACE, settings(name, {"a": "1"}))
    patched = core.patch_namespaced_config_map(name, SPACE, patch, _content_type=media_type)
    assert patched.data == {"b": "2"}


def test_a_watch_begins_where_the_list_ended(core: Any) -> None:
    listed = core.list_namespaced_config_map(SPACE)
    core.create_namespaced_config_map(SPACE, settings("watched"))
    core.delete_namespaced_config_map("watched", SPACE)
    seen = []
    following = watch.Watch()
    arguments = {"resource_version": listed.metadata.resource_version, "timeout_seconds": 20}
    for event in following.stream(core.list_namespaced_config_map, SPACE, **arguments):
        if event["object"].metadata.name == "watched":
            seen.append(event["type"])
        if event["type"] == "DELETED":
            following.stop()
    assert seen == ["ADDED", "DELETED"]


def test_an_informer_keeps_a_cache(core: Any) -> None:
    informer = SharedInformer(core.list_namespaced_config_map, namespace=SPACE, label_selector="informer=yes")
    told: list[str] = []
    informer.add_event_handler("ADDED", lambda each: told.append(f"added {each.metadata.name}"))
    informer.add_event_handler("DELETED", lambda each: told.append(f"deleted {each.metadata.name}"))
    core.create_namespaced_config_map(SPACE, settings("early", informer="yes"))
    informer.start()
    try:
        wait_until("the list", lambda: told == ["added early"])
        core.create_namespaced_config_map(SPACE, settings("late", informer="yes"))
        wait_until("the cache", lambda: len(informer.cache.list()) == 2)
        core.delete_namespaced_config_map("late", SPACE)
        wait_until("the end", lambda: told == ["added early", "added late", "deleted late"])
    finally:
        core.delete_namespaced_config_map("early", SPACE)  # an event, for which the informer waits
        informer.stop()


def test_a_leader_is_elected(core: Any) -> None:
    leading, done = threading.Event(), threading.Event()
    lock = LeaseLock("leader", SPACE, "ann")
    wish = electionconfig.Config(
        lock,
        lease_duration=3,
        renew_deadline=2,
        retry_period=1,
        onstarted_leading=leading.set,
        onstopped_leading=done.set,
    )
    election = threading.Thread(target=leaderelection.LeaderElection(wish).run, daemon=True)
    election.start()
    assert leading.wait(20)
    leases = client.CoordinationV1Api(core.api_client)
    assert leases.read_namespaced_lease("leader", SPACE).spec.holder_identity == "ann"
    bob = {"spec": {"holderIdentity": "bob"}}
    leases.patch_namespaced_lease("leader", SPACE, bob, _content_type="application/merge-patch+json")
    assert done.wait(20)  # whoever loses the lease stops


def test_create_from_yaml(core: Any) -> None:
    documents = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": deployment("web")},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}},
    ]
    utils.create_from_yaml(core.api_client, yaml_objects=documents, namespace=SPACE)
    apps = client.AppsV1Api(core.api_client)
    assert apps.read_namespaced_deployment("web", SPACE).spec.strategy.rolling_update.max_surge == "25%"
    assert core.read_namespaced_service("web", SPACE).spec.cluster_ip.startswith("10.96.")


def deployment(name: str) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": name, "image": "pytheas/hello:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {"selector": {"matchLabels": labels}, "template": template}
