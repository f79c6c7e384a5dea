"""An EndpointSlice: each endpoint with its conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl.describe.common import annotation_lines, events, header, label_lines
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, found: Object) -> None:
    header(writer, found)
    label_lines(writer, "Labels", found["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", found["metadata"].get("annotations"))
    writer.field(0, "AddressType", found.get("addressType", ""))
    _ports(writer, found)
    endpoints = found.get("endpoints") or ()
    writer.line(0, "Endpoints:" if endpoints else "Endpoints: <none>")
    for endpoint in endpoints:
        _endpoint(writer, endpoint)
    events(session, writer, found)


def _ports(writer: Writer, found: Object) -> None:
    ports = found.get("ports") or ()
    if not ports:
        writer.line(0, "Ports: <unset>")
        return
    writer.line(0, "Ports:")
    writer.line(1, "Name\tPort\tProtocol")
    writer.line(1, "----\t----\t--------")
    for port in ports:
        name, number = port.get("name") or "<unset>", port.get("port", "<unset>")
        writer.line(1, f"{name}\t{number}\t{port.get('protocol', 'TCP')}")


def _endpoint(writer: Writer, endpoint: Object) -> None:
    writer.line(1, f"- Addresses:\t{', '.join(endpoint.get('addresses') or ()) or '<none>'}")
    writer.line(2, "Conditions:")
    conditions = endpoint.get("conditions") or {}
    ready = conditions.get("ready")
    writer.field(3, "Ready", "<unset>" if ready is None else str(ready).lower())
    writer.field(2, "Hostname", endpoint.get("hostname") or "<unset>")
    target = endpoint.get("targetRef")
    if target:
        writer.field(2, "TargetRef", f"{target['kind']}/{target['name']}")
    writer.field(2, "NodeName", endpoint.get("nodeName") or "<unset>")
    writer.field(2, "Zone", endpoint.get("zone") or "<unset>")
