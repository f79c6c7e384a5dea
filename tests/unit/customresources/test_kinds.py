"""What kinds a definition makes, and how they show and select their objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.versions import rank
from apiserver.customresources.columns import columns_of, shown
from apiserver.customresources.kinds import kinds_of
from apiserver.customresources.strategy import CustomStrategy
from apiserver.registry.kind import Context, Object, Scale

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


def version(name: str, *, storage: bool = False, **fields: Any) -> Object:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **fields}


def crd(*versions: Object) -> Object:
    names = {"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "listKind": "CronTabs"}
    return {
        "spec": {"group": "stable.example.com", "scope": "Namespaced", "names": names, "versions": list(versions)},
        "status": {"acceptedNames": {**names, "shortNames": ["ct"], "categories": ["all"]}},
    }


def test_a_kind_for_each_version_the_best_first() -> None:
    kinds = kinds_of(crd(version("v1beta1", served=False), version("v1", storage=True), version("v2alpha1")))
    assert [kind.version for kind in kinds] == ["v1", "v1beta1", "v2alpha1"]
    assert [(kind.kept, kind.served) for kind in kinds] == [(True, True), (False, False), (False, True)]
    kind = kinds[0]
    assert (kind.api_version, kind.resource) == ("stable.example.com/v1", "crontabs.stable.example.com")
    assert (kind.definition, kind.list_name) == ("com.example.stable.v1.CronTab", "CronTabs")
    assert (kind.short_names, kind.categories, kind.namespaced) == (("ct",), ("all",), True)
    assert kind.schema.custom


def test_the_order_of_versions() -> None:
    ordered = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]
    backwards = list(reversed(ordered))
    assert sorted(backwards, key=rank, reverse=True) == ordered


def test_deprecated_versions_name_a_better_one() -> None:
    old = version("v1beta1", deprecated=True)
    kinds = {kind.version: kind for kind in kinds_of(crd(old, version("v1", storage=True)))}
    text = "stable.example.com/v1beta1 CronTab is deprecated; use stable.example.com/v1 CronTab"
    assert (kinds["v1beta1"].deprecation, kinds["v1"].deprecation) == (text, "")
    own = version("v1", storage=True, deprecated=True, deprecationWarning="use something else")
    assert kinds_of(crd(own))[0].deprecation == "use something else"
    last = version("v1", storage=True, deprecated=True)
    assert kinds_of(crd(last))[0].deprecation == "stable.example.com/v1 CronTab is deprecated"


def test_scale_paths() -> None:
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    (kind,) = kinds_of(crd(version("v1", storage=True, subresources={"status": {}, "scale": scale})))
    assert (kind.scale, kind.status) == (Scale(("spec", "n"), ("status", "n"), ()), True)


@pytest.mark.parametrize(
    ("value", "type_", "cell"),
    [
        ("x", "string", "x"),
        (7, "string", "7"),
        ({"a": [1]}, "string", '{"a":[1]}'),
        (True, "string", "true"),
        (7, "integer", 7),
        (7.9, "integer", 7),
        ("7", "integer", None),
        (True, "integer", None),
        (0.5, "number", 0.5),
        (True, "boolean", True),
        ("yes", "boolean", None),
        ("2026-11-22T10:59:00Z", "date", "60s"),
        ("yesterday", "date", "<invalid>"),
        (7, "date", None),
    ],
)
def test_cells(value: Any, type_: str, cell: Any) -> None:
    assert shown(value, type_, NOW) == cell


def test_columns() -> None:
    given = [
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Third", "type": "integer", "jsonPath": ".spec.sizes[2]", "priority": 1, "description": "the third"},
        {"name": "Broken", "type": "string", "jsonPath": ".spec[?("},
    ]
    name, ready, third = columns_of({"additionalPrinterColumns": given})
    obj = {
        "metadata": {"name": "a"},
        "spec": {"sizes": [1, 2]},
        "status": {"conditions": [{"type": "Other", "status": "x"}, {"type": "Ready", "status": "True"}]},
    }
    assert [column.cell(obj, NOW) for column in (name, ready, third)] == ["a", "True", None]
    assert (third.priority, third.description) == (1, "the third")
    assert ready.description.startswith("Custom resource definition column (in JSONPath format): .status")
    assert [column.name for column in columns_of({})] == ["Name", "Age"]


def test_selectable_fields_of_all_versions() -> None:
    one = version("v1", storage=True, selectableFields=[{"jsonPath": ".spec.size"}])
    two = version("v2", selectableFields=[{"jsonPath": ".spec.on"}])
    kinds = {kind.version: kind.strategy for kind in kinds_of(crd(one, two))}
    assert kinds["v1"].field_names == ("spec.size",)
    assert kinds["v1"].fields({"spec": {"size": 3, "on": True}}) == {"spec.size": "3", "spec.on": "true"}
    assert kinds["v1"].fields({}) == {"spec.size": "", "spec.on": ""}


def test_generation_grows_with_what_is_no_status() -> None:
    with_status = kinds_of(crd(version("v1", storage=True, subresources={"status": {}})))[0].strategy
    without = kinds_of(crd(version("v1", storage=True)))[0].strategy
    old: Object = {"metadata": {"generation": 1}, "spec": {}, "status": {"a": 1}}
    ctx = Context(now=NOW)
    new: Object = {"metadata": {"generation": 1}, "spec": {}, "status": {"a": 2}}
    with_status.prepare_for_update(new, old, ctx)
    assert (new["status"], new["metadata"]["generation"]) == ({"a": 1}, 1)
    new = {"metadata": {"generation": 1}, "spec": {}, "status": {"a": 2}}
    without.prepare_for_update(new, old, ctx)
    assert (new["status"], new["metadata"]["generation"]) == ({"a": 2}, 2)


def test_old_objects_get_new_defaults() -> None:
    schema = version("v1", storage=True)
    assert kinds_of(crd(schema))[0].strategy.revive is None
    schema["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"]["default"] = 3
    strategy = kinds_of(crd(schema))[0].strategy
    assert isinstance(strategy, CustomStrategy)
    assert strategy.revive is not None
    obj: Object = {"apiVersion": "stable.example.com/v1", "spec": {}}
    assert strategy.revive(obj)
    assert obj["spec"] == {"size": 3}
    assert not strategy.revive(obj)
    assert not strategy.revive({"apiVersion": "stable.example.com/v2", "spec": {}})
    both = kinds_of(crd(schema, {**schema, "name": "v2", "storage": False}))
    for revive in (kind.strategy.revive for kind in both):
        assert revive is not None
        assert revive({"apiVersion": "stable.example.com/v2", "spec": {}})  # in both versions the schema is the same


def test_finalizers_without_a_path_are_warned_of() -> None:
    strategy = kinds_of(crd(version("v1", storage=True)))[0].strategy
    (text,) = strategy.warnings({"metadata": {"finalizers": ["hold", "orphan", "example.com/hold"]}})
    assert text.startswith('metadata.finalizers: "hold": prefer a domain-qualified finalizer name including a path (/)')
    old: Object = {"metadata": {"finalizers": ["hold"]}}
    assert strategy.update_warnings({"metadata": {"finalizers": ["hold"]}}, old) == []
