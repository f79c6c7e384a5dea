"""ServiceAccount: the identity of pods."""

from __future__ import annotations

from datetime import datetime

from apiserver.registry.kind import Column, Kind, Object, Strategy


class ServiceAccountStrategy(Strategy):
    returns_deleted = True


def _secrets(obj: Object, now: datetime) -> int:
    return len(obj.get("secrets") or ())


KIND = Kind(
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    definition="io.k8s.api.core.v1.ServiceAccount",
    singular="serviceaccount",
    strategy=ServiceAccountStrategy(),
    short_names=("sa",),
    subresources=("token",),
    columns=(Column("Secrets", _secrets, type="string", description="How many secrets the account may use"),),
)
