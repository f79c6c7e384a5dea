"""PodTemplate: a pod's description that stands by itself, for whoever wants to refer to one."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError
from api.selectors import LabelSelector
from apiserver.registry import workload
from apiserver.registry.columns import NAME, NONE
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy
from apiserver.registry.podspec import validation
from apiserver.registry.podspec.warnings import of_pod


class PodTemplateStrategy(Strategy):
    has_generation = True
    returns_deleted = True

    def default(self, obj: Object) -> None:
        workload.default_template(obj)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return validation.template(obj["template"], "template")

    def warnings(self, obj: Object) -> list[str]:
        return of_pod(obj["template"], "template")


def _labels(obj: Object, now: datetime) -> str:
    meta = (obj.get("template") or {}).get("metadata") or {}
    return str(LabelSelector.of_map(meta.get("labels"))) or NONE


KIND = Kind(
    group="",
    version="v1",
    kind="PodTemplate",
    plural="podtemplates",
    definition="io.k8s.api.core.v1.PodTemplate",
    singular="podtemplate",
    strategy=PodTemplateStrategy(),
    table="plain",
    columns=(
        NAME,
        *workload.template_columns("template", priority=0),
        Column("Pod Labels", _labels, description="The labels for the pod template"),
    ),
)
