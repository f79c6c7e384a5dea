"""Kinds that are sent and answered but never stored: who am I, may I, whose token is this, run this pod there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from apiserver.auth.authenticate import Authenticator
from apiserver.auth.authorize import Attempt, allowed
from apiserver.auth.user import User, user_info
from apiserver.endpoints.answer import answer_value
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import form_of
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import State
from apiserver.endpoints.subresources import binding
from apiserver.registry.kind import Object


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a kind that is not stored."""

    state: State
    request: Request
    namespace: str
    authenticator: Authenticator


Answer = Callable[["Virtual", Asked], Awaitable[None]]
Review = Callable[[Asked, Object], Awaitable[Object]]
"""Makes a review's status of its spec."""


@dataclass(frozen=True, slots=True)
class Virtual:
    """A kind that can only be created."""

    group: str
    version: str
    kind: str
    plural: str
    answer: Answer
    namespaced: bool = False

    @property
    def definition(self) -> str:
        return f"io.k8s.api.{self.group.partition('.')[0] or 'core'}.{self.version}.{self.kind}"

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _review(review: Review) -> Answer:
    """Answer with what was sent, and the status that `review` finds."""

    async def answer(virtual: Virtual, asked: Asked) -> None:
        request = asked.request
        sent = await read_typed(request, virtual.definition, virtual.group, virtual.version, virtual.kind)
        sent.setdefault("metadata", {}).setdefault("creationTimestamp", None)
        sent["status"] = await review(asked, sent.get("spec") or {})
        await answer_value(request, form_of(request.header(b"accept")), sent, 201)

    return answer


async def _bind(virtual: Virtual, asked: Asked) -> None:
    """The old way to bind a pod: the pod is named in the object alone."""
    pods = asked.state.resource("pods")
    await binding.create(asked.state, asked.request, pods, Target(namespace=asked.namespace))


async def _self_subject(asked: Asked, spec: Object) -> Object:
    return {"userInfo": user_info(asked.request.user)}


async def _token(asked: Asked, spec: Object) -> Object:
    user = await asked.authenticator.user_of(str(spec.get("token") or ""))
    if user is None:
        return {"authenticated": False, "user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": user_info(user), "audiences": spec.get("audiences") or []}


async def _self_access(asked: Asked, spec: Object) -> Object:
    return _verdict(asked.request.user, spec)


async def _access(asked: Asked, spec: Object) -> Object:
    return _verdict(User(spec.get("user") or "", tuple(spec.get("groups") or ())), spec)


def _verdict(user: User, spec: Object) -> Object:
    attempt = _attempt(spec)
    if allowed(user, attempt):
        return {"allowed": True}
    return {"allowed": False, "reason": f'"{user.name}" has no rule that allows it'}


def _attempt(spec: Object) -> Attempt:
    path: dict[str, Any] = spec.get("nonResourceAttributes") or {}
    if path:
        return Attempt(path.get("verb") or "", path=path.get("path") or "/")
    what: dict[str, Any] = spec.get("resourceAttributes") or {}
    resource, subresource = what.get("resource") or "", what.get("subresource") or ""
    full = f"{resource}/{subresource}" if subresource else resource
    namespace, name = what.get("namespace") or "", what.get("name") or ""
    return Attempt(what.get("verb") or "", full, what.get("group") or "", namespace, name)


_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
VIRTUAL = (
    Virtual("", "v1", "Binding", "bindings", _bind, namespaced=True),
    Virtual(_AUTHENTICATION, "v1", "SelfSubjectReview", "selfsubjectreviews", _review(_self_subject)),
    Virtual(_AUTHENTICATION, "v1", "TokenReview", "tokenreviews", _review(_token)),
    Virtual(_AUTHORIZATION, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", _review(_self_access)),
    Virtual(_AUTHORIZATION, "v1", "SubjectAccessReview", "subjectaccessreviews", _review(_access)),
)
