"""ControllerRevision: an immutable snapshot of a controller's template."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError, invalid, required
from api.metadata import controller_of
from apiserver.registry import rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy


class ControllerRevisionStrategy(Strategy):
    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = [required("data", "data is mandatory")] if obj.get("data") is None else []
        revision = obj.get("revision") or 0
        return errors if revision >= 0 else [*errors, invalid("revision", revision, rules.NOT_NEGATIVE)]

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx) + rules.immutable(new.get("data"), old.get("data"), "data")


def _controller(obj: Object, now: datetime) -> str:
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group = (owner.get("apiVersion") or "").rpartition("/")[0]
    kind = (owner.get("kind") or "").lower()
    return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"


def _revision(obj: Object, now: datetime) -> int:
    return obj.get("revision") or 0


KIND = Kind(
    group="apps",
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    definition="io.k8s.api.apps.v1.ControllerRevision",
    singular="controllerrevision",
    strategy=ControllerRevisionStrategy(),
    columns=(
        Column("Controller", _controller, description="Controller of the object"),
        Column("Revision", _revision, type="string", description="The revision's number"),
    ),
)
