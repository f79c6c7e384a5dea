"""Reviews: questions on who somebody is and what they may, answered and forgotten.

Each function makes a review's status of the review as it was sent, or raises a StatusError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.errors import BadRequest, Invalid
from api.field import FieldError, invalid
from apiserver.auth.authorize import Attempt, allowed, rules_of
from apiserver.auth.user import User, user_info
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.virtual import Asked

GROUP = "authorization.k8s.io"


async def who_am_i(asked: Asked, review: Object) -> Object:
    return {"userInfo": user_info(asked.request.user)}


async def whose_token(asked: Asked, review: Object) -> Object:
    spec = review.get("spec") or {}
    token = str(spec.get("token") or "")
    if not token:
        raise BadRequest("token is required for TokenReview in authentication")
    audiences: list[str] = spec.get("audiences") or []
    user, meant = await _user_of(asked, token, audiences)
    if user is None:
        return {"authenticated": False, "user": {}, "error": "invalid bearer token"}
    status = {"authenticated": True, "user": user_info(user)}
    return {**status, "audiences": meant} if meant else status


async def _user_of(asked: Asked, token: str, audiences: Sequence[str]) -> tuple[User | None, list[str]]:
    """Whose token it is, and for which of the audiences it was made; a token that names none is for this server."""
    issuer = asked.state.issuer
    if issuer is None:
        return await asked.authenticator.user_of(token), []
    if not audiences:
        return await asked.authenticator.user_of(token), [issuer.issuer]
    if not issuer.is_ours(token):
        mine = [each for each in audiences if each == issuer.issuer]
        return (await asked.authenticator.user_of(token) if mine else None), mine
    meant = [each for each in audiences if each in issuer.audiences(token)]
    if not meant:
        return None, []
    await asked.state.feed.fresh()
    return issuer.user_of(token, asked.state.uid_of, meant[0]), meant


async def may_i(asked: Asked, review: Object) -> Object:
    spec = review.get("spec") or {}
    _refuse([*_no_metadata(review), *_attributes(spec)])
    return _verdict(asked.request.user, spec)


async def may_they(asked: Asked, review: Object) -> Object:
    spec = review.get("spec") or {}
    _refuse([*_subject(spec), *_no_metadata(review)])
    return _verdict(_asked_for(spec), spec)


async def may_they_here(asked: Asked, review: Object) -> Object:
    spec = review.get("spec") or {}
    meta = review["metadata"] = review.get("metadata") or {}
    namespace = meta.setdefault("namespace", asked.namespace)
    if namespace != asked.namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    errors = _subject(spec)
    what = spec.get("resourceAttributes")
    if what is not None and (what.get("namespace") or "") != namespace:
        at = "spec.resourceAttributes.namespace"
        errors.append(invalid(at, what.get("namespace") or "", "must match metadata.namespace"))
    if spec.get("nonResourceAttributes") is not None:
        text = "disallowed on this kind of request"
        errors.append(invalid("spec.nonResourceAttributes", spec["nonResourceAttributes"], text))
    _refuse(errors)
    return _verdict(_asked_for(spec), spec)


async def what_may_i(asked: Asked, review: Object) -> Object:
    if not (review.get("spec") or {}).get("namespace"):
        raise BadRequest("no namespace on request")
    resources, paths = rules_of(asked.request.user)
    return {
        "resourceRules": [
            {"verbs": sorted(rule.verbs), "apiGroups": ["*"], "resources": sorted(rule.resources)} for rule in resources
        ],
        "nonResourceRules": [{"verbs": list(verbs), "nonResourceURLs": list(urls)} for verbs, urls in paths],
        "incomplete": False,
    }


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise Invalid("", GROUP, "", errors)


def _no_metadata(review: Object) -> list[FieldError]:
    given = {name: value for name, value in (review.get("metadata") or {}).items() if value and name != "managedFields"}
    return [invalid("metadata", given, "must be empty")] if given else []


def _attributes(spec: Object) -> list[FieldError]:
    """A question is about a resource or about a path."""
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        text = "cannot be specified in combination with resourceAttributes"
        return [invalid("spec.nonResourceAttributes", path, text)]
    if resource is None and path is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [invalid("spec.resourceAttributes", None, text)]
    return []


def _subject(spec: Object) -> list[FieldError]:
    errors = _attributes(spec)
    if not spec.get("user") and not spec.get("groups"):
        errors.append(invalid("spec.user", "", "at least one of user or group must be specified"))
    return errors


def _asked_for(spec: Object) -> User:
    return User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "")


def _verdict(user: User, spec: Object) -> Object:
    """Without a reason: `kubectl auth can-i` would print it, and there is none but that no rule allows it."""
    return {"allowed": allowed(user, _attempt(spec))}


def _attempt(spec: Object) -> Attempt:
    path: dict[str, Any] = spec.get("nonResourceAttributes") or {}
    if path:
        return Attempt(path.get("verb") or "", path=path.get("path") or "/")
    what: dict[str, Any] = spec.get("resourceAttributes") or {}
    resource, subresource = what.get("resource") or "", what.get("subresource") or ""
    full = f"{resource}/{subresource}" if subresource else resource
    namespace, name = what.get("namespace") or "", what.get("name") or ""
    return Attempt(what.get("verb") or "", full, what.get("group") or "", namespace, name)
