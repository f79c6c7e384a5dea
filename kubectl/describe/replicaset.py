"""A ReplicaSet and how its pods are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kubectl.describe.common import (
    annotation_lines,
    conditions_with_reasons,
    controlled_by,
    events,
    header,
    label_lines,
    selector,
)
from kubectl.describe.template import pod_template
from kubectl.describe.writer import Writer
from kubectl.kinds import POD
from kubectl.pods import selector_text
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, replica_set: Object) -> None:
    metadata, spec, status = replica_set["metadata"], replica_set["spec"], replica_set.get("status") or {}
    header(writer, replica_set)
    writer.field(0, "Selector", selector(spec.get("selector")))
    label_lines(writer, "Labels", metadata.get("labels"))
    annotation_lines(writer, "Annotations", metadata.get("annotations"))
    if controlled_by(replica_set):
        writer.field(0, "Controlled By", controlled_by(replica_set))
    writer.field(0, "Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 1)} desired")
    writer.field(0, "Pods Status", _phases(session, replica_set))
    pod_template(writer, spec.get("template"))
    conditions_with_reasons(writer, replica_set)
    events(session, writer, replica_set)


def _phases(session: Session, replica_set: Object) -> str:
    metadata = replica_set["metadata"]
    query = {"labelSelector": selector_text(replica_set["spec"].get("selector"))}
    pods = session.server.list(POD, metadata["namespace"], query).get("items") or ()
    mine = [
        pod for pod in pods if any(o["uid"] == metadata["uid"] for o in pod["metadata"].get("ownerReferences") or ())
    ]
    count = Counter((pod.get("status") or {}).get("phase") for pod in mine)
    return (
        f"{count['Running']} Running / {count['Pending']} Waiting / {count['Succeeded']} Succeeded / "
        f"{count['Failed']} Failed"
    )
