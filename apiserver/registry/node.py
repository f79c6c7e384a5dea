"""Node: a machine that runs pods."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class NodeStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    definition="io.k8s.api.core.v1.Node",
    singular="node",
    strategy=NodeStrategy(),
    namespaced=False,
    short_names=("no",),
    status=True,
)
