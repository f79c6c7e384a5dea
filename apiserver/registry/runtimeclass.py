"""RuntimeClass: a way to run containers, what it costs, and which nodes offer it."""

from __future__ import annotations

from datetime import datetime

from api import names
from api.field import FieldError, duplicate, invalid
from apiserver.registry import resources, rules
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy
from apiserver.registry.podspec import scheduling


class RuntimeClassStrategy(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False

    def default(self, obj: Object) -> None:
        resources.default_list((obj.get("overhead") or {}).get("podFixed"))

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        handler = obj.get("handler") or ""
        errors = [invalid("handler", handler, why) for why in names.dns1123_label(handler)]
        if fixed := (obj.get("overhead") or {}).get("podFixed"):
            errors += resources.requirements({"limits": fixed}, "overhead.podFixed", ())
        if where := obj.get("scheduling"):
            errors += rules.labels(where.get("nodeSelector"), "scheduling.nodeSelector")
            errors += _tolerations(where.get("tolerations") or [])
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx) + rules.immutable(new.get("handler"), old.get("handler"), "handler")


def _tolerations(given: list[Object]) -> list[FieldError]:
    at = "scheduling.tolerations"
    errors = scheduling.tolerations(given, at)
    again = (index for index, each in enumerate(given) if any(rules.same(each, before) for before in given[:index]))
    return errors + [duplicate(f"{at}[{index}]", given[index]) for index in again]


def _handler(obj: Object, now: datetime) -> str:
    return obj.get("handler") or ""


KIND = Kind(
    group="node.k8s.io",
    version="v1",
    kind="RuntimeClass",
    plural="runtimeclasses",
    definition="io.k8s.api.node.v1.RuntimeClass",
    namespaced=False,
    singular="runtimeclass",
    strategy=RuntimeClassStrategy(),
    columns=(Column("Handler", _handler, description="What the node calls it."),),
)
