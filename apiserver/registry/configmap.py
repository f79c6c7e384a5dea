"""ConfigMap: plain configuration data."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class ConfigMapStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    definition="io.k8s.api.core.v1.ConfigMap",
    singular="configmap",
    strategy=ConfigMapStrategy(),
    short_names=("cm",),
)
