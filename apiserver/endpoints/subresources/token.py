"""token: a short-lived token for a service account (TokenRequest)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from api.errors import BadRequest, Conflict, Invalid, NotFound, StatusError
from api.field import FieldError, invalid
from api.metadata import rfc3339
from apiserver.admission.chain import consult
from apiserver.auth.serviceaccounts import Bound
from apiserver.endpoints.answer import answer_value, wanted
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.options import write_options
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.write import Author

GROUP, VERSION, KIND = "authentication.k8s.io", "v1", "TokenRequest"
_DEFINITION = "io.k8s.api.authentication.v1.TokenRequest"
_HOUR, _SHORTEST, _LONGEST = 3600, 600, 1 << 32
_BOUND = {"Pod": "pods", "Secret": "secrets"}


async def _create(state: State, request: Request, resource: Resource, target: Target) -> None:
    asked = await read_typed(request, _DEFINITION, GROUP, VERSION, KIND)
    if state.issuer is None:
        raise StatusError("this server has no key to sign tokens with (--service-account-key-file)", code=500)
    await state.feed.fresh()
    uid = state.uid_of(resource.kind.plural, target.namespace, target.name)
    if uid is None:
        raise NotFound(resource.kind.resource, target.name)
    asked["metadata"] = {"name": target.name, "namespace": target.namespace}
    author = Author.of(request, write_options(request.query, "CreateOptions"))
    attributes = author.attributes("create", resource, target.namespace, target.name, "token")
    await consult(state, attributes, asked)
    spec: dict[str, Any] = asked.get("spec") or {}
    seconds = spec.get("expirationSeconds") or _HOUR
    if errors := _wrong(seconds):
        raise Invalid(KIND, GROUP, "", errors)
    bound = _bound(state, target, spec.get("boundObjectRef") or {})
    audiences = spec.get("audiences") or [state.issuer.issuer]
    token, expires = state.issuer.issue(target.namespace, target.name, uid, audiences, seconds, bound)
    asked["metadata"]["creationTimestamp"] = rfc3339(datetime.now(UTC))
    asked["spec"] = {**spec, "audiences": audiences, "expirationSeconds": seconds}
    asked["status"] = {"token": token, "expirationTimestamp": rfc3339(datetime.fromtimestamp(expires, UTC))}
    await answer_value(request, wanted(request), asked, 201)


def _wrong(seconds: int) -> list[FieldError]:
    if seconds < _SHORTEST:
        return [invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")]
    if seconds > _LONGEST:
        return [invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _bound(state: State, target: Target, reference: dict[str, Any]) -> Bound | None:
    """The object a token shall live and die with. Raises BadRequest, NotFound, Conflict."""
    if not reference:
        return None
    kind, name = reference.get("kind") or "", reference.get("name") or ""
    plural = _BOUND.get(kind)
    if plural is None:
        what = f"{reference.get('apiVersion') or 'v1'}, Kind={kind}"
        raise BadRequest(f'cannot bind token for serviceaccount "{target.name}" to type {what}')
    uid = state.uid_of(plural, target.namespace, name)
    if uid is None:
        raise NotFound(plural, name)
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
        raise Conflict(f"{plural}", name, why + "The object might have been deleted and then recreated")
    return Bound(plural, kind, name, uid)


TOKEN = Subresource("token", {"create": _create}, GROUP, VERSION, KIND)
