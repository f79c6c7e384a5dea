"""Service: a stable address in front of pods."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class ServiceStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="Service",
    plural="services",
    definition="io.k8s.api.core.v1.Service",
    singular="service",
    strategy=ServiceStrategy(),
    short_names=("svc",),
    categories=("all",),
    status=True,
)
