"""Lease: a heartbeat or a lock."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class LeaseStrategy(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False


KIND = Kind(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    definition="io.k8s.api.coordination.v1.Lease",
    singular="lease",
    strategy=LeaseStrategy(),
)
