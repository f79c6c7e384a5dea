"""Event: what happened to an object, for people."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class EventStrategy(Strategy):
    allow_create_on_update = True


KIND = Kind(
    group="",
    version="v1",
    kind="Event",
    plural="events",
    definition="io.k8s.api.core.v1.Event",
    singular="event",
    strategy=EventStrategy(),
    short_names=("ev",),
)
