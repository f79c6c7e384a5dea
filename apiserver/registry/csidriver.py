"""CSIDriver: what a storage driver can do and needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.field import FieldError, invalid, not_supported
from apiserver.registry import rules, storage_rules
from apiserver.registry.columns import NONE, UNSET
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_DEFAULTS: dict[str, Any] = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "requiresRepublish": False,
    "seLinuxMount": False,
}
_GROUP_POLICIES = ("ReadWriteOnceWithFSType", "File", "None")
_MODES = ("Persistent", "Ephemeral")
_PERIOD = 10


class CSIDriverStrategy(Strategy):
    allow_unconditional_update = False
    has_generation = True
    returns_deleted = True

    def default(self, obj: Object) -> None:
        spec = obj.get("spec")
        if spec is None:
            spec = obj["spec"] = {}
        for name, value in _DEFAULTS.items():
            if spec.get(name) is None:
                spec[name] = value
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors: list[FieldError] = []
        if spec["fsGroupPolicy"] not in _GROUP_POLICIES:
            errors.append(not_supported("spec.fsGroupPolicy", spec["fsGroupPolicy"], _GROUP_POLICIES))
        errors += storage_rules.token_requests(spec.get("tokenRequests") or [], "spec.tokenRequests")
        wrong = (mode for mode in spec["volumeLifecycleModes"] if mode not in _MODES)
        errors += [not_supported("spec.volumeLifecycleModes", mode, _MODES) for mode in wrong]
        period = spec.get("nodeAllocatableUpdatePeriodSeconds")
        if period is not None and period < _PERIOD:
            text = f"must be greater than or equal to {_PERIOD} seconds"
            errors.append(invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, text))
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        spec, before = new["spec"], old.get("spec") or {}
        errors += rules.immutable(spec["attachRequired"], before.get("attachRequired"), "spec.attachedRequired")
        modes = before.get("volumeLifecycleModes")
        return errors + rules.immutable(spec["volumeLifecycleModes"], modes, "spec.volumeLifecycleModes")


def _flag(field: str) -> Any:
    return lambda obj, now: bool((obj.get("spec") or {}).get(field, _DEFAULTS[field]))


def _audiences(obj: Object, now: datetime) -> str:
    requests = (obj.get("spec") or {}).get("tokenRequests")
    return UNSET if requests is None else ",".join(each.get("audience") or "" for each in requests)


def _modes(obj: Object, now: datetime) -> str:
    return ",".join((obj.get("spec") or {}).get("volumeLifecycleModes") or ()) or NONE


KIND = Kind(
    group=storage_rules.GROUP,
    version="v1",
    kind="CSIDriver",
    plural="csidrivers",
    definition="io.k8s.api.storage.v1.CSIDriver",
    namespaced=False,
    singular="csidriver",
    strategy=CSIDriverStrategy(),
    columns=(
        Column("AttachRequired", _flag("attachRequired"), type="boolean", description="Whether volumes are attached."),
        Column("PodInfoOnMount", _flag("podInfoOnMount"), type="boolean", description="Whether it is told of pods."),
        Column("StorageCapacity", _flag("storageCapacity"), type="boolean", description="Whether it tells of space."),
        Column("TokenRequests", _audiences, description="Audiences of the tokens it wants."),
        Column("RequiresRepublish", _flag("requiresRepublish"), type="boolean", description="Whether it is called on."),
        Column("Modes", _modes, description="Kinds of volumes it has."),
    ),
)
