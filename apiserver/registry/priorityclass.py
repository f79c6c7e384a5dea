"""PriorityClass: a name for how important pods are. Two classes of the system's own are always there."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError, forbidden
from apiserver.registry import rules
from apiserver.registry.columns import AGE, NAME
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

PREEMPT = "PreemptLowerPriority"
SYSTEM: dict[str, tuple[int, str]] = {
    "system-cluster-critical": (
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    "system-node-critical": (
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}
"""The system's own classes: their value, and what they are for."""

HIGHEST = 1_000_000_000
"""The most that a class of a user's may be worth."""

_POLICIES = (PREEMPT, "Never")
_RESERVED = "priority class names with 'system-' prefix are reserved for system use only. error: "


class PriorityClassStrategy(Strategy):
    def default(self, obj: Object) -> None:
        if obj.get("preemptionPolicy") is None:
            obj["preemptionPolicy"] = PREEMPT
        if obj.get("value") is None:
            obj["value"] = 0

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["metadata"]["generation"] = 1

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        name = obj["metadata"].get("name") or ""
        if name.startswith("system-"):
            if why := _not_the_systems(obj, name):
                errors.append(forbidden("metadata.name", _RESERVED + why))
        elif (obj.get("value") or 0) > HIGHEST:
            errors.append(forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}"))
        return errors + rules.one_of(obj["preemptionPolicy"], _POLICIES, "preemptionPolicy")

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        if new.get("value") != old.get("value"):
            errors.append(forbidden("value", "may not be changed in an update."))
        return errors + rules.immutable(new["preemptionPolicy"], old.get("preemptionPolicy"), "preemptionPolicy")


def _not_the_systems(obj: Object, name: str) -> str:
    if name not in SYSTEM:
        return f"{name} is not a known system priority class"
    value = SYSTEM[name][0]
    if obj.get("value") != value:
        return f"value of {name} PriorityClass must be {value}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""


def _value(obj: Object, now: datetime) -> int:
    return obj.get("value") or 0


def _default(obj: Object, now: datetime) -> bool:
    return bool(obj.get("globalDefault"))


def _policy(obj: Object, now: datetime) -> str:
    return obj.get("preemptionPolicy") or ""


KIND = Kind(
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    definition="io.k8s.api.scheduling.v1.PriorityClass",
    namespaced=False,
    singular="priorityclass",
    strategy=PriorityClassStrategy(),
    short_names=("pc",),
    table="plain",
    columns=(
        NAME,
        Column("Value", _value, type="integer", description="What the name stands for."),
        Column("Global-Default", _default, type="boolean", description="Whether it is for pods that name none."),
        AGE,
        Column("PreemptionPolicy", _policy, description="Whether its pods may push others out."),
    ),
)
