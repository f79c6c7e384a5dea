"""HorizontalPodAutoscaler as `autoscaling/v1` shows it. Every rule is that of `v2`, asked of what it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from api.field import FieldError
from apiserver.registry import horizontalpodautoscaler as v2
from apiserver.registry.autoscaling_versions import CONVERT, to_v1, to_v2
from apiserver.registry.kind import Column, Context, Object, StatusStrategy

_V2 = v2.KIND.strategy


class HorizontalPodAutoscalerV1Strategy(StatusStrategy):
    def default(self, obj: Object) -> None:
        _change(obj, _V2.default)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        _change(obj, lambda new: _V2.prepare_for_create(new, ctx))

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        before = to_v2(old)
        _change(new, lambda changed: _V2.prepare_for_update(changed, before, ctx))

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return _V2.validate(to_v2(obj), ctx)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return _V2.validate_update(to_v2(new), to_v2(old), ctx)

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return _V2.validate_status_update(to_v2(new), to_v2(old), ctx)


def _change(obj: Object, change: Callable[[Object], None]) -> None:
    """Change what the object is in `v2`, in place."""
    new = to_v2(obj)
    change(new)
    changed = to_v1(new)
    obj.clear()
    obj.update(changed)


def _of_v2(column: Column) -> Column:
    def cell(obj: Object, now: datetime) -> Any:
        return column.cell(to_v2(obj), now)

    return replace(column, cell=cell)


KIND = replace(
    v2.KIND,
    version="v1",
    definition="io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
    strategy=HorizontalPodAutoscalerV1Strategy(),
    columns=tuple(map(_of_v2, v2.KIND.columns)),
    kept=False,
    convert=CONVERT,
)
