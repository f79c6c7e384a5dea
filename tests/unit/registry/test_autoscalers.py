"""HorizontalPodAutoscalers: the rules of both versions, and that going to the older one and back loses nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import schema
from api.errors import BadRequest
from apiserver.registry import horizontalpodautoscaler, horizontalpodautoscaler_v1
from apiserver.registry.autoscaling_versions import CONVERT, NEW, OLD, to_v1, to_v2
from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, ids, judged, refused
from tests.unit.registry.support import NOW, create, edited, update

M = "spec.metrics[0]"
UP = "spec.behavior.scaleUp"
PREFIX = "autoscaling.alpha.kubernetes.io/"


def metric(kind: str, **source: Any) -> list[Object]:
    return [{"type": kind, kind[:1].lower() + kind[1:]: source}]


def target(kind: str = "AverageValue", **amounts: Any) -> Object:
    return {"type": kind, **amounts}


NAMED = {"metric": {"name": "hits"}}
CASES: list[Case] = [
    ("spec.minReplicas", 0, ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero "
        "replicas"]),
    ("spec.maxReplicas", None, [
        "spec.maxReplicas: Invalid value: 0: must be greater than 0",
        "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"]),
    ("spec.minReplicas", 6, [
        "spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"]),
    ("spec.scaleTargetRef", {"name": "a/b"}, [
        "spec.scaleTargetRef.kind: Required value",
        "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'"]),
    ("spec.metrics", [{}], [
        f"{M}.type: Required value: must specify a metric source type",
        f'{M}.type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", '
        '"Resource"']),
    ("spec.metrics", [{"type": "Pods"}], [
        f"{M}.pods: Required value: must populate information for the given metric source"]),
    ("spec.metrics", metric("Resource", target=target("Utilization", averageUtilization=0)), [
        f"{M}.resource.name: Required value: must specify a resource name",
        f"{M}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0"]),
    ("spec.metrics", metric("Resource", name="cpu", target=target("Utilization")), [
        f"{M}.resource.target.averageUtilization: Required value: must set either a target raw value or a target "
        "utilization"]),
    ("spec.metrics", metric("Resource", name="cpu", target=target(averageValue="1", averageUtilization=1)), [
        f"{M}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization"]),
    ("spec.metrics", metric("Pods", **NAMED, target={}), [
        f"{M}.pods.target.type: Required value: must specify a metric target type",
        f'{M}.pods.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
        f"{M}.pods.target.averageValue: Required value: must specify a positive target averageValue"]),
    ("spec.metrics", metric("Object", metric={}, describedObject={"kind": "A", "name": "b"}, target=target("Value")), [
        f"{M}.object.metric.name: Required value: must specify a metric name",
        f"{M}.object.target.averageValue: Required value: must set either a target value or averageValue"]),
    ("spec.metrics", metric("External", **NAMED, target=target("Value", value="-1", averageValue="1")), [
        f'{M}.external.target.value: Invalid value: "-1": must be positive',
        f"{M}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target"]),
    ("spec.metrics", metric("ContainerResource", name="cpu", target=target(averageValue="1")), [
        f"{M}.containerResource.container: Required value: must specify a container"]),
    ("spec.metrics", [metric("Pods", **NAMED, target=target(averageValue="1"))[0]
                      | {"resource": {"name": "cpu", "target": target(averageValue="1")}}], [
        f"{M}.resource: Forbidden: must populate the given metric source only"]),
    ("spec.behavior.scaleUp", {"selectPolicy": "Any", "stabilizationWindowSeconds": 3601, "policies": []}, [
        f"{UP}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        f'{UP}.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
        f"{UP}.policies: Required value: must specify at least one Policy"]),
    ("spec.behavior.scaleUp", {"tolerance": "-1", "policies": [{"type": "Nodes", "periodSeconds": 1801}]}, [
        f'{UP}.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"',
        f"{UP}.policies[0].value: Invalid value: 0: must be greater than zero",
        f"{UP}.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
        f'{UP}.tolerance: Invalid value: "-1": must be greater than or equal to 0']),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), CASES, ids=ids(CASES))
def test_refused(path: str, value: Any, messages: list[str]) -> None:
    assert refused("horizontalpodautoscaler", path, value) == messages


def test_the_old_version_has_the_same_rules() -> None:
    assert refused("horizontalpodautoscaler-v1", "spec.maxReplicas", 0) == [
        "spec.maxReplicas: Invalid value: 0: must be greater than 0",
        "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
    ]
    assert refused("horizontalpodautoscaler-v1", "spec.targetCPUUtilizationPercentage", 0) == [
        f"{M}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0"
    ]
    assert changed("horizontalpodautoscaler-v1", "spec.minReplicas", 2) == []


def test_statuses() -> None:
    wrong = ["status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"]
    for name in ("horizontalpodautoscaler", "horizontalpodautoscaler-v1"):
        assert judged(name, {"currentReplicas": -1, "desiredReplicas": 0}) == wrong


CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
HITS = {"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "10"}}}
FULL: Object = {
    "apiVersion": NEW,
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "annotations": {"mine": "yes"}},
    "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [HITS, CPU],
        "behavior": {
            "scaleUp": {
                "selectPolicy": "Max",
                "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
                "tolerance": "100m",
            }
        },
    },
    "status": {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "lastScaleTime": "2026-11-22T12:00:00Z",
        "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageValue": "0", "averageUtilization": 0}}}
        ],
        "conditions": [{"type": "AbleToScale", "status": "True"}],
    },
}


def test_what_the_old_version_shows() -> None:
    old = to_v1(FULL)
    annotations = old["metadata"].pop("annotations")
    assert old == {
        "apiVersion": OLD,
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "targetCPUUtilizationPercentage": 60,
        },
        "status": {
            "currentReplicas": 2,
            "desiredReplicas": 3,
            "lastScaleTime": "2026-11-22T12:00:00Z",
            "currentCPUUtilizationPercentage": 0,
        },
    }
    assert annotations.pop("mine") == "yes"
    assert {name.removeprefix(PREFIX): orjson.loads(text) for name, text in annotations.items()} == {
        "metrics": [{"type": "Pods", "pods": {"metricName": "hits", "targetAverageValue": "10"}}],
        "current-metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "currentAverageValue": "0", "currentAverageUtilization": 0},
            }
        ],
        "behavior": {
            "ScaleUp": {
                "StabilizationWindowSeconds": None,
                "SelectPolicy": "Max",
                "Policies": [{"Type": "Pods", "Value": 4, "PeriodSeconds": 15}],
                "Tolerance": "100m",
            },
            "ScaleDown": None,
        },
        "conditions": [{"type": "AbleToScale", "status": "True"}],
    }
    assert to_v2(to_v1(FULL)) == FULL


def test_a_client_of_the_old_version_changes_what_it_knows() -> None:
    stored, errors = create(edited(FULL, "metadata.namespace", "default"))
    assert errors == []
    shown = to_v1(stored)
    new, errors = update(edited(shown, "spec.targetCPUUtilizationPercentage", 90), shown)
    assert errors == []
    changed_to = to_v2(new)
    assert changed_to["spec"]["metrics"][1]["resource"]["target"]["averageUtilization"] == 90
    changed_to["spec"]["metrics"][1] = CPU
    assert changed_to["spec"] == stored["spec"]
    assert changed_to["status"] == {**stored["status"], "currentReplicas": 0}


def test_annotations_that_say_nothing() -> None:
    carrying = {"spec": {}, "metadata": {"annotations": {f"{PREFIX}metrics": "{"}}}
    with pytest.raises(BadRequest, match=r"cannot be handled as a HorizontalPodAutoscaler: metadata\.annotations"):
        to_v2(carrying)
    with pytest.raises(BadRequest, match="cannot unmarshal"):
        to_v2(edited(carrying, "metadata.annotations", {f"{PREFIX}metrics": '[{"type": 1}]'}))


async def test_the_conversion_goes_both_ways() -> None:
    (old,) = await CONVERT([FULL], OLD)
    (new,) = await CONVERT([old], NEW)
    assert (old["apiVersion"], new) == (OLD, FULL)


quantities = st.sampled_from(["0", "1", "500m", "2Gi"])
selectors = st.fixed_dictionaries({}, optional={"selector": st.just({"matchLabels": {"a": "b"}})})
identifiers = selectors.map(lambda more: {"name": "hits", **more})


def source(part: str, amounts: dict[str, Any], **more: Any) -> st.SearchStrategy[Object]:
    """A metric's source; a target has the type that its amounts imply."""

    def typed(found: Object) -> Object:
        share, average = found.get("averageUtilization"), found.get("averageValue")
        kind = "Utilization" if share is not None else "Value" if average is None else "AverageValue"
        return {"type": kind, **found} if part == "target" else found

    values = st.fixed_dictionaries({}, optional=amounts).filter(bool).map(typed)
    return st.fixed_dictionaries({part: values, **more})


