"""Event of `events.k8s.io`: the same events as in the core group, of which more is asked when they are made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, invalid, required
from apiserver.registry import event, rules
from apiserver.registry.event_versions import CONVERT, new_name, to_core
from apiserver.registry.kind import Column, Context, Kind, Object

_REPORTER = "reportingController"
_UNSET = ("firstTimestamp", "lastTimestamp", "count")
_FIXED = {
    "involvedObject": "involvedObject",
    "reason": "reason",
    "message": "message",
    "source": "source",
    "firstTimestamp": "firstTimestamp",
    "lastTimestamp": "lastTimestamp",
    "count": "count",
    "type": "type",
    "eventTime": "eventTime",
    "action": "action",
    "related": "related",
    "reportingComponent": _REPORTER,
    "reportingInstance": "reportingInstance",
}
"""What an update may not change, as the core group and as messages call it."""


class EventV1Strategy(event.EventStrategy):
    field_aliases: Mapping[str, str] = {
        new_name(field): field for field in event.EventStrategy.field_names if field != "source"
    }
    field_names = tuple(field_aliases)

    def default(self, obj: Object) -> None:
        super().default(obj)
        obj.setdefault("eventTime", None)  # the API always shows it, of old events as null

    def validate_name(self, name: str) -> list[str]:
        return names.dns1123_subdomain(name)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        core = to_core(obj)
        errors = event.old_rules(core, _REPORTER) + _series(core)
        if not core.get("eventTime"):
            errors.append(required("eventTime"))
        if core.get("type") not in ("Normal", "Warning"):
            errors.append(invalid("type", "", f"has invalid value: {core.get('type') or ''}"))
        errors += [invalid(name, "", "needs to be unset") for name in _UNSET if core.get(name)]
        source = core.get("source") or {}
        if source.get("component") or source.get("host"):
            errors.append(invalid("source", "", "needs to be unset"))
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        core, before = to_core(new), to_core(old)
        errors = event.old_rules(core, _REPORTER)
        if not rules.same(core.get("series"), before.get("series")):
            errors += _series(core)
        for name, called in _FIXED.items():
            errors += rules.immutable(core.get(name), before.get(name), called)
        return errors

    def fields(self, obj: Object) -> Mapping[str, str]:
        found = super().fields(to_core(obj))
        return {name: found[core] for name, core in self.field_aliases.items()}


def _series(core: Object) -> list[FieldError]:
    """An event that goes on says how often it was seen, and when last."""
    series = core.get("series")
    if series is None:
        return []
    errors = [] if (series.get("count") or 0) >= 2 else [invalid("series.count", "", "should be at least 2")]
    return errors if series.get("lastObservedTime") else [*errors, required("series.lastObservedTime")]


def _of_core(column: Column) -> Column:
    def cell(obj: Object, now: datetime) -> Any:
        return column.cell(to_core(obj), now)

    return replace(column, cell=cell)


KIND = Kind(
    group="events.k8s.io",
    version="v1",
    kind="Event",
    plural="events",
    definition="io.k8s.api.events.v1.Event",
    singular="event",
    strategy=EventV1Strategy(),
    short_names=("ev",),
    table="plain",
    columns=tuple(_of_core(column) for column in event.KIND.columns),
    stored_as=("", "events"),
    kept=False,
    convert=CONVERT,
)
