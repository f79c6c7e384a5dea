"""AdmissionReview: what a webhook is told of a request, and what its answer means."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from api.errors import StatusError
from api.field import quote
from apiserver.admission.matching import namespace_of
from apiserver.auth.user import user_info
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import Resource

GROUP, KIND = "admission.k8s.io", "AdmissionReview"
VERSIONS = ("v1", "v1beta1")
JSON_PATCH = "JSONPatch"


class InvalidAnswer(ValueError):
    """An answer that is no AdmissionReview, or not one for this request; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook said. `result` is the Status of a refusal; `patch` are JSON patch operations."""

    allowed: bool
    result: Mapping[str, Any] = field(default_factory=dict)
    patch: list[Any] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


def request(attributes: Attributes, resource: Resource, obj: Object | None, old: Object | None) -> Object:
    """The AdmissionRequest, without its uid, for objects in the version of `resource`.

    A match condition sees the same, so that an expression and a webhook never disagree on what was asked.
    """
    shown = obj if obj is not None else old
    about: Object = {
        "kind": _kind(shown, resource, attributes),
        "resource": _resource(resource),
        "subResource": attributes.subresource,
        "requestKind": _kind(shown, attributes.resource, attributes),
        "requestResource": _resource(attributes.resource),
        "requestSubResource": attributes.subresource,
        "name": attributes.name,
        "namespace": namespace_of(attributes),
    }
    return {
        **{key: value for key, value in about.items() if value},
        "operation": attributes.operation.upper(),
        "userInfo": user_info(attributes.user),
        "object": obj,
        "oldObject": old,
        "dryRun": attributes.dry_run,
        "options": attributes.options,
    }


def _kind(shown: Object | None, resource: Resource, attributes: Attributes) -> Object:
    """The kind of the object: a subresource may have one of its own (Scale, Eviction), which has a single version."""
    kind = resource.kind
    if shown is None or not attributes.subresource or shown.get("kind") in (None, kind.kind):
        return {"group": kind.group, "version": kind.version, "kind": kind.kind}
    group, _, version = str(shown.get("apiVersion") or "").rpartition("/")
    return {"group": group, "version": version, "kind": shown["kind"]}


def _resource(resource: Resource) -> Object:
    kind = resource.kind
    return {"group": kind.group, "version": kind.version, "resource": kind.plural}


def review(asked: Object, version: str) -> tuple[str, Object]:
    """The uid and the whole AdmissionReview, in one of VERSIONS."""
    uid = str(uuid4())
    return uid, {"kind": KIND, "apiVersion": f"{GROUP}/{version}", "request": {"uid": uid, **asked}}


def read(answer: Object, uid: str, version: str, *, mutating: bool) -> Verdict:
    """The verdict in an answer to the review `uid`. Raises InvalidAnswer."""
    response = answer.get("response")
    if not isinstance(response, dict):
        raise InvalidAnswer("webhook response was absent")
    if version == "v1":
        _check_v1(answer, response, uid)
    patch_type, patch = response.get("patchType"), response.get("patch")
    if not mutating and version == "v1":
        if patch:
            raise InvalidAnswer("validating webhook may not return response.patch")
        if patch_type is not None:
            raise InvalidAnswer("validating webhook may not return response.patchType")
    return Verdict(
        allowed=response.get("allowed") is True,
        result=_mapping(response.get("status") or response.get("result")),
        patch=_patch(patch, patch_type, version) if mutating else [],
        warnings=_strings(response.get("warnings")),
        annotations={key: str(value) for key, value in _mapping(response.get("auditAnnotations")).items()},
    )


def _check_v1(answer: Object, response: Object, uid: str) -> None:
    if response.get("uid") != uid:
        raise InvalidAnswer(f'expected response.uid="{uid}", got {quote(str(response.get("uid") or ""))}')
    wanted, given = f"{GROUP}/v1", answer.get("apiVersion") or ""
    if (given, answer.get("kind")) != (wanted, KIND):
        raise InvalidAnswer(
            f"expected webhook response of {wanted}, Kind={KIND}, got {given}, Kind={answer.get('kind') or ''}"
        )


def _patch(patch: Any, patch_type: Any, version: str) -> list[Any]:
    if version == "v1":
        if patch and patch_type is None:
            raise InvalidAnswer("webhook returned response.patch but not response.patchType")
        if not patch and patch_type is not None:
            raise InvalidAnswer("webhook returned response.patchType but not response.patch")
        if patch_type == "":
            raise InvalidAnswer('webhook returned invalid response.patchType of ""')
    if not patch:
        return []
    if patch_type not in (None, JSON_PATCH):
        raise InvalidAnswer(f"unsupported patch type {quote(str(patch_type))}")
    try:
        operations = orjson.loads(base64.b64decode(patch, validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidAnswer(f"response.patch is no JSON patch: {error}") from error
    return operations if isinstance(operations, list) else [operations]


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def denial(name: str, result: Mapping[str, Any]) -> StatusError:
    """The refusal by the webhook `name`, with the code and the reason that it gave."""
    denied = f'admission webhook "{name}" denied the request'
    message, reason = result.get("message"), str(result.get("reason") or "")
    told = f"{denied}: {message}" if message else f"{denied}: {reason}" if reason else f"{denied} without explanation"
    code = result.get("code")
    if not isinstance(code, int) or code < 400:
        code = 400
    return StatusError(told, code=code, reason=reason, details=_mapping(result.get("details")))
