"""Nodes and pods for scheduler tests, from few words."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from scheduler.objects import Node, Pod
from scheduler.podinfo import PodInfo, digest


def node(name: str, **words: str) -> Node:
    """`cpu`, `memory`, `pods`, … are allocatable; `labels` is `a=b,c=d`; `taints` is `k=v:NoSchedule,…`; `cordoned`."""
    labels = _pairs(words.pop("labels", ""))
    taints = [_taint(text) for text in _list(words.pop("taints", ""))]
    cordoned = bool(words.pop("cordoned", ""))
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "110", **words}
    body = {
        "metadata": {"name": name, "uid": f"node-{name}", "labels": {"kubernetes.io/hostname": name, **labels}},
        "spec": {"taints": taints, "unschedulable": cordoned},
        "status": {"allocatable": allocatable},
    }
    return msgspec.convert(body, Node)


def pod(name: str, **words: str) -> PodInfo:
    """`cpu`, … are requests; `selector`, `tolerations` (`k=v:Effect`, `k`, `*`), `ports`, `owner`, `priority`, `node`,
    `affinity` and `prefers` (`zone in a b`, `!ssd`, `rank > 3`; terms separated by `;`, expressions by `,`)."""
    return digest(raw_pod(name, **words))


def raw_pod(name: str, **words: str) -> Pod:
    spec: dict[str, Any] = {}
    if selector := words.pop("selector", ""):
        spec["nodeSelector"] = _pairs(selector)
    spec["tolerations"] = [_toleration(text) for text in _list(words.pop("tolerations", ""))]
    ports = [_port(text) for text in _list(words.pop("ports", ""))]
    owner, priority = words.pop("owner", ""), words.pop("priority", "")
    affinity: dict[str, Any] = {}
    if required := words.pop("affinity", ""):
        terms = [_term(text) for text in required.split(";")]
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if prefers := words.pop("prefers", ""):
        wanted = [{"weight": 10, "preference": _term(text)} for text in prefers.split(";")]
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = wanted
    if affinity:
        spec["affinity"] = {"nodeAffinity": affinity}
    if priority:
        spec["priority"] = int(priority)
    if bound := words.pop("node", ""):
        spec["nodeName"] = bound
    if never := words.pop("preemption", ""):
        spec["preemptionPolicy"] = never
    spec["containers"] = [{"name": "app", "resources": {"requests": words}, "ports": ports}]
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"pod-{name}"}
    if owner:
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"rs-{owner}", "controller": True}
        ]
    return msgspec.convert({"metadata": metadata, "spec": spec}, Pod)


def words_of(line: str) -> tuple[str, str, dict[str, str]]:
    """`pod web cpu=100m 'affinity=zone in a b'` → ("pod", "web", {…})."""
    command, *rest = shlex.split(line)
    name = rest.pop(0) if rest and "=" not in rest[0] else ""
    return command, name, {key: value for key, _, value in (word.partition("=") for word in rest)}


def _list(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _pairs(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in _list(text))


def _taint(text: str) -> dict[str, str]:
    pair, effect = text.split(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}


def _toleration(text: str) -> dict[str, str]:
    if text == "*":
        return {"operator": "Exists"}
    pair, _, effect = text.partition(":")
    key, equals, value = pair.partition("=")
    return {"key": key, "operator": "Equal" if equals else "Exists", "value": value, "effect": effect}


def _port(text: str) -> dict[str, Any]:
    number, _, protocol = text.partition("/")
    ip, _, number = number.rpartition("@")
    return {"containerPort": int(number), "hostPort": int(number), "hostIP": ip, "protocol": protocol or "TCP"}


_OPERATORS = {"in": "In", "notin": "NotIn", ">": "Gt", "<": "Lt"}


def _term(text: str) -> dict[str, Any]:
    labels: list[dict[str, Any]] = []
    fields: list[dict[str, Any]] = []
    for part in _list(text):
        key, *rest = part.split()
        into = fields if key == "metadata.name" else labels
        if not rest:
            into.append({"key": key.removeprefix("!"), "operator": "DoesNotExist" if key[0] == "!" else "Exists"})
        else:
            into.append({"key": key, "operator": _OPERATORS[rest[0]], "values": rest[1:]})
    return {"matchExpressions": labels, "matchFields": fields}
