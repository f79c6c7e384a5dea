"""RoleBinding: gives a role to subjects within one namespace."""

from __future__ import annotations

from apiserver.registry import rbac_rules
from apiserver.registry.kind import Kind

KIND = Kind(
    group=rbac_rules.GROUP,
    version="v1",
    kind="RoleBinding",
    plural="rolebindings",
    definition="io.k8s.api.rbac.v1.RoleBinding",
    singular="rolebinding",
    strategy=rbac_rules.BindingStrategy(("Role", "ClusterRole"), namespaced=True),
    columns=rbac_rules.BINDING_COLUMNS,
)
