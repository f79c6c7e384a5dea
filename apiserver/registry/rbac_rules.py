"""What roles and their bindings share: rules, references to roles, subjects, and columns about them."""

from __future__ import annotations

from datetime import datetime

from api import names
from api.field import FieldError, invalid, not_supported, required
from apiserver.registry import rules
from apiserver.registry.columns import CREATED_AT, NAME
from apiserver.registry.kind import Column, Context, Object, Strategy

GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


class RbacStrategy(Strategy):
    """Names of roles and bindings only have to fit into a URL (`system:node`)."""

    allow_create_on_update = True

    def validate_name(self, name: str) -> list[str]:
        return names.path_segment(name)


class BindingStrategy(RbacStrategy):
    """A binding gives a role to subjects; which role is decided once. `roles`: the kinds of role it may name."""

    def __init__(self, roles: tuple[str, ...], *, namespaced: bool) -> None:
        self._roles = roles
        self._namespaced = namespaced

    def default(self, obj: Object) -> None:
        role = obj.get("roleRef")
        if role is None:
            role = obj["roleRef"] = {}
        if not role.get("apiGroup"):
            role["apiGroup"] = GROUP
        for subject in obj.get("subjects") or ():
            if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
                subject["apiGroup"] = GROUP

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        role = obj["roleRef"]
        errors: list[FieldError] = []
        if role["apiGroup"] != GROUP:
            errors.append(not_supported("roleRef.apiGroup", role["apiGroup"], (GROUP,)))
        if role.get("kind") not in self._roles:
            errors.append(not_supported("roleRef.kind", role.get("kind") or "", self._roles))
        if not role.get("name"):
            errors.append(required("roleRef.name"))
        else:
            errors += rules.each(names.path_segment, role["name"], "roleRef.name")
        for index, subject in enumerate(obj.get("subjects") or ()):
            errors += self._subject(subject, f"subjects[{index}]")
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        if not rules.same(new["roleRef"], old.get("roleRef")):
            errors.append(invalid("roleRef", new["roleRef"], "cannot change roleRef"))
        return errors

    def _subject(self, subject: Object, at: str) -> list[FieldError]:
        kind, name, group = subject.get("kind") or "", subject.get("name"), subject.get("apiGroup") or ""
        errors = [] if name else [required(f"{at}.name")]
        if kind not in _SUBJECTS:
            return [*errors, not_supported(f"{at}.kind", kind, _SUBJECTS)]
        if kind != "ServiceAccount":
            return errors if group == GROUP else [*errors, not_supported(f"{at}.apiGroup", group, (GROUP,))]
        if name:
            errors += rules.each(names.dns1123_subdomain, name, f"{at}.name")
        if group:
            errors.append(not_supported(f"{at}.apiGroup", group, ("",)))
        if not self._namespaced and not subject.get("namespace"):
            errors.append(required(f"{at}.namespace"))
        return errors


def policy_rules(given: list[Object], *, namespaced: bool) -> list[FieldError]:
    """A role's rules, each on resources or on paths. `namespaced`: of a Role, which has no say on paths."""
    return [error for index, rule in enumerate(given) for error in _rule(rule, f"rules[{index}]", namespaced)]


def _rule(rule: Object, at: str, namespaced: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    if not rule.get("verbs"):
        errors.append(required(f"{at}.verbs", "verbs must contain at least one value"))
    if paths := rule.get("nonResourceURLs"):
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            errors.append(invalid(f"{at}.nonResourceURLs", paths, text))
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            errors.append(invalid(f"{at}.nonResourceURLs", paths, text))
        return errors
    if not rule.get("apiGroups"):
        errors.append(required(f"{at}.apiGroups", "resource rules must supply at least one api group"))
    if not rule.get("resources"):
        errors.append(required(f"{at}.resources", "resource rules must supply at least one resource"))
    return errors


def _role(obj: Object, now: datetime) -> str:
    role = obj.get("roleRef") or {}
    return f"{role.get('kind') or ''}/{role.get('name') or ''}"


def _subjects(obj: Object, kind: str) -> list[Object]:
    return [each for each in obj.get("subjects") or () if each.get("kind") == kind]


def _users(obj: Object, now: datetime) -> str:
    return ", ".join(each.get("name") or "" for each in _subjects(obj, "User"))


def _groups(obj: Object, now: datetime) -> str:
    return ", ".join(each.get("name") or "" for each in _subjects(obj, "Group"))


def _accounts(obj: Object, now: datetime) -> str:
    return ", ".join(
        f"{each.get('namespace') or ''}/{each.get('name') or ''}" for each in _subjects(obj, "ServiceAccount")
    )


ROLE_COLUMNS = (NAME, CREATED_AT)
BINDING_COLUMNS = (
    Column("Role", _role, description="The role that is given."),
    Column("Users", _users, description="The users it is given to.", priority=1),
    Column("Groups", _groups, description="The groups it is given to.", priority=1),
    Column("ServiceAccounts", _accounts, description="The service accounts it is given to.", priority=1),
)
