"""ControllerRevision: an immutable snapshot of a controller's template."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class ControllerRevisionStrategy(Strategy):
    pass


KIND = Kind(
    group="apps",
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    definition="io.k8s.api.apps.v1.ControllerRevision",
    singular="controllerrevision",
    strategy=ControllerRevisionStrategy(),
)
