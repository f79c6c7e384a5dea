"""ServiceAccount: the identity of pods."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class ServiceAccountStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    definition="io.k8s.api.core.v1.ServiceAccount",
    singular="serviceaccount",
    strategy=ServiceAccountStrategy(),
    short_names=("sa",),
)
