"""`authorizer`: whether somebody may do something, asked step by step and answered by the API server's own authorizer.

What knows users and rules is not here: the variable's value is made with a function that decides (see
`apiserver.admission.authorizer`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from apiserver.cel.functions import function, opaque
from apiserver.cel.values import Budget

_CHECK = 35_000
"""Steps that a question costs: an expression may ask some two dozen."""


@dataclass(frozen=True, slots=True)
class Question:
    """May `account` (namespace and name; None is who makes the request) do `verb`? `path` is set for no resource."""

    account: tuple[str, str] | None
    verb: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@opaque("kubernetes.authorization.Decision")
@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    reason: str = ""
    error: str = ""


Decide = Callable[[Question], Decision]


@opaque("kubernetes.authorization.Authorizer")
@dataclass(frozen=True, slots=True)
class Authorizer:
    """`request` is what the request itself is about, for `authorizer.requestResource`."""

    decide: Decide
    request: Question = Question(None)
    account: tuple[str, str] | None = None

    @property
    def request_resource(self) -> ResourceCheck:
        return ResourceCheck(self.decide, self.request)


@opaque("kubernetes.authorization.PathCheck")
@dataclass(frozen=True, slots=True)
class PathCheck:
    decide: Decide
    question: Question


@opaque("kubernetes.authorization.GroupCheck")
@dataclass(frozen=True, slots=True)
class GroupCheck:
    decide: Decide
    question: Question


@opaque("kubernetes.authorization.ResourceCheck")
@dataclass(frozen=True, slots=True)
class ResourceCheck:
    decide: Decide
    question: Question


_AUTHORIZER, _PATH = "kubernetes.authorization.Authorizer", "kubernetes.authorization.PathCheck"
_GROUP, _RESOURCE = "kubernetes.authorization.GroupCheck", "kubernetes.authorization.ResourceCheck"
_DECISION = "kubernetes.authorization.Decision"


@function(_PATH, f"{_AUTHORIZER}.path(string)")
def path(authorizer: Authorizer, asked: str) -> PathCheck:
    return PathCheck(authorizer.decide, Question(authorizer.account, path=asked))


@function(_GROUP, f"{_AUTHORIZER}.group(string)")
def group(authorizer: Authorizer, name: str) -> GroupCheck:
    return GroupCheck(authorizer.decide, Question(authorizer.account, group=name))


@function(_AUTHORIZER, f"{_AUTHORIZER}.serviceAccount(string, string)")
def service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    return replace(authorizer, account=(namespace, name))


@function(_RESOURCE, f"{_GROUP}.resource(string)")
def resource(check: GroupCheck, name: str) -> ResourceCheck:
    return ResourceCheck(check.decide, replace(check.question, resource=name))


@function(_RESOURCE, f"{_RESOURCE}.subresource(string)")
def subresource(check: ResourceCheck, name: str) -> ResourceCheck:
    return replace(check, question=replace(check.question, subresource=name))


@function(_RESOURCE, f"{_RESOURCE}.namespace(string)")
def namespace(check: ResourceCheck, name: str) -> ResourceCheck:
    return replace(check, question=replace(check.question, namespace=name))


@function(_RESOURCE, f"{_RESOURCE}.name(string)")
def name(check: ResourceCheck, name: str) -> ResourceCheck:
    return replace(check, question=replace(check.question, name=name))


@function(_RESOURCE, f"{_RESOURCE}.fieldSelector(string)", f"{_RESOURCE}.labelSelector(string)")
def selector(check: ResourceCheck, selector: str) -> ResourceCheck:
    """Taken and left: the authorizer knows no selectors, and a question without one asks for more, never for less."""
    return check


@function(_DECISION, f"{_PATH}.check(string)", spends=True)
@function(_DECISION, f"{_RESOURCE}.check(string)", spends=True)
def check(budget: Budget, asked: PathCheck | ResourceCheck, verb: str) -> Decision:
    budget.spend(_CHECK)
    return asked.decide(replace(asked.question, verb=verb))


@function("bool", f"{_DECISION}.allowed()")
def allowed(decision: Decision) -> bool:
    return decision.allowed


@function("string", f"{_DECISION}.reason()")
def reason(decision: Decision) -> str:
    return decision.reason


@function("bool", f"{_DECISION}.errored()")
def errored(decision: Decision) -> bool:
    return bool(decision.error)


@function("string", f"{_DECISION}.error()")
def error(decision: Decision) -> str:
    return decision.error
