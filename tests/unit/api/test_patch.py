"""JSON patches, merge patches and strategic merge patches."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import BadRequest, RequestEntityTooLarge, StatusError
from api.patch import PatchError, json_patch, merge_patch, strategic_merge
from api.schema import load
from tests.unit.api.objects import deployment, json_objects, json_values

DEPLOYMENT = load("io.k8s.api.apps.v1.Deployment")
SERVICE = load("io.k8s.api.core.v1.Service")


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_by_the_rfcs_examples(doc: Any, patch: Any, result: Any) -> None:
    before = copy.deepcopy(doc)
    assert merge_patch(doc, patch) == result
    assert doc == before


@pytest.mark.parametrize(
    ("doc", "operations", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
        ({"foo": [1, 3]}, [{"op": "add", "path": "/foo/1", "value": 2}], {"foo": [1, 2, 3]}),
        ({"foo": [1]}, [{"op": "add", "path": "/foo/-", "value": [2]}], {"foo": [1, [2]]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2]}, [{"op": "move", "from": "/a/0", "path": "/a/1"}], {"a": [2, 1]}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a/b": 1, "m~n": 2}, [{"op": "test", "path": "/a~1b", "value": 1}], {"a/b": 1, "m~n": 2}),
        ({"m~n": 2}, [{"op": "replace", "path": "/m~0n", "value": 3}], {"m~n": 3}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
        ({"a": 1}, [{"op": "test", "path": "/b", "value": None}], {"a": 1}),
    ],
)
def test_json_patch(doc: Any, operations: list[dict[str, Any]], result: Any) -> None:
    before = copy.deepcopy(doc)
    assert json_patch(doc, operations) == result
    assert doc == before


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([{"op": "remove", "path": "/x"}], 422),
        ([{"op": "replace", "path": "/x", "value": 1}], 422),
        ([{"op": "add", "path": "/x/y", "value": 1}], 422),
        ([{"op": "add", "path": "/list/9", "value": 1}], 422),
        ([{"op": "add", "path": "/list/01", "value": 1}], 422),
        ([{"op": "test", "path": "/a", "value": True}], 422),
        ([{"op": "move", "from": "/map", "path": "/map/in"}], 422),
        ([{"op": "remove", "path": ""}], 422),
        ([{"op": "dance", "path": "/a"}], 400),
        ([{"op": "add", "path": "/a"}], 400),
        ([{"op": "add", "path": "a", "value": 1}], 400),
        ([{"op": "copy", "path": "/a"}], 400),
        ([{"path": 3}], 400),
        (["remove"], 400),
        ({"op": "remove", "path": "/a"}, 400),
    ],
)
def test_bad_json_patches(operations: Any, code: int) -> None:
    with pytest.raises(PatchError) as raised:
        json_patch({"a": 1, "list": [1], "map": {"in": 1}}, operations)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "remove", "path": "/x"}, "Unable to remove nonexistent key: x: missing value"),
        (
            {"op": "remove", "path": "/x/y"},
            'remove operation does not apply: doc is missing path: "/x/y": missing value',
        ),
        ({"op": "add", "path": "/a~1b/c", "value": 1}, 'add operation does not apply: doc is missing path: "/a~1b/c"'),
        ({"op": "replace", "path": "/x", "value": 1}, "replace operation does not apply: doc is missing key: /x"),
        ({"op": "replace", "path": "/x/y", "value": 1}, "replace operation does not apply: doc is missing path: /x/y"),
        ({"op": "add", "path": "/list/9", "value": 1}, "Unable to access invalid index: 9: invalid index referenced"),
        ({"op": "add", "path": "/list/z", "value": 1}, "value was not a proper array index: 'z'"),
        ({"op": "test", "path": "/a", "value": 2}, "testing value /a failed: test failed"),
        ({"op": "move", "from": "/x", "path": "/y"}, "move operation does not apply: doc is missing from path: /x"),
        (
            {"op": "copy", "from": "/a", "path": "/x/y"},
            "copy operation does not apply: doc is missing destination path",
        ),
    ],
)
def test_failing_json_patches_say_why(operation: dict[str, Any], message: str) -> None:
    with pytest.raises(PatchError) as raised:
        json_patch({"a": 1, "list": [1]}, [operation])
    assert str(raised.value).startswith(message)
    assert (raised.value.code, raised.value.reason) == (422, "Invalid")


def test_json_patches_have_limits() -> None:
    test = {"op": "test", "path": "/a", "value": 1}
    assert json_patch({"a": 1}, [test] * 10_000) == {"a": 1}
    with pytest.raises(RequestEntityTooLarge) as refused:
        json_patch({"a": 1}, [test] * 10_001)
    assert refused.value.message == (
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    )
    copies = [{"op": "copy", "from": "/big", "path": f"/copy{index}"} for index in range(4)]
    with pytest.raises(PatchError, match="Unable to complete the copy, the accumulated size increase of copy is"):
        json_patch({"big": "x" * 1_000_000}, copies)


@given(json_objects, json_objects)
def test_json_patches_of_another_implementation_apply(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert json_patch(old, list(jsonpatch.make_patch(old, new))) == new


@given(json_values, json_values)
def test_merge_patches_settle(doc: Any, patch: Any) -> None:
    once = merge_patch(doc, patch)
    assert merge_patch(once, patch) == once


def container(doc: dict[str, Any], index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = doc["spec"]["template"]["spec"]["containers"][index]
    return found


def pod_patch(spec: dict[str, Any]) -> dict[str, Any]:
    return strategic_merge(deployment(), {"spec": {"template": {"spec": spec}}}, DEPLOYMENT)


def test_lists_merge_by_their_key() -> None:
    result = pod_patch({"containers": [{"name": "app", "image": "hello:2"}, {"name": "new", "image": "n"}]})
    assert [c["name"] for c in result["spec"]["template"]["spec"]["containers"]] == ["app", "new", "side"]
    assert container(result)["image"] == "hello:2"
    assert container(result)["env"] == container(deployment())["env"]


def test_elements_are_deleted_and_replaced() -> None:
    result = pod_patch({"containers": [{"name": "app", "$patch": "delete"}]})
    assert container(result)["name"] == "side"
    result = pod_patch({"containers": [{"name": "only", "image": "x"}, {"$patch": "replace"}]})
    assert result["spec"]["template"]["spec"]["containers"] == [{"name": "only", "image": "x"}]


def test_maps_are_replaced_deleted_and_nulled() -> None:
    doc = deployment()
    assert strategic_merge(doc, {"metadata": {"labels": {"$patch": "delete"}}}, DEPLOYMENT)["metadata"]["labels"] == {}
    replaced = strategic_merge(doc, {"metadata": {"labels": {"$patch": "replace", "x": "y"}}}, DEPLOYMENT)
    assert replaced["metadata"]["labels"] == {"x": "y"}
    assert "replicas" not in strategic_merge(doc, {"spec": {"replicas": None}}, DEPLOYMENT)["spec"]
    assert doc == deployment()


def test_unions_keep_what_is_retained() -> None:
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge(deployment(), patch, DEPLOYMENT)["spec"]["strategy"] == {"type": "Recreate"}
    volume = {"name": "scratch", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}
    result = pod_patch({"volumes": [volume]})
    assert result["spec"]["template"]["spec"]["volumes"] == [{"name": "scratch", "configMap": {"name": "c"}}]


def test_sets_of_scalars() -> None:
    patch = {"metadata": {"finalizers": ["example.com/c", "example.com/a"]}}
    merged = strategic_merge(deployment(), patch, DEPLOYMENT)["metadata"]["finalizers"]
    assert merged == ["example.com/c", "example.com/a", "example.com/b"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}
    assert strategic_merge(deployment(), patch, DEPLOYMENT)["metadata"]["finalizers"] == ["example.com/b"]


def test_order_is_set() -> None:
    names = [{"name": name} for name in ("new", "side", "app")]
    spec = {"containers": [{"name": "new", "image": "n"}], "$setElementOrder/containers": names}
    assert [c["name"] for c in pod_patch(spec)["spec"]["template"]["spec"]["containers"]] == ["new", "side", "app"]
    env = {"$setElementOrder/env": [{"name": "B"}, {"name": "A"}], "name": "app"}
    assert [e["name"] for e in container(pod_patch({"containers": [env]}))["env"]] == ["B", "A"]


def test_atomic_lists_are_replaced() -> None:
    result = pod_patch({"containers": [{"name": "app", "command": ["x"]}]})
    assert container(pod_patch({"containers": [{"name": "app", "command": ["y"]}]}))["command"] == ["y"]
    assert container(result)["command"] == ["x"]


def test_elements_without_their_key_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"map\[image:x\] does not contain declared merge key: name"):
        pod_patch({"containers": [{"image": "x"}]})
    with pytest.raises(BadRequest, match=r"unknown patch type: explode in map: map\[\$patch:explode\]"):
        strategic_merge({"spec": {}}, {"spec": {"$patch": "explode"}}, DEPLOYMENT)
    with pytest.raises(BadRequest, match="invalid patch format of setElementOrder list"):
        pod_patch({"$setElementOrder/containers": "x", "containers": []})
    with pytest.raises(BadRequest, match="invalid patch format of primitive list"):
        pod_patch({"containers": [{"name": "app", "$deleteFromPrimitiveList/args": "x"}]})
    with pytest.raises(BadRequest, match="invalid patch format of retainKeys"):
        strategic_merge(deployment(), {"spec": {"strategy": {"$retainKeys": "type"}}}, DEPLOYMENT)
    with pytest.raises(StatusError, match="patch content doesn't match retainKeys list") as refused:
        strategic_merge(deployment(), {"spec": {"strategy": {"$retainKeys": [], "type": "x"}}}, DEPLOYMENT)
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    swapped = [{"name": "side"}, {"name": "app"}]
    with pytest.raises(BadRequest, match=r"The order in patch list:\n\[map\[name:app\] map\[name:side\]\]\n doesn't"):
        pod_patch({"containers": swapped[::-1], "$setElementOrder/containers": swapped})


def test_ports_merge_by_number() -> None:
    service = {"spec": {"ports": [{"port": 80, "targetPort": 1}, {"port": 443}]}}
    patch = {"spec": {"ports": [{"port": 80, "targetPort": "web"}]}}
    assert strategic_merge(service, patch, SERVICE)["spec"]["ports"] == [
        {"port": 80, "targetPort": "web"},
        {"port": 443},
    ]


@given(json_objects)
def test_without_a_schema_it_is_a_merge_patch(patch: dict[str, Any]) -> None:
    def without_lists(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_lists(item) for key, item in value.items() if not isinstance(item, list)}
        return value

    plain, doc = without_lists(patch), {"a": {"b": 1}, "c": [1]}
    assert strategic_merge(doc, plain, None) == merge_patch(doc, plain)


@given(st.permutations(["a", "b", "c", "d"]), st.permutations(["b", "d", "e"]))
def test_an_order_loses_no_element(have: list[str], order: list[str]) -> None:
    doc = {"metadata": {"finalizers": list(have)}}
    patch = {"metadata": {"finalizers": ["e"], "$setElementOrder/finalizers": list(order)}}
    merged = strategic_merge(doc, patch, DEPLOYMENT)["metadata"]["finalizers"]
    assert sorted(merged) == ["a", "b", "c", "d", "e"]
    assert [item for item in merged if item in order] == list(order)
