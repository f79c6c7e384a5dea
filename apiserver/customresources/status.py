"""What a definition's status should say: the names it got, and its conditions. Pure functions of the definitions.

Names are first come, first served within a group: who has a name keeps it. Every API server computes the same from the
same definitions, and writes it only over what it has seen, so that no two definitions get the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from api.field import quote
from apiserver.registry.definitions.conditions import ESTABLISHED, NAMES_ACCEPTED, is_true, set_condition
from apiserver.registry.definitions.names import approval, protected
from apiserver.registry.kind import Object

APPROVED = "KubernetesAPIApprovalPolicyConformant"

_APPROVAL = {
    "missing": ("False", "MissingAnnotation"),
    "invalid": ("False", "InvalidAnnotation"),
    "bypassed": ("False", "UnapprovedAnnotation"),
    "approved": ("True", "ApprovedAnnotation"),
}


def settle(crd: Object, others: Iterable[Mapping[str, Any]], served: bool, now: datetime) -> None:
    """Bring a definition's status, in place, to what it should be beside the others of its group.

    `served`: whether this server serves the kind under the names it has. Only then it is said to be established.
    """
    accepted, problem = accept(crd, others)
    crd.setdefault("status", {})["acceptedNames"] = accepted
    reason, message = problem or ("NoConflicts", "no conflicts found")
    set_condition(crd, NAMES_ACCEPTED, "False" if problem else "True", reason, message, now)
    _establish(crd, served, now)
    if protected(crd["spec"]["group"]):
        word, text = approval(crd["metadata"].get("annotations"))
        set_condition(crd, APPROVED, *_APPROVAL[word], text, now)


def _establish(crd: Object, served: bool, now: datetime) -> None:
    if is_true(crd, ESTABLISHED):
        return
    text = "the initial names have been accepted"
    if served:
        set_condition(crd, ESTABLISHED, "True", "InitialNamesAccepted", text, now)
    elif is_true(crd, NAMES_ACCEPTED):
        set_condition(crd, ESTABLISHED, "False", "Installing", text, now)
    else:
        set_condition(crd, ESTABLISHED, "False", "NotAccepted", "not all names are accepted", now)


def accept(crd: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> tuple[Object, tuple[str, str] | None]:
    """The names a definition has now, and the reason and message of the last that it cannot have."""
    wanted = crd["spec"]["names"]
    had: Object = (crd.get("status") or {}).get("acceptedNames") or {}
    resources, kinds = _taken(others)
    names: Object = dict(had)
    problem: tuple[str, str] | None = None
    for field, taken in (("plural", resources), ("singular", resources)):
        problem = _take(field, wanted, had, names, taken) or problem
    problem = _take_short_names(wanted, had, names, resources) or problem
    for field, taken in (("kind", kinds), ("listKind", kinds)):
        problem = _take(field, wanted, had, names, taken) or problem
    names.pop("categories", None)
    if wanted.get("categories"):
        names["categories"] = wanted["categories"]
    return names, problem


def _taken(others: Iterable[Mapping[str, Any]]) -> tuple[set[str], set[str]]:
    """The resource names and the kinds that other definitions have."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        accepted = (other.get("status") or {}).get("acceptedNames") or {}
        resources.update(name for field in ("plural", "singular") if (name := accepted.get(field)))
        resources.update(accepted.get("shortNames") or ())
        kinds.update(name for field in ("kind", "listKind") if (name := accepted.get(field)))
    return resources, kinds


def _take(
    field: str, wanted: Mapping[str, Any], had: Mapping[str, Any], names: Object, taken: set[str]
) -> tuple[str, str] | None:
    name = wanted.get(field) or ""
    if name != had.get(field) and name in taken:
        return f"{field[0].upper()}{field[1:]}Conflict", f"{quote(name)} is already in use"
    names[field] = name
    return None


def _take_short_names(
    wanted: Mapping[str, Any], had: Mapping[str, Any], names: Object, taken: set[str]
) -> tuple[str, str] | None:
    short, kept = wanted.get("shortNames") or [], had.get("shortNames") or []
    in_use = [f"{quote(name)} is already in use" for name in short if name not in kept and name in taken]
    if in_use:
        return "ShortNamesConflict", in_use[0] if len(in_use) == 1 else f"[{', '.join(in_use)}]"
    names.pop("shortNames", None)
    if short:
        names["shortNames"] = short
    return None
