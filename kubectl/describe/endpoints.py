"""The Endpoints of a Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl.describe.common import annotation_lines, events, header, label_lines
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, endpoints: Object) -> None:
    header(writer, endpoints)
    label_lines(writer, "Labels", endpoints["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", endpoints["metadata"].get("annotations"))
    writer.line(0, "Subsets:")
    for subset in endpoints.get("subsets") or ():
        for title, key in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            writer.field(1, title, ",".join(entry["ip"] for entry in subset.get(key) or ()) or "<none>")
        if subset.get("ports"):
            writer.line(1, "Ports:")
            writer.line(2, "Name\tPort\tProtocol")
            writer.line(2, "----\t----\t--------")
            for port in subset["ports"]:
                writer.line(2, f"{port.get('name') or '<unset>'}\t{port['port']}\t{port.get('protocol', 'TCP')}")
        writer.line(0)
    events(session, writer, endpoints)
