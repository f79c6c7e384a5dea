"""ReplicationController: so many pods of one template, chosen by a plain map of labels; older than ReplicaSets."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError, invalid, required
from api.selectors import LabelSelector
from apiserver.registry import rules, workload
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, Scale
from apiserver.registry.podspec import validation
from apiserver.registry.replicaset import ReplicaSetStrategy


class ReplicationControllerStrategy(ReplicaSetStrategy):
    orphans = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        if spec.get("replicas") is None:
            spec["replicas"] = 1
        if spec.get("template") is None:
            return
        workload.default_template(spec)
        labels = spec["template"]["metadata"].get("labels")
        if labels:
            if not spec.get("selector"):
                spec["selector"] = dict(labels)
            if not obj["metadata"].get("labels"):
                obj["metadata"]["labels"] = dict(labels)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors = rules.not_negative(spec, ("minReadySeconds",), "spec")
        if not spec.get("selector"):
            errors.append(required("spec.selector"))
        errors += rules.not_negative(spec, ("replicas",), "spec")
        template = spec.get("template")
        if template is None:
            return [*errors, required("spec.template")]
        labels = template["metadata"].get("labels") or {}
        if not LabelSelector.of_map(spec.get("selector")).matches(labels):
            errors.append(invalid("spec.template.metadata.labels", labels, workload.MISMATCH))
        errors += validation.template(template, "spec.template")
        return errors + workload.runs_forever(template, "ReplicationController")

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx)


def _selector(obj: Object, now: datetime) -> str:
    return str(LabelSelector.of_map((obj.get("spec") or {}).get("selector"))) or NONE


KIND = Kind(
    group="",
    version="v1",
    kind="ReplicationController",
    plural="replicationcontrollers",
    definition="io.k8s.api.core.v1.ReplicationController",
    singular="replicationcontroller",
    strategy=ReplicationControllerStrategy(),
    short_names=("rc",),
    categories=("all",),
    status=True,
    scale=Scale(),
    columns=(
        *workload.REPLICAS,
        *workload.template_columns("spec", "template"),
        Column("Selector", _selector, description="Which pods are its own.", priority=1),
    ),
)
