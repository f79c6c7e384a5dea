"""What apply sends: the patch from the live object to the manifest."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.patch import merge_patch, strategic_merge, three_way
from api.schema import load
from tests.unit.api.objects import deployment, json_objects

DEPLOYMENT = load("io.k8s.api.apps.v1.Deployment")
SERVICE = load("io.k8s.api.core.v1.Service")


def apply(original: dict[str, Any] | None, modified: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    return strategic_merge(current, three_way(original, modified, current, DEPLOYMENT), DEPLOYMENT)


def test_nothing_to_do_is_an_empty_patch() -> None:
    live = deployment() | {"status": {"replicas": 3}}
    live["spec"]["revisionHistoryLimit"] = 10
    assert three_way(deployment(), deployment(), live, DEPLOYMENT) == {}
    assert three_way(deployment(), deployment(), live, None) == {}
    assert three_way(None, deployment(), live, DEPLOYMENT) == {}


def test_others_fields_stay_and_dropped_ones_go() -> None:
    manifest, live = deployment(), deployment()
    del manifest["spec"]["replicas"]
    live["metadata"]["annotations"] = {"theirs": "1"}
    patch = three_way(deployment(), manifest, live, DEPLOYMENT)
    assert patch == {"spec": {"replicas": None}}
    never_said = three_way(manifest, manifest, live, DEPLOYMENT)
    assert never_said == {}


def test_elements_are_added_changed_and_deleted() -> None:
    manifest, live = deployment(), deployment()
    containers = manifest["spec"]["template"]["spec"]["containers"]
    containers[0]["env"] = [{"name": "C", "value": "3"}, {"name": "A", "value": "9"}]
    live["spec"]["template"]["spec"]["containers"].append({"name": "injected", "image": "i"})
    live["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "INJECTED", "value": "1"})
    result = apply(deployment(), manifest, live)
    env = result["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "C", "value": "3"}, {"name": "A", "value": "9"}, {"name": "INJECTED", "value": "1"}]
    assert [c["name"] for c in result["spec"]["template"]["spec"]["containers"]] == ["app", "side", "injected"]
    assert three_way(manifest, manifest, result, DEPLOYMENT) == {}


def test_a_dropped_container_goes() -> None:
    manifest = deployment()
    del manifest["spec"]["template"]["spec"]["containers"][1]
    patch = three_way(deployment(), manifest, deployment(), DEPLOYMENT)
    assert patch["spec"]["template"]["spec"]["containers"] == [{"$patch": "delete", "name": "side"}]
    assert apply(deployment(), manifest, deployment()) == manifest


def test_a_changed_union_drops_the_old_member() -> None:
    manifest, live = deployment(), deployment()
    manifest["spec"]["strategy"] = {"type": "Recreate"}
    manifest["spec"]["template"]["spec"]["volumes"] = [{"name": "scratch", "configMap": {"name": "c"}}]
    live["spec"]["template"]["spec"]["volumes"][0]["emptyDir"] = {"sizeLimit": "1Gi"}
    # Even where the manifest never named the member that the server filled in:
    original = copy.deepcopy(manifest)
    original["spec"]["strategy"] = {"type": "RollingUpdate"}
    result = apply(original, manifest, live)
    assert result["spec"]["strategy"] == {"type": "Recreate"}
    assert result["spec"]["template"]["spec"]["volumes"] == [{"name": "scratch", "configMap": {"name": "c"}}]


def test_sets_lose_and_gain_scalars() -> None:
    manifest = deployment()
    manifest["metadata"]["finalizers"] = ["example.com/b", "example.com/z"]
    result = apply(deployment(), manifest, deployment())
    assert result["metadata"]["finalizers"] == ["example.com/b", "example.com/z"]


def test_reordering_alone_is_a_change() -> None:
    manifest = deployment()
    manifest["spec"]["template"]["spec"]["containers"].reverse()
    assert apply(deployment(), manifest, deployment()) == manifest


def test_equal_amounts_are_no_change() -> None:
    manifest = deployment()
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = {"cpu": 0.5, "memory": "65536Ki"}
    assert three_way(manifest, manifest, deployment(), DEPLOYMENT) == {}


def test_elements_that_share_a_key_are_replaced_together() -> None:
    ports = [{"name": "udp", "port": 53, "protocol": "UDP"}, {"name": "tcp", "port": 53, "protocol": "TCP"}]
    live = {"spec": {"ports": [port | {"targetPort": 53} for port in ports]}}
    manifest: dict[str, Any] = {"spec": {"ports": ports}}
    assert three_way(manifest, manifest, live, SERVICE) == {}
    changed = {"spec": {"ports": [ports[0], ports[1] | {"name": "dns"}]}}
    patch = three_way(manifest, changed, live, SERVICE)
    assert strategic_merge(live, patch, SERVICE) == changed


def test_without_a_schema_lists_are_replaced() -> None:
    assert three_way({"a": [1], "b": 1}, {"a": [2]}, {"a": [1], "b": 1, "c": 2}, None) == {"a": [2], "b": None}


@given(json_objects, json_objects, json_objects)
def test_a_merge_patch_brings_what_the_manifest_says(
    original: dict[str, Any], modified: dict[str, Any], current: dict[str, Any]
) -> None:
    result = merge_patch(current, three_way(original, modified, current, None))
    assert three_way(modified, modified, result, None) == {}


_CONTAINERS = st.lists(st.sampled_from("abcd"), unique=True).flatmap(
    lambda names: st.tuples(
        *(st.fixed_dictionaries({"name": st.just(name), "image": st.sampled_from(["x", "y"])}) for name in names)
    )
)


@given(_CONTAINERS, _CONTAINERS, _CONTAINERS)
def test_a_strategic_patch_settles(original: Any, modified: Any, current: Any) -> None:
    def pod(containers: Any) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"containers": [dict(each) for each in containers]}}}}

    result = apply(pod(original), pod(modified), pod(current))
    assert three_way(pod(modified), pod(modified), result, DEPLOYMENT) == {}
    left = {each["name"]: each for each in result["spec"]["template"]["spec"]["containers"]}
    assert all(left[each["name"]] == each for each in modified)
    dropped = {each["name"] for each in original} - {each["name"] for each in modified}
    assert not dropped & set(left)
