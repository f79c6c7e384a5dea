"""What the CLI knows of Deployments and their ReplicaSets: revisions, templates, how far a rollout is."""

from __future__ import annotations

import json
from typing import Any

from kubectl.errors import CliError
from kubectl.kinds import REPLICA_SET
from kubectl.pods import selector_text
from kubectl.session import Session

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
TEMPLATE_HASH = "pod-template-hash"
Object = dict[str, Any]


def revision_of(obj: Object) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def replica_sets_of(session: Session, deployment: Object) -> list[Object]:
    """The ReplicaSets that the Deployment controls, oldest revision first."""
    metadata = deployment["metadata"]
    query = {"labelSelector": selector_text(deployment["spec"]["selector"])}
    found = session.server.list(REPLICA_SET, metadata["namespace"], query).get("items") or []
    owned = [
        rs
        for rs in found
        if any(o.get("controller") and o["uid"] == metadata["uid"] for o in rs["metadata"].get("ownerReferences") or ())
    ]
    return sorted(owned, key=revision_of)


def template_of(replica_set: Object) -> Object:
    """The pod template without the label that the controller added."""
    template: Object = json.loads(json.dumps(replica_set["spec"]["template"]))
    labels = (template.get("metadata") or {}).get("labels") or {}
    labels.pop(TEMPLATE_HASH, None)
    return template


def same_template(one: Object, other: Object) -> bool:
    return _plain(one) == _plain(other)


def _plain(template: Object) -> Object:
    copy: Object = json.loads(json.dumps(template))
    metadata = copy.get("metadata") or {}
    (metadata.get("labels") or {}).pop(TEMPLATE_HASH, None)
    copy["metadata"] = {key: value for key, value in metadata.items() if value}
    return copy


def rollout_step(deployment: Object, revision: int = 0) -> tuple[str, bool]:
    """What a rollout waits for, as a sentence, and whether it is done. Raises CliError when it has failed."""
    name, spec, status = deployment["metadata"]["name"], deployment["spec"], deployment.get("status") or {}
    if revision and revision_of(deployment) != revision:
        raise CliError(
            f"desired revision ({revision}) is different from the running revision ({revision_of(deployment)})"
        )
    if deployment["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...", False
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise CliError(f'deployment "{name}" exceeded its progress deadline')
    wanted, total = spec.get("replicas", 1), status.get("replicas", 0)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True
