"""Pods that name a node which is none for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.pod.placement import misplaced

LABELS = {"disk": "ssd", "cores": "8"}


def pod(annotations: dict[str, str] | None = None, **spec: Any) -> core_v1.Pod:
    body = {"metadata": {"name": "web", "annotations": annotations}, "spec": {"containers": [{"name": "main"}], **spec}}
    return msgspec.convert(body, core_v1.Pod)


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [*terms]}}
    return {"affinity": {"nodeAffinity": required}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": [*values]}]}


def ports(number: int, address: str | None = None, protocol: str | None = None) -> dict[str, Any]:
    port = {"containerPort": 80, "hostPort": number, "hostIP": address, "protocol": protocol}
    return {"containers": [{"name": "main", "ports": [port]}]}


def reason(asking: core_v1.Pod, *others: core_v1.Pod, taints: tuple[dict[str, str], ...] = ()) -> str:
    node = {"metadata": {"name": "n1", "labels": LABELS}, "spec": {"taints": [*taints]}}
    refused = misplaced(asking, msgspec.convert(node, core_v1.Node), others)
    return refused.reason if refused is not None else ""


@pytest.mark.parametrize(
    ("spec", "belongs"),
    [
        ({}, True),
        ({"nodeSelector": LABELS}, True),
        ({"nodeSelector": {"disk": "hdd"}}, False),
        ({"nodeSelector": {"absent": ""}}, False),
        (affinity(expression("disk", "In", "ssd", "hdd")), True),
        (affinity(expression("disk", "NotIn", "ssd")), False),
        (affinity(expression("absent", "NotIn", "ssd")), True),
        (affinity(expression("absent", "Exists")), False),
        (affinity(expression("absent", "DoesNotExist")), True),
        (affinity(expression("cores", "Gt", "4")), True),
        (affinity(expression("cores", "Lt", "4")), False),
        (affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}), True),
        (affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}), False),
        (affinity(expression("disk", "In", "hdd"), expression("cores", "In", "8")), True),
        (affinity({}), False),
    ],
)
def test_the_nodes_that_a_pod_asks_for(spec: dict[str, Any], belongs: bool) -> None:
    assert reason(pod(**spec)) == ("" if belongs else "NodeAffinity")


@pytest.mark.parametrize(
    ("mine", "theirs", "free"),
    [
        (ports(80), ports(80), False),
        (ports(80), ports(81), True),
        (ports(80), ports(80, protocol="UDP"), True),
        (ports(80, "10.0.0.1"), ports(80, "10.0.0.2"), True),
        (ports(80, "10.0.0.1"), ports(80, "0.0.0.0"), False),
        ({}, ports(80), True),
        (
            ports(80),
            {"initContainers": [{"name": "side", "restartPolicy": "Always", **ports(80)["containers"][0]}]},
            False,
        ),
        (ports(80), {"initContainers": ports(80)["containers"]}, True),
    ],
)
def test_ports_of_the_host_that_another_pod_has(mine: dict[str, Any], theirs: dict[str, Any], free: bool) -> None:
    assert reason(pod(**mine), pod(**theirs)) == ("" if free else "NodePorts")


def test_taints_that_end_a_pod_keep_it_from_starting_but_for_static_pods() -> None:
    taint = {"key": "gone", "value": "soon", "effect": "NoExecute"}
    assert reason(pod(), taints=(taint,)) == "TaintToleration"
    assert reason(pod(), taints=({**taint, "effect": "NoSchedule"},)) == ""
    assert reason(pod(tolerations=[{"key": "gone", "operator": "Exists"}]), taints=(taint,)) == ""
    assert reason(pod({"kubernetes.io/config.source": "file"}), taints=(taint,)) == ""


def test_what_is_told() -> None:
    node = core_v1.Node(metadata=msgspec.convert({"name": "n1"}, type(pod().metadata)))
    refused = misplaced(pod(nodeSelector={"a": "b"}), node, ())
    assert refused is not None
    assert refused.message == "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
