"""Takes an object through a kind's strategy the way the server does, without a server."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apiserver.registry import KINDS
from apiserver.registry.kind import Context, Kind, Object
from apiserver.registry.metadata import validate_metadata, validate_metadata_update

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BY_KIND: dict[str, Kind] = {kind.kind: kind for kind in reversed(KINDS)}
"""Of a kind in several versions or groups, the first."""

BY_TYPE: dict[tuple[str, str], Kind] = {(kind.api_version, kind.kind): kind for kind in KINDS}


def kind_of(obj: Object) -> Kind:
    return BY_TYPE.get((obj.get("apiVersion", ""), obj["kind"])) or BY_KIND[obj["kind"]]


@dataclass
class Reserved:
    """The names that somebody holds already."""

    names: set[str] = field(default_factory=set)

    def __call__(self, prefix: str) -> Collection[str]:
        return {name for name in self.names if name.startswith(prefix)}


def context(*reserved: str, **settings: Any) -> Context:
    given = {"service_cluster_ip_range": "10.96.0.0/16", "service_node_port_range": "30000-32767"} | settings
    return Context(now=NOW, namespace="default", settings=given, reserved=Reserved(set(reserved)))


def create(obj: Object, ctx: Context | None = None) -> tuple[Object, list[str]]:
    """(the object as it would be stored, the messages that refuse it). `obj` is left alone."""
    obj, ctx = copy.deepcopy(obj), ctx or context()
    kind = kind_of(obj)
    strategy = kind.strategy
    strategy.default(obj)
    strategy.prepare_for_create(obj, ctx)
    strategy.allocate(obj, None, ctx)
    errors = [*validate_metadata(obj, kind), *strategy.validate(obj, ctx)]
    return obj, [error.message for error in errors]


def update(new: Object, old: Object, ctx: Context | None = None) -> tuple[Object, list[str]]:
    """(the object as it would be stored, the messages that refuse it), after a PUT of `new` over the stored `old`."""
    new, old, ctx = copy.deepcopy(new), copy.deepcopy(old), ctx or context()
    strategy = kind_of(new).strategy
    strategy.default(new)
    strategy.prepare_for_update(new, old, ctx)
    strategy.allocate(new, old, ctx)
    errors = [*validate_metadata_update(new, old), *strategy.validate_update(new, old, ctx)]
    return new, [error.message for error in errors]


def update_status(status: Object, old: Object) -> tuple[Object, list[str]]:
    new = copy.deepcopy({**old, "status": status})
    strategy = kind_of(old).strategy
    strategy.prepare_for_status_update(new, old, context())
    return new, [error.message for error in strategy.validate_status_update(new, old, context())]


def edited(obj: Object, path: str, value: Any) -> Object:
    """A copy with one place changed: `spec.containers.0.image`. None takes the place away."""
    result = copy.deepcopy(obj)
    at: Any = result
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        at = at.setdefault(part, {}) if isinstance(at, dict) else at[part]
    if value is None and isinstance(at, dict):
        at.pop(last, None)
    else:
        at[last] = value
    return result
