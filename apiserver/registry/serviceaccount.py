"""ServiceAccount: the identity of pods."""

from __future__ import annotations

from datetime import datetime

from apiserver.registry.kind import Column, Context, Kind, Object, Strategy


class ServiceAccountStrategy(Strategy):
    returns_deleted = True

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        _only_names(obj)

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        _only_names(new)


def _only_names(obj: Object) -> None:
    """Of a secret nothing but its name is kept: it is in the account's own namespace."""
    if secrets := obj.get("secrets"):
        obj["secrets"] = [{"name": each["name"]} if each.get("name") else {} for each in secrets if each]


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
