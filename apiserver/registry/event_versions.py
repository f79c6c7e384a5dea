"""The two APIs of events: one store, the same facts under other names.

What `v1` calls involvedObject, message and reportingComponent, `events.k8s.io/v1` calls regarding, note and
reportingController; what only old reporters fill in (source, count, first and last time) is `deprecated…` there.
"""

from __future__ import annotations

from apiserver.registry.conversion import between
from apiserver.registry.kind import Object

CORE, NEW = "v1", "events.k8s.io/v1"
_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_BACK = {new: old for old, new in _NAMES.items()}


def to_core(obj: Object) -> Object:
    """An event of `events.k8s.io/v1` as `v1` shows it; what is inside is shared."""
    core = {_BACK.get(name, name): value for name, value in obj.items()}
    core["apiVersion"] = CORE
    # These are objects and not references there, so that they are never missing.
    core.setdefault("involvedObject", {})
    core.setdefault("source", {})
    return core


def from_core(obj: Object) -> Object:
    """An event of `v1` as `events.k8s.io/v1` shows it; what is inside is shared."""
    event = {_NAMES.get(name, name): value for name, value in obj.items()}
    event["apiVersion"] = NEW
    event.setdefault("eventTime", None)
    return event


def new_name(field: str) -> str:
    """A field path of `v1` (`involvedObject.name`) in `events.k8s.io/v1`."""
    first, dot, rest = field.partition(".")
    return f"{_NAMES.get(first, first)}{dot}{rest}"


CONVERT = between(CORE, from_core, to_core)
