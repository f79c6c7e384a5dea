"""Endpoints: the older, one-object form of a Service's addresses."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class EndpointsStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    definition="io.k8s.api.core.v1.Endpoints",
    singular="endpoints",
    strategy=EndpointsStrategy(),
    short_names=("ep",),
)
