"""Event: what happened to an object, for people. Events are forgotten after an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, invalid, required
from apiserver.registry import rules
from apiserver.registry.columns import UNKNOWN, since
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

LIFETIME = 3600
_MISMATCH = "does not match event.namespace"
_SHORT, _NOTE = 128, 1024
_OBJECT_FIELDS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


class EventStrategy(Strategy):
    allow_create_on_update = True
    lifetime = LIFETIME
    field_names = (
        *(f"involvedObject.{name}" for name in _OBJECT_FIELDS),
        "reason",
        "reportingComponent",
        "source",
        "type",
    )

    def validate_name(self, name: str) -> list[str]:
        return names.path_segment(name)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return old_rules(obj)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx)

    def fields(self, obj: Object) -> Mapping[str, str]:
        about, source = obj.get("involvedObject") or {}, obj.get("source") or {}
        return {
            **{f"involvedObject.{name}": about.get(name) or "" for name in _OBJECT_FIELDS},
            "reason": obj.get("reason") or "",
            "reportingComponent": obj.get("reportingComponent") or "",
            "source": source.get("component") or obj.get("reportingComponent") or "",
            "type": obj.get("type") or "",
        }


def old_rules(obj: Object, reporter_at: str = "reportingComponent") -> list[FieldError]:
    """What both APIs ask of an event. `reporter_at`: what the API calls the field that is `reportingComponent` here."""
    namespace = obj["metadata"].get("namespace") or ""
    about = (obj.get("involvedObject") or {}).get("namespace") or ""
    at = "involvedObject.namespace"
    if not obj.get("eventTime"):
        fits = namespace == about if about else namespace in ("", "default")
        return [] if fits else [invalid(at, about, _MISMATCH)]
    errors: list[FieldError] = []
    if not about and namespace not in ("default", "kube-system"):
        errors.append(invalid(at, about, _MISMATCH))
    return errors + _new_style(obj, reporter_at)


def _new_style(obj: Object, reporter_at: str) -> list[FieldError]:
    """An event with eventTime says who reports it and what was done."""
    errors: list[FieldError] = []
    reporter = obj.get("reportingComponent")
    if not reporter:
        errors.append(required(reporter_at))
    else:
        errors += rules.each(names.qualified_name, reporter, reporter_at)
    for field in ("reportingInstance", "action", "reason"):
        value = obj.get(field)
        if not value:
            errors.append(required(field))
        elif len(value) > _SHORT:
            errors.append(invalid(field, "", f"can have at most {_SHORT} characters"))
    if len(obj.get("message") or "") > _NOTE:
        errors.append(invalid("message", "", f"can have at most {_NOTE} characters"))
    return errors


def _first(obj: Object) -> Any:
    return obj.get("firstTimestamp") or obj.get("eventTime")


def _first_seen(obj: Object, now: datetime) -> str:
    return since(_first(obj), now)


def _last_seen(obj: Object, now: datetime) -> str:
    series = obj.get("series")
    last = series.get("lastObservedTime") if series else obj.get("lastTimestamp") or _first(obj)
    return since(last, now) if last else UNKNOWN


def _count(obj: Object, now: datetime) -> int:
    series = obj.get("series")
    return (series.get("count") if series else obj.get("count")) or 1


def _text(name: str) -> Any:
    def cell(obj: Object, now: datetime) -> str:
        return obj.get(name) or ""

    return cell


def _about(obj: Object, now: datetime) -> str:
    about = obj.get("involvedObject") or {}
    kind = (about.get("kind") or "").lower()
    return f"{kind}/{about['name']}" if about.get("name") else kind


def _part(obj: Object, now: datetime) -> str:
    return (obj.get("involvedObject") or {}).get("fieldPath") or ""


def _source(obj: Object, now: datetime) -> str:
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def _message(obj: Object, now: datetime) -> str:
    return (obj.get("message") or "").strip()


def _name(obj: Object, now: datetime) -> str:
    return str(obj["metadata"]["name"])


KIND = Kind(
    group="",
    version="v1",
    kind="Event",
    plural="events",
    definition="io.k8s.api.core.v1.Event",
    singular="event",
    strategy=EventStrategy(),
    short_names=("ev",),
    table="plain",
    columns=(
        Column("Last Seen", _last_seen, description="The time it last happened"),
        Column("Type", _text("type"), description="Normal or Warning"),
        Column("Reason", _text("reason"), description="A short word for why"),
        Column("Object", _about, description="What the event is about"),
        Column("Subobject", _part, description="Which part of it", priority=1),
        Column("Source", _source, description="Who reports it", priority=1),
        Column("Message", _message, description="What happened, in a sentence"),
        Column("First Seen", _first_seen, description="The time it first happened", priority=1),
        Column("Count", _count, type="string", description="How often it happened", priority=1),
        Column("Name", _name, format="name", description="The event's own name", priority=1),
    ),
)
