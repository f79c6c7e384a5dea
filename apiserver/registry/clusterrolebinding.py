"""ClusterRoleBinding: gives a ClusterRole to subjects everywhere."""

from __future__ import annotations

from apiserver.registry import rbac_rules
from apiserver.registry.kind import Kind

KIND = Kind(
    group=rbac_rules.GROUP,
    version="v1",
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    definition="io.k8s.api.rbac.v1.ClusterRoleBinding",
    namespaced=False,
    singular="clusterrolebinding",
    strategy=rbac_rules.BindingStrategy(("ClusterRole",), namespaced=False),
    columns=rbac_rules.BINDING_COLUMNS,
)