def metrics(part: str) -> st.SearchStrategy[list[Object]]:
    value, average = {"value": quantities}, {"averageValue": quantities}
    share = {"averageUtilization": st.integers(0, 200), **average}
    names = {"name": st.sampled_from(["cpu", "memory"])}
    described = {"describedObject": st.just({"kind": "Service", "name": "a"}), "metric": identifiers}
    sources = {
        "object": source(part, {**value, **average}, **described),
        "pods": source(part, average, metric=identifiers),
        "resource": source(part, share, **names),
        "containerResource": source(part, share, **names, container=st.just("c")),
        "external": source(part, {**value, **average}, metric=identifiers),
    }
    return st.lists(st.one_of(*(each.map(partial(_typed, field)) for field, each in sources.items())), max_size=3)


def _typed(field: str, source: Object) -> Object:
    return {"type": field[:1].upper() + field[1:], field: source}


@given(targets=metrics("target"), measured=metrics("current"))
def test_there_and_back(targets: list[Object], measured: list[Object]) -> None:
    own = [each for each in targets if each.get("resource", {}).get("name") == "cpu"]
    shares = [each for each in own if "averageUtilization" in each["resource"]["target"]][:1]
    for each in shares:  # what the old version has a field for; it comes back as the last
        each["resource"]["target"].pop("averageValue", None)
    targets = [each for each in targets if each not in own] + shares
    obj = edited(edited(FULL, "spec.metrics", targets or None), "status.currentMetrics", measured or None)
    back = to_v2(to_v1(obj))
    assert back == {**obj, "status": {**obj["status"], "currentMetrics": measured or None}}
    for made, kind in ((to_v1(obj), horizontalpodautoscaler_v1.KIND), (back, horizontalpodautoscaler.KIND)):
        assert schema.type_error(kind.schema, kind.kind, kind.version, made) is None


