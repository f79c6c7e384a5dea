"""EndpointSlice: a part of a Service's addresses."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class EndpointSliceStrategy(Strategy):
    has_generation = True


KIND = Kind(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    definition="io.k8s.api.discovery.v1.EndpointSlice",
    singular="endpointslice",
    strategy=EndpointSliceStrategy(),
)
