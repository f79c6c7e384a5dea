"""What holds for strategic merge patches, whatever they say of whatever Deployment."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from api.apply.fieldset import difference, intersection
from api.apply.shapes import shape_of
from api.patch import strategic_merge, three_way
from api.schema import load
from tests.unit.api.generated import configs, names, whole

Object = dict[str, Any]

SCHEMA = load("io.k8s.api.apps.v1.Deployment")
SHAPE = shape_of(SCHEMA)
manifests = configs.map(whole)


@st.composite
def patches(draw: st.DrawFn) -> Object:
    """Manifests with directives in them."""
    patch: Object = draw(manifests)
    meta, spec = patch["metadata"], patch.setdefault("spec", {})
    if draw(st.booleans()):
        meta["$deleteFromPrimitiveList/finalizers"] = draw(st.lists(names, min_size=1, max_size=2))
    if "labels" in meta and draw(st.booleans()):
        meta["labels"]["$patch"] = draw(st.sampled_from(["replace", "merge", "delete"]))
    if "strategy" in spec and draw(st.booleans()):
        spec["strategy"]["$retainKeys"] = sorted(spec["strategy"])
    pod = spec.get("template", {}).get("spec", {})
    if "containers" in pod:
        present = [each["name"] for each in pod["containers"]]
        others = [name for name in "abc" if name not in present]
        match draw(st.sampled_from(["delete", "replace", "order", "null", "nothing"])):
            case "delete" if others:
                pod["containers"].append({"$patch": "delete", "name": others[0]})
            case "replace":
                pod["containers"].append({"$patch": "replace"})
            case "order":
                pod["$setElementOrder/containers"] = [{"name": name} for name in present + others]
            case "null":
                pod["containers"][0]["env"] = None
    return patch


def fields(obj: Object) -> Any:
    return SHAPE.fields(obj) or {}


@given(manifests, patches())
def test_patching_twice_is_patching_once(doc: Object, patch: Object) -> None:
    once = strategic_merge(doc, patch, SCHEMA)
    assert strategic_merge(once, patch, SCHEMA) == once


@given(manifests, patches())
def test_the_document_and_the_patch_stay_as_they_are(doc: Object, patch: Object) -> None:
    before = orjson.dumps([doc, patch])
    strategic_merge(doc, patch, SCHEMA)
    assert orjson.dumps([doc, patch]) == before


@given(manifests, patches())
def test_no_directive_is_left_in_the_result(doc: Object, patch: Object) -> None:
    assert b"$" not in orjson.dumps(strategic_merge(doc, patch, SCHEMA))


@given(manifests, manifests)
def test_a_manifest_without_directives_only_adds_and_changes(doc: Object, patch: Object) -> None:
    merged = strategic_merge(doc, patch, SCHEMA)
    assert not difference(fields(doc), fields(merged))
    assert not difference(fields(patch), fields(merged))


@given(manifests, manifests)
def test_a_replaced_map_is_what_the_patch_says(doc: Object, patch: Object) -> None:
    assert strategic_merge(doc, {**patch, "$patch": "replace"}, SCHEMA) == patch
    assert strategic_merge(doc, {**patch, "$patch": "delete"}, SCHEMA) == {}
    assert strategic_merge(doc, {**patch, "$patch": "merge"}, SCHEMA) == strategic_merge(doc, patch, SCHEMA)


@given(manifests, manifests, manifests)
def test_what_is_applied_from_the_clients_side_arrives(original: Object, modified: Object, current: Object) -> None:
    """`original` was applied once; what it said and `modified` does not say is gone, what `modified` says is there."""
    result = strategic_merge(current, three_way(original, modified, current, SCHEMA), SCHEMA)
    assert not difference(fields(modified), fields(result))
    assert strategic_merge(result, modified, SCHEMA) == result
    dropped = difference(fields(original), fields(modified))
    assert not intersection(dropped, fields(result))
    assert three_way(modified, modified, result, SCHEMA) == {}
