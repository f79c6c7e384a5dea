"""A Namespace, and what its deletion waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl.describe.common import annotation_lines, header, label_lines
from kubectl.describe.limits import quotas_and_limits
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, namespace: Object) -> None:
    header(writer, namespace)
    label_lines(writer, "Labels", namespace["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", namespace["metadata"].get("annotations"))
    status = namespace.get("status") or {}
    writer.field(0, "Status", status.get("phase", ""))
    if status.get("conditions"):
        writer.line(0, "Conditions:")
        writer.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage")
        writer.line(1, "----\t------\t------------------\t------\t-------")
        for c in status["conditions"]:
            when = c.get("lastTransitionTime", "")
            writer.line(1, f"{c['type']}\t{c['status']}\t{when}\t{c.get('reason', '')}\t{c.get('message', '')}")
    quotas_and_limits(session, writer, namespace["metadata"]["name"])
