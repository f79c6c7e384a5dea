"""Role: what may be done to the resources of one namespace."""

from __future__ import annotations

from api.field import FieldError
from apiserver.registry import rbac_rules
from apiserver.registry.kind import Context, Kind, Object


class RoleStrategy(rbac_rules.RbacStrategy):
    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return rbac_rules.policy_rules(obj.get("rules") or [], namespaced=True)


KIND = Kind(
    group=rbac_rules.GROUP,
    version="v1",
    kind="Role",
    plural="roles",
    definition="io.k8s.api.rbac.v1.Role",
    singular="role",
    strategy=RoleStrategy(),
    table="plain",
    columns=rbac_rules.ROLE_COLUMNS,
)
