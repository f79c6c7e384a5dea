"""A Node: its health, what it has, and which pods use how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api import quantity
from kubectl import durations
from kubectl.describe.common import annotation_lines, events, header, label_lines, moment, several, taint
from kubectl.describe.writer import Writer
from kubectl.kinds import LEASE, POD
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session

ROLE = "node-role.kubernetes.io/"
SYSTEM_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
    ("Kube-Proxy Version", "kubeProxyVersion"),
)


def describe(session: Session, writer: Writer, node: Object) -> None:
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    header(writer, node)
    roles = sorted(key.removeprefix(ROLE) for key in metadata.get("labels") or {} if key.startswith(ROLE))
    writer.field(0, "Roles", ",".join(roles) or "<none>")
    label_lines(writer, "Labels", metadata.get("labels"))
    annotation_lines(writer, "Annotations", metadata.get("annotations"))
    writer.field(0, "CreationTimestamp", moment(metadata.get("creationTimestamp")))
    several(writer, "Taints", [taint(value) for value in spec.get("taints") or ()])
    writer.field(0, "Unschedulable", "true" if spec.get("unschedulable") else "false")
    _lease(session, writer, metadata["name"])
    _conditions(writer, status)
    if status.get("addresses"):
        writer.line(0, "Addresses:")
        for address in status["addresses"]:
            writer.field(1, address["type"], address["address"])
    for title in ("capacity", "allocatable"):
        if status.get(title):
            writer.line(0, f"{title.capitalize()}:")
            for name in sorted(status[title]):
                writer.field(1, name, status[title][name])
    writer.line(0, "System Info:")
    for title, key in SYSTEM_INFO:
        if key in (status.get("nodeInfo") or {}) and (key != "kubeProxyVersion" or status["nodeInfo"][key]):
            writer.field(1, title, status["nodeInfo"][key])
    for title, value in (("PodCIDR", spec.get("podCIDR")), ("PodCIDRs", ",".join(spec.get("podCIDRs") or ()))):
        if value:
            writer.field(0, title, value)
    if spec.get("providerID"):
        writer.field(0, "ProviderID", spec["providerID"])
    _pods(session, writer, node)
    events(session, writer, node, uid=metadata["name"])


def _lease(session: Session, writer: Writer, name: str) -> None:
    from api.errors import NotFound

    try:
        spec = session.server.get(LEASE, "kube-node-lease", name).get("spec") or {}
    except NotFound:
        spec = {}
    writer.line(0, "Lease:")
    writer.field(1, "HolderIdentity", spec.get("holderIdentity") or "<unset>")
    writer.field(1, "AcquireTime", moment(spec.get("acquireTime")))
    writer.field(1, "RenewTime", moment(spec.get("renewTime")))


def _conditions(writer: Writer, status: Mapping[str, Any]) -> None:
    if not status.get("conditions"):
        return
    writer.line(0, "Conditions:")
    writer.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage")
    writer.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
    for c in status["conditions"]:
        times = f"{moment(c.get('lastHeartbeatTime'))} \t{moment(c.get('lastTransitionTime'))}"
        writer.line(1, f"{c['type']} \t{c['status']} \t{times} \t{c.get('reason', '')} \t{c.get('message', '')}")


def _pods(session: Session, writer: Writer, node: Object) -> None:
    fields = f"spec.nodeName={node['metadata']['name']},status.phase!=Failed,status.phase!=Succeeded"
    pods = session.server.list(POD, None, {"fieldSelector": fields, "limit": 500}).get("items") or []
    room = (node.get("status") or {}).get("allocatable") or (node.get("status") or {}).get("capacity") or {}
    writer.line(0, f"Non-terminated Pods:\t({len(pods)} in total)")
    writer.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge")
    writer.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---")
    totals: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for pod in sorted(pods, key=lambda pod: (pod["metadata"]["namespace"], pod["metadata"]["name"])):
        cells = []
        for name in ("cpu", "memory"):
            for side in ("requests", "limits"):
                cells.append(_share(name, pod_resources(pod, side).get(name), room))
        for side, total in totals.items():
            for name, amount in pod_resources(pod, side).items():
                total[name] = total.get(name, 0) + amount
        metadata = pod["metadata"]
        age = durations.age(metadata.get("creationTimestamp"))
        writer.line(1, "\t".join([metadata["namespace"], metadata["name"], "", *cells, age]))
    _totals(writer, totals, room)


def pod_resources(pod: Object, side: str) -> dict[str, Any]:
    """The pod's `requests` or `limits` as exact numbers: its containers' sum, or its largest init container."""
    found: dict[str, Any] = {}
    for container in pod["spec"].get("containers") or ():
        for name, amount in ((container.get("resources") or {}).get(side) or {}).items():
            found[name] = found.get(name, 0) + quantity.parse(amount)
    for container in pod["spec"].get("initContainers") or ():
        for name, amount in ((container.get("resources") or {}).get(side) or {}).items():
            found[name] = max(found.get(name, 0), quantity.parse(amount))
    return found


def _share(name: str, amount: Any, room: Mapping[str, str]) -> str:
    whole = quantity.parse(room[name]) if name in room else 0
    percent = int(amount * 100 / whole) if amount and whole else 0
    return f"{_text(name, amount)} ({percent}%)"


def _text(name: str, amount: Any) -> str:
    if not amount:
        return "0"
    if name == "cpu":
        milli = quantity.milli(amount)
        return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"
    return quantity.format_bytes(amount) if name != "pods" else str(quantity.value(amount))


def _totals(writer: Writer, totals: Mapping[str, Mapping[str, Any]], room: Mapping[str, str]) -> None:
    writer.line(0, "Allocated resources:")
    writer.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    writer.line(1, "Resource\tRequests\tLimits")
    writer.line(1, "--------\t--------\t------")
    names = ["cpu", "memory", "ephemeral-storage"]
    names += sorted(name for name in room if name not in names and name != "pods")
    for name in names:
        cells = [_share(name, totals[side].get(name), room) for side in ("requests", "limits")]
        writer.line(1, "\t".join([name, *cells]))
