"""Namespace: the scope of names."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Strategy


class NamespaceStrategy(Strategy):
    pass


KIND = Kind(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    definition="io.k8s.api.core.v1.Namespace",
    singular="namespace",
    strategy=NamespaceStrategy(),
    namespaced=False,
    short_names=("ns",),
    status=True,
    subresources=("finalize",),
)
