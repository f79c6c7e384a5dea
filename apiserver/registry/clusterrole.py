"""ClusterRole: what may be done to resources everywhere, and to paths; it may be put together of others by labels."""

from __future__ import annotations

from api.field import FieldError, required
from apiserver.registry import rbac_rules, rules
from apiserver.registry.kind import Context, Kind, Object


class ClusterRoleStrategy(rbac_rules.RbacStrategy):
    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = rbac_rules.policy_rules(obj.get("rules") or [], namespaced=False)
        aggregation, at = obj.get("aggregationRule"), "aggregationRule.clusterRoleSelectors"
        if aggregation is None:
            return errors
        selectors = aggregation.get("clusterRoleSelectors") or ()
        if not selectors:
            text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            errors.append(required(at, text))
        for index, selector in enumerate(selectors):
            errors += rules.label_selector(selector, f"{at}[{index}]")
        return errors


KIND = Kind(
    group=rbac_rules.GROUP,
    version="v1",
    kind="ClusterRole",
    plural="clusterroles",
    definition="io.k8s.api.rbac.v1.ClusterRole",
    namespaced=False,
    singular="clusterrole",
    strategy=ClusterRoleStrategy(),
    table="plain",
    columns=rbac_rules.ROLE_COLUMNS,
)
