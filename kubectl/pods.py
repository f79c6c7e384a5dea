"""From an object that owns or selects pods to its pods."""

from __future__ import annotations

from typing import Any

from kubectl.errors import CliError
from kubectl.kinds import POD
from kubectl.session import Session

Object = dict[str, Any]


def selector_text(selector: dict[str, Any] | None) -> str:
    """A LabelSelector, or a Service's plain map, as the text of a query."""
    if not selector:
        return ""
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for entry in selector.get("matchExpressions") or ():
        key, operator, values = entry["key"], entry["operator"], ",".join(entry.get("values") or ())
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[operator]
        )
    return ",".join(parts)


def readiness(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def pods_of(session: Session, owner: Object, named: str) -> list[Object]:
    """The pods that the object selects, the most useful first: running and ready before others, old before new."""
    selector = selector_text((owner.get("spec") or {}).get("selector"))
    if not selector:
        raise CliError(f"{named} selects no pods")
    namespace = owner["metadata"]["namespace"]
    pods: list[Object] = session.server.list(POD, namespace, {"labelSelector": selector}).get("items") or []
    if not pods:
        raise CliError(f"no pods found for {named}: its selector is {selector}")
    return sorted(pods, key=_usefulness)


def _usefulness(pod: Object) -> tuple[bool, bool, bool, str, str]:
    status = pod.get("status") or {}
    return (
        "nodeName" not in pod["spec"],
        status.get("phase") != "Running",
        not readiness(pod),
        pod["metadata"].get("creationTimestamp", ""),
        pod["metadata"]["name"],
    )


def pod_of(session: Session, word: str) -> Object:
    """`NAME`, `pod/NAME`, or a pod of what `TYPE/NAME` selects. Raises CliError, StatusError."""
    kind, slash, name = word.partition("/")
    if not slash:
        return _get(session, word)
    resource = session.catalog.find(kind)
    if resource.plural == "pods" and not resource.group:
        return _get(session, name)
    return pods_of(session, session.server.get(resource, session.namespace, name), word)[0]


def running_pod(session: Session, word: str, purpose: str) -> Object:
    """The same, if its containers have not all ended."""
    pod = pod_of(session, word)
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CliError(f"cannot {purpose} a container in a completed pod; current phase is {phase}")
    return pod


def _get(session: Session, name: str) -> Object:
    return session.server.get(POD, session.namespace, name)
