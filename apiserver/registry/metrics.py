"""NodeMetrics and PodMetrics: what nodes and pods use at the moment. Nothing of it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.quantity import canonical, plus
from api.schema import structural
from apiserver.metrics import objects
from apiserver.registry.columns import NAME
from apiserver.registry.kind import Column, Kind, Object

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
_DEFINITION = "io.k8s.metrics.pkg.apis.metrics.v1beta1"

_QUANTITY = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
}
_USAGE = {
    "type": "object",
    "description": "The memory usage is the memory working set; CPU is an average over the window.",
    "additionalProperties": _QUANTITY,
}
_HEAD = {
    "timestamp": {
        "type": "string",
        "format": "date-time",
        "description": "The end of the time over which the metrics were collected.",
    },
    "window": {"type": "string", "description": "How long that time was."},
}
_CONTAINERS = {
    "type": "array",
    "description": "Metrics of the pod's containers, collected over the same time.",
    "items": {
        "type": "object",
        "required": ["name", "usage"],
        "properties": {"name": {"type": "string", "description": "The container's name."}, "usage": _USAGE},
    },
}


def _schema(description: str, **own: Any) -> Any:
    required = ["timestamp", "window", *own]
    properties = {**_HEAD, **own}
    return structural({"type": "object", "description": description, "required": required, "properties": properties})


def _of_node(obj: Object, name: str) -> str:
    return str(obj["usage"].get(name, "0"))


def _of_pod(obj: Object, name: str) -> str:
    total = "0"
    for container in obj["containers"]:
        total = plus(total, container["usage"].get(name, "0"))
    return canonical(total)


def _columns(amount: Any) -> tuple[Column, ...]:
    def cell(name: str) -> Column:
        def show(obj: Object, now: datetime) -> str:
            return str(amount(obj, name))

        return Column(name, show, description=f"The {name} that is used.")

    return (NAME, cell("cpu"), cell("memory"), Column("Window", lambda obj, now: obj["window"], format="duration"))


NODES = Kind(
    group=GROUP,
    version=VERSION,
    kind="NodeMetrics",
    plural="nodes",
    definition=f"{_DEFINITION}.NodeMetrics",
    namespaced=False,
    verbs=("get", "list"),
    table="plain",
    columns=_columns(_of_node),
    own_schema=_schema("NodeMetrics is what a node uses.", usage=_USAGE),
    live=objects.nodes,
)
PODS = Kind(
    group=GROUP,
    version=VERSION,
    kind="PodMetrics",
    plural="pods",
    definition=f"{_DEFINITION}.PodMetrics",
    verbs=("get", "list"),
    table="plain",
    columns=_columns(_of_pod),
    own_schema=_schema("PodMetrics is what a pod's containers use.", containers=_CONTAINERS),
    live=objects.pods,
)
