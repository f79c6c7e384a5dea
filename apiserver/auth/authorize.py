"""Who may do what: a coarse table of the cluster's own identities, in place of roles that users define.

`system:masters` may do anything. Each daemon has what it needs; a node has its own Node, Lease and the pods' status; a
service account may read what is no secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import Forbidden
from apiserver.auth.user import AUTHENTICATED, MASTERS, User

READ = frozenset({"get", "list", "watch"})
WRITE = frozenset({"create", "update", "patch", "delete", "deletecollection"})
ALL = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a request is about to do. `resource` is `plural` or `plural/subresource`; `path` is set for no resource."""

    verb: str
    resource: str = ""
    group: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources; `*` stands for all of them."""

    verbs: frozenset[str]
    resources: frozenset[str]

    def allows(self, attempt: Attempt) -> bool:
        if "*" not in self.verbs and attempt.verb not in self.verbs:
            return False
        return "*" in self.resources or attempt.resource in self.resources


def _rule(verbs: frozenset[str] | str, *resources: str) -> Rule:
    return Rule(frozenset(verbs.split()) if isinstance(verbs, str) else verbs, frozenset(resources))


_EVENTS = _rule("create update patch", "events")
_LEASES = _rule("get list watch create update patch delete", "leases")
_ANY_READ = _rule(READ, "*")

_USERS: dict[str, tuple[Rule, ...]] = {
    "system:kube-scheduler": (
        _ANY_READ,
        _EVENTS,
        _LEASES,
        _rule("create", "pods/binding", "bindings", "pods/eviction"),
        _rule("patch update", "pods/status", "persistentvolumes", "persistentvolumeclaims"),
        _rule("delete", "pods"),
    ),
    "system:kube-controller-manager": (_rule(ALL, "*"),),
    "system:kube-proxy": (
        _rule(READ, "services", "endpoints", "endpointslices", "nodes", "namespaces", "pods", "networkpolicies"),
        _EVENTS,
    ),
}

_GROUPS: dict[str, tuple[Rule, ...]] = {
    MASTERS: (_rule(ALL, "*"),),
    "system:nodes": (
        _rule(READ, "pods", "services", "endpoints", "endpointslices", "configmaps", "secrets", "namespaces"),
        _rule(READ, "serviceaccounts", "persistentvolumes", "persistentvolumeclaims", "runtimeclasses"),
        _rule("get list watch create update patch", "nodes", "nodes/status"),
        _rule("create delete", "pods"),
        _rule("get update patch", "pods/status"),
        _rule("create", "pods/eviction", "serviceaccounts/token", "tokenreviews", "subjectaccessreviews"),
        _EVENTS,
        _LEASES,
    ),
    "system:serviceaccounts": (
        _rule(READ, "pods", "pods/log", "services", "endpoints", "endpointslices", "configmaps", "namespaces"),
        _rule(READ, "nodes", "events", "deployments", "replicasets"),
    ),
    AUTHENTICATED: (_rule("create", "selfsubjectaccessreviews", "selfsubjectreviews", "selfsubjectrulesreviews"),),
}

_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/api", "/apis", "/openapi")
_NODE_OWN = frozenset({"nodes", "nodes/status"})


def allowed(user: User, attempt: Attempt) -> bool:
    """Whether the user may."""
    if MASTERS in user.groups:
        return True
    if attempt.path:
        return attempt.verb == "get" and AUTHENTICATED in user.groups and _is_open(attempt.path)
    return any(rule.allows(attempt) for rule in _rules(user)) and _on_own_node(user, attempt)


def _rules(user: User) -> list[Rule]:
    return [*_USERS.get(user.name, ()), *(rule for group in user.groups for rule in _GROUPS.get(group, ()))]


def rules_of(user: User) -> tuple[list[Rule], list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """What the user may: the rules on resources, and pairs of verbs and paths."""
    if MASTERS in user.groups:
        return _rules(user), [(("*",), ("*",))]
    open_paths = tuple(shown for path in _OPEN_PATHS for shown in (path, f"{path}/*"))
    return _rules(user), [(("get",), open_paths)] if AUTHENTICATED in user.groups else []


def authorize(user: User, attempt: Attempt) -> None:
    """Raises Forbidden, in the words clients know."""
    if allowed(user, attempt):
        return
    if attempt.path:
        raise Forbidden("", "", f'User "{user.name}" cannot {attempt.verb} path "{attempt.path}"')
    plural, _, _ = attempt.resource.partition("/")
    where = f'in the namespace "{attempt.namespace}"' if attempt.namespace else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {attempt.verb} resource "{attempt.resource}" in API group "{attempt.group}" {where}'
    )
    raise Forbidden(f"{plural}.{attempt.group}" if attempt.group else plural, attempt.name, why)


def _is_open(path: str) -> bool:
    return any(path == known or path.startswith(f"{known}/") for known in _OPEN_PATHS)


def _on_own_node(user: User, attempt: Attempt) -> bool:
    """A node writes no Node but its own."""
    if "system:nodes" not in user.groups or attempt.resource not in _NODE_OWN or attempt.verb in READ:
        return True
    return attempt.verb == "create" or user.name == f"system:node:{attempt.name}"
