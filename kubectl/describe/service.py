"""A Service: its addresses, its ports, and who answers behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl.describe.common import annotation_lines, events, header, label_lines, selector
from kubectl.describe.writer import Writer
from kubectl.kinds import ENDPOINT_SLICE
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session

SHOWN = 3


def describe(session: Session, writer: Writer, service: Object) -> None:
    metadata, spec = service["metadata"], service["spec"]
    header(writer, service)
    label_lines(writer, "Labels", metadata.get("labels"))
    annotation_lines(writer, "Annotations", metadata.get("annotations"))
    writer.field(0, "Selector", selector(spec.get("selector")))
    writer.field(0, "Type", spec.get("type", ""))
    if spec.get("ipFamilyPolicy"):
        writer.field(0, "IP Family Policy", spec["ipFamilyPolicy"])
    writer.field(0, "IP Families", ",".join(spec.get("ipFamilies") or ()) or "<none>")
    writer.field(0, "IP", spec.get("clusterIP", ""))
    writer.field(0, "IPs", ",".join(spec.get("clusterIPs") or ()) or "<none>")
    _outside(writer, service)
    slices = _slices(session, service)
    for port in spec.get("ports") or ():
        _port(writer, port, slices)
    writer.field(0, "Session Affinity", spec.get("sessionAffinity", ""))
    for title, key in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("HealthCheck NodePort", "healthCheckNodePort"),
    ):
        if spec.get(key):
            writer.field(0, title, spec[key])
    events(session, writer, service)


def _outside(writer: Writer, service: Object) -> None:
    spec = service["spec"]
    if spec.get("externalIPs"):
        writer.field(0, "External IPs", ",".join(spec["externalIPs"]))
    if spec.get("loadBalancerIP"):
        writer.field(0, "Desired LoadBalancer IP", spec["loadBalancerIP"])
    if spec.get("externalName"):
        writer.field(0, "External Name", spec["externalName"])
    balancer: dict[str, Any] = (service.get("status") or {}).get("loadBalancer") or {}
    if balancer.get("ingress"):
        places = [entry.get("ip") or entry.get("hostname", "") for entry in balancer["ingress"]]
        writer.field(0, "LoadBalancer Ingress", ", ".join(places))


def _port(writer: Writer, port: Object, slices: list[Object]) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    writer.line(0, f"Port:\t{name}\t{port['port']}/{protocol}")
    writer.field(0, "TargetPort", f"{port.get('targetPort', port['port'])}/{protocol}")
    if port.get("nodePort"):
        writer.line(0, f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
    writer.field(0, "Endpoints", ready_addresses(slices, port.get("name") or ""))


def _slices(session: Session, service: Object) -> list[Object]:
    metadata = service["metadata"]
    query = {"labelSelector": f"kubernetes.io/service-name={metadata['name']}"}
    found: list[Object] = session.server.list(ENDPOINT_SLICE, metadata["namespace"], query).get("items") or []
    return found


def ready_addresses(slices: list[Object], port_name: str) -> str:
    """`10.244.0.5:8080,10.244.0.6:8080,10.244.1.3:8080 + 2 more...`"""
    if not slices:
        return "<none>"
    found: list[str] = []
    for entry in slices:
        numbers = [p.get("port") for p in entry.get("ports") or () if (p.get("name") or "") == port_name]
        for endpoint in entry.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            for address in endpoint.get("addresses") or ():
                host = f"[{address}]" if ":" in address else address
                found.extend(host if number is None else f"{host}:{number}" for number in numbers)
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more
