"""The conditions of a definition: whether it has its names, whether its kind is served, whether it is going."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.metadata import rfc3339
from apiserver.registry.kind import Object

NAMES_ACCEPTED, ESTABLISHED, TERMINATING = "NamesAccepted", "Established", "Terminating"


def condition_of(crd: Mapping[str, Any], type_: str) -> Object | None:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == type_), None)


def is_true(crd: Mapping[str, Any], type_: str) -> bool:
    return (condition_of(crd, type_) or {}).get("status") == "True"


def set_condition(crd: Object, type_: str, status: str, reason: str, message: str, now: datetime) -> None:
    """Put a condition into the definition's status; its time moves only when its status changes."""
    conditions = crd.setdefault("status", {}).get("conditions") or []
    found = condition_of(crd, type_)
    since = found.get("lastTransitionTime") if found and found.get("status") == status else None
    new = {"type": type_, "status": status, "lastTransitionTime": since or rfc3339(now)}
    new |= {"reason": reason, "message": message}
    crd["status"]["conditions"] = (
        [new if each is found else each for each in conditions] if found else [*conditions, new]
    )
