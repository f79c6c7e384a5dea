"""Pod: containers that share a network address and a fate."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class PodStrategy(Strategy):
    has_generation = True


KIND = Kind(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    definition="io.k8s.api.core.v1.Pod",
    singular="pod",
    strategy=PodStrategy(),
    short_names=("po",),
    categories=("all",),
    status=True,
    subresources=("binding", "eviction", "log"),
)
