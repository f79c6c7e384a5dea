"""A Deployment: its numbers, its template, its ReplicaSets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl.describe.common import (
    annotation_lines,
    conditions_with_reasons,
    events,
    header,
    label_lines,
    moment,
    selector,
)
from kubectl.describe.template import pod_template
from kubectl.describe.writer import Writer
from kubectl.server import Object
from kubectl.workloads import replica_sets_of, same_template

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, deployment: Object) -> None:
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    header(writer, deployment)
    writer.field(0, "CreationTimestamp", moment(metadata.get("creationTimestamp")))
    label_lines(writer, "Labels", metadata.get("labels"))
    annotation_lines(writer, "Annotations", metadata.get("annotations"))
    writer.field(0, "Selector", selector(spec.get("selector")))
    writer.field(
        0,
        "Replicas",
        f"{spec.get('replicas', 1)} desired | {status.get('updatedReplicas', 0)} updated | "
        f"{status.get('replicas', 0)} total | {status.get('availableReplicas', 0)} available | "
        f"{status.get('unavailableReplicas', 0)} unavailable",
    )
    strategy = spec.get("strategy") or {}
    writer.field(0, "StrategyType", strategy.get("type", ""))
    writer.field(0, "MinReadySeconds", spec.get("minReadySeconds", 0))
    rolling = strategy.get("rollingUpdate")
    if rolling:
        text = f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge"
        writer.field(0, "RollingUpdateStrategy", text)
    pod_template(writer, spec.get("template"))
    conditions_with_reasons(writer, deployment)
    _replica_sets(session, writer, deployment)
    events(session, writer, deployment)


def _replica_sets(session: Session, writer: Writer, deployment: Object) -> None:
    owned = replica_sets_of(session, deployment)
    new = [rs for rs in owned if same_template(rs["spec"]["template"], deployment["spec"]["template"])][:1]
    old = [rs for rs in owned if rs not in new]
    writer.field(0, "OldReplicaSets", _listed(old))
    writer.field(0, "NewReplicaSet", _listed(new))


def _listed(replica_sets: list[Object]) -> str:
    return (
        ", ".join(
            f"{rs['metadata']['name']} ({(rs.get('status') or {}).get('replicas', 0)}/{rs['spec'].get('replicas', 1)} "
            "replicas created)"
            for rs in replica_sets
        )
        or "<none>"
    )
