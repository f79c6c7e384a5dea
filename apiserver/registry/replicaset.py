"""ReplicaSet: so many pods of one template."""

from __future__ import annotations

from collections.abc import Mapping

from api.field import FieldError
from apiserver.registry import rules, workload
from apiserver.registry.kind import Context, Kind, Object, Scale

_COUNTS = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")


class ReplicaSetStrategy(workload.WorkloadStrategy):
    field_names = ("status.replicas",)

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        if spec.get("replicas") is None:
            spec["replicas"] = 1
        workload.default_template(spec)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"replicas": 0}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = rules.not_negative(obj["spec"], ("replicas", "minReadySeconds"), "spec")
        return errors + workload.selector_and_template(obj["spec"], "ReplicaSet")

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return workload.replica_counts(new.get("status") or {}, _COUNTS)

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {"status.replicas": str((obj.get("status") or {}).get("replicas") or 0)}


KIND = Kind(
    group="apps",
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    definition="io.k8s.api.apps.v1.ReplicaSet",
    singular="replicaset",
    strategy=ReplicaSetStrategy(),
    short_names=("rs",),
    categories=("all",),
    status=True,
    scale=Scale(),
    columns=(*workload.REPLICAS, *workload.COLUMNS),
)
