"""A pod: where it is, how its containers are, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl import durations
from kubectl.describe.common import (
    annotation_lines,
    controlled_by,
    events,
    header,
    label_lines,
    moment,
    several,
    tolerations,
)
from kubectl.describe.container import containers
from kubectl.describe.template import volumes
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, pod: Object) -> None:
    spec, status = pod["spec"], pod.get("status") or {}
    _place(writer, pod)
    label_lines(writer, "Labels", pod["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", pod["metadata"].get("annotations"))
    _state(writer, pod)
    if spec.get("initContainers"):
        containers(writer, "Init Containers", spec["initContainers"], status.get("initContainerStatuses") or ())
    containers(writer, "Containers", spec.get("containers") or (), status.get("containerStatuses") or ())
    _conditions(writer, pod)
    volumes(writer, spec.get("volumes"))
    writer.field(0, "QoS Class", status.get("qosClass", ""))
    label_lines(writer, "Node-Selectors", spec.get("nodeSelector"))
    tolerations(writer, "Tolerations", spec.get("tolerations"))
    _spreading(writer, pod)
    events(session, writer, pod)


def _place(writer: Writer, pod: Object) -> None:
    spec, status = pod["spec"], pod.get("status") or {}
    header(writer, pod)
    for title, key in (
        ("Priority", "priority"),
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(key) not in (None, ""):
            writer.field(0, title, spec[key])
    node = spec.get("nodeName")
    writer.field(0, "Node", f"{node}/{status.get('hostIP', '')}" if node else "<none>")
    if status.get("startTime"):
        writer.field(0, "Start Time", moment(status["startTime"]))


def _state(writer: Writer, pod: Object) -> None:
    metadata, status = pod["metadata"], pod.get("status") or {}
    ended = status.get("phase") in ("Failed", "Succeeded")
    if metadata.get("deletionTimestamp") and not ended:
        writer.field(0, "Status", f"Terminating (lasts {durations.age(metadata['deletionTimestamp'])})")
        writer.field(0, "Termination Grace Period", f"{metadata.get('deletionGracePeriodSeconds', 0)}s")
    else:
        writer.field(0, "Status", status.get("phase", ""))
    for title, key in (("Reason", "reason"), ("Message", "message")):
        if status.get(key):
            writer.field(0, title, status[key])
    writer.field(0, "IP", status.get("podIP", ""))
    if status.get("podIPs"):
        writer.line(0, "IPs:")
        for entry in status["podIPs"]:
            writer.field(1, "IP", entry["ip"])
    else:
        writer.field(0, "IPs", "<none>")
    if controlled_by(pod):
        writer.field(0, "Controlled By", controlled_by(pod))
    if status.get("nominatedNodeName"):
        writer.field(0, "NominatedNodeName", status["nominatedNodeName"])


def _conditions(writer: Writer, pod: Object) -> None:
    status = pod.get("status") or {}
    gates = pod["spec"].get("readinessGates") or ()
    known = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    if gates:
        writer.line(0, "Readiness Gates:")
        writer.line(1, "Type\tStatus")
        for gate in gates:
            writer.line(1, f"{gate['conditionType']} \t{known.get(gate['conditionType'], '<none>')} ")
    if known:
        writer.line(0, "Conditions:")
        writer.line(1, "Type\tStatus")
        for name, value in known.items():
            writer.line(1, f"{name} \t{value} ")


def _spreading(writer: Writer, pod: Object) -> None:
    from kubectl.describe.common import selector

    constraints = pod["spec"].get("topologySpreadConstraints") or ()
    if constraints:
        texts = [
            f"{c['topologyKey']}:{c['whenUnsatisfiable']} when max skew {c['maxSkew']} is exceeded "
            f"for selector {selector(c.get('labelSelector'))}"
            for c in constraints
        ]
        several(writer, "Topology Spread Constraints", sorted(texts))
