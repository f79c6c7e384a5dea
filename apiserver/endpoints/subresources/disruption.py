"""What a PodDisruptionBudget says to an eviction, as pure functions; `eviction.py` asks and acts.

The budget's controller counts pods, slowly; evictions are decided here at once. Each one that is allowed is written
into the budget's status before the pod goes, so that of two at the same moment one sees the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.errors import Forbidden, StatusError, TooManyRequests
from api.selectors import LabelSelector, SelectorError
from apiserver.registry.kind import Object

CAUSE = "DisruptionBudget"
ALLOWED = "DisruptionAllowed"
_MOST_UNCONFIRMED = 2000
"""Evicted pods that the controller has not seen go yet."""
_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_WAIT = 10


def ended(pod: Object) -> bool:
    """Whether nothing of the pod is left to disrupt."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed") or bool(pod["metadata"].get("deletionTimestamp"))


def unguarded(pod: Object) -> bool:
    """Whether no budget is asked: the pod has ended, or has not begun."""
    return ended(pod) or (pod.get("status") or {}).get("phase") == "Pending"


def budget_of(pod: Object, budgets: Iterable[Object]) -> Object | None:
    """The budget that guards the pod, of those of its namespace. Raises StatusError when there are several."""
    labels = pod["metadata"].get("labels")
    found = [budget for budget in budgets if _selector(budget).matches(labels)]
    if len(found) > 1:
        raise StatusError(_SEVERAL, code=500)
    return found[0] if found else None


def _selector(budget: Object) -> LabelSelector:
    try:
        return LabelSelector.of((budget.get("spec") or {}).get("selector"))
    except SelectorError:
        return LabelSelector(nothing=True)


def costs_nothing(pod: Object, budget: Object) -> bool:
    """Whether a pod may go without the budget being drawn on: it is not ready, and was not counted."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    wanted = status.get("desiredHealthy") or 0
    return wanted > 0 and (status.get("currentHealthy") or 0) >= wanted


def draw(budget: Object, pod: str, moment: str) -> None:
    """Take one disruption for `pod` out of the budget, in place; `moment` is now, as timestamps are written.

    Raises TooManyRequests when there is none, or nobody has counted yet; Forbidden when something is amiss.
    """
    name, status = budget["metadata"]["name"], budget.setdefault("status", {})
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        raise not_counted(name)
    allowed, gone = status.get("disruptionsAllowed") or 0, status.get("disruptedPods") or {}
    if allowed < 0:
        raise Forbidden("poddisruptionbudget.policy", name, "pdb disruptions allowed is negative")
    if len(gone) > _MOST_UNCONFIRMED:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise Forbidden("poddisruptionbudget.policy", name, text)
    if not allowed:
        raise _refused(_why(name, status), None)
    status["disruptionsAllowed"] = allowed - 1
    status["disruptedPods"] = {**gone, pod: moment}
    if allowed == 1:
        _none_left(budget, moment)


def not_counted(name: str) -> TooManyRequests:
    return _refused(f"The disruption budget {name} is still being processed by the server.", _WAIT)


def _refused(why: str, retry_after: int | None) -> TooManyRequests:
    causes = [{"reason": CAUSE, "message": why}]
    return TooManyRequests(_VIOLATES, retry_after, details={"causes": causes})


def _why(name: str, status: Object) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == ALLOWED and condition.get("reason") == "SyncFailed":
            text = "does not allow evicting pods currently because it failed sync"
            return f"The disruption budget {name} {text}: {condition.get('message') or ''}"
    wanted, healthy = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
    return f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"


def _none_left(budget: Object, moment: str) -> None:
    status = budget["status"]
    before: Object = next((each for each in status.get("conditions") or () if each.get("type") == ALLOWED), {})
    now = {
        "type": ALLOWED,
        "status": "False",
        "observedGeneration": status.get("observedGeneration") or 0,
        "lastTransitionTime": before["lastTransitionTime"] if before.get("status") == "False" else moment,
        "reason": "InsufficientPods",
        "message": "",
    }
    others = [each for each in status.get("conditions") or () if each.get("type") != ALLOWED]
    status["conditions"] = [*others, now]
