"""Kinds that are asked and answered but never stored: who am I, may I, whose token is this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apiserver.auth.authorize import Attempt, allowed
from apiserver.auth.user import User
from apiserver.endpoints.answer import answer_value
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import form_of
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.auth.authenticate import Authenticator

Review = Callable[[Request, Object, "Authenticator"], Awaitable[Object]]


@dataclass(frozen=True, slots=True)
class Virtual:
    """A kind that can only be created. `review` makes the answer's status."""

    group: str
    version: str
    kind: str
    plural: str
    review: Review
    namespaced: bool = False

    @property
    def definition(self) -> str:
        return f"io.k8s.api.{self.group.partition('.')[0]}.{self.version}.{self.kind}"


async def answer(request: Request, virtual: Virtual, authenticator: Authenticator) -> None:
    """Answer a review. Raises StatusError."""
    asked = await read_typed(request, virtual.definition, virtual.group, virtual.version, virtual.kind)
    asked.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    asked["status"] = await virtual.review(request, asked.get("spec") or {}, authenticator)
    await answer_value(request, form_of(request.header(b"accept")), asked, 201)


def user_info(user: User) -> Object:
    """The UserInfo object of the authentication group."""
    info: Object = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info


async def _self_subject(request: Request, spec: Object, authenticator: Authenticator) -> Object:
    return {"userInfo": user_info(request.user)}


async def _token(request: Request, spec: Object, authenticator: Authenticator) -> Object:
    user = await authenticator.user_of(str(spec.get("token") or ""))
    if user is None:
        return {"authenticated": False, "user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": user_info(user), "audiences": spec.get("audiences") or []}


async def _self_access(request: Request, spec: Object, authenticator: Authenticator) -> Object:
    return _verdict(request.user, spec)


async def _access(request: Request, spec: Object, authenticator: Authenticator) -> Object:
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
    Virtual(_AUTHENTICATION, "v1", "SelfSubjectReview", "selfsubjectreviews", _self_subject),
    Virtual(_AUTHENTICATION, "v1", "TokenReview", "tokenreviews", _token),
    Virtual(_AUTHORIZATION, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", _self_access),
    Virtual(_AUTHORIZATION, "v1", "SubjectAccessReview", "subjectaccessreviews", _access),
)
