"""ReplicaSet: so many pods of one template."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Scale, Strategy


class ReplicaSetStrategy(Strategy):
    has_generation = True


KIND = Kind(
    group="apps",
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    definition="io.k8s.api.apps.v1.ReplicaSet",
    singular="replicaset",
    strategy=ReplicaSetStrategy(),
    short_names=("rs",),
    categories=("all",),
    status=True,
    scale=Scale(),
)
