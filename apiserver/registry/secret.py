"""Secret: data that must not be shown."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class SecretStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    definition="io.k8s.api.core.v1.Secret",
    singular="secret",
    strategy=SecretStrategy(),
)