ROWS: list[tuple[list[Object], list[Object], str]] = [
    ([], [], "<none>"),
    ([CPU, HITS], [], "cpu: <unknown>/60%, <unknown>/10"),
    ([CPU], FULL["status"]["currentMetrics"], "cpu: 0%/60%"),
    (metric("Resource", name="memory", target=target(averageValue="1Gi")), [], "memory: <unknown>/1Gi"),
    (metric("External", **NAMED, target=target(averageValue="3")), [], "<unknown>/3 (avg)"),
    (metric("Object", **NAMED, target=target("Value", value="3")),
     metric("Object", **NAMED, current={"value": "2"}), "2/3"),
    (metric("Resource", name="cpu", target=target("Utilization")), [], "cpu: <unknown>/<auto>"),
    ([CPU, HITS, HITS, HITS], [], "cpu: <unknown>/60%, <unknown>/10 + 2 more..."),
    ([{"type": "Luck"}], [], "<unknown type>"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "measured", "shown"), ROWS, ids=[row[2] for row in ROWS])
def test_rows(wanted: list[Object], measured: list[Object], shown: str) -> None:
    obj = edited(edited(FULL, "spec.metrics", wanted), "status.currentMetrics", measured)
    row = [column.cell(obj, NOW) for column in horizontalpodautoscaler.KIND.columns]
    assert row == ["Deployment/web", shown, "1", 5, 2]
