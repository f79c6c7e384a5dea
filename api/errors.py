"""Every way the API says no: one exception for each reason that a `Status` object can carry.

The server raises these and sends `status()`; a client reads a `Status` and raises the same class (`from_status`).
Messages are the API's own, since clients show and match them.

`resource` is a resource as messages write it: `pods`, `deployments.apps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from api.field import FieldError, aggregate, quote


class StatusError(Exception):
    """A failure with a `Status`. `details` is its `details` object, or empty; `retry_after` is in seconds."""

    code: int = 500
    reason: str = ""

    def __init__(
        self,
        message: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        code: int | None = None,
        reason: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        if code is not None:
            self.code = code
        if reason is not None:
            self.reason = reason
        self.retry_after = retry_after
        if retry_after is not None:
            self.details["retryAfterSeconds"] = retry_after

    def status(self) -> dict[str, Any]:
        """The `Status` object to send."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        body["code"] = self.code
        return body

    def __str__(self) -> str:
        return self.message


def split_resource(resource: str) -> tuple[str, str]:
    """`deployments.apps` → (`deployments`, `apps`); `pods` → (`pods`, ``)."""
    plural, _, group = resource.partition(".")
    return plural, group


def _about(resource: str, name: str = "") -> dict[str, str]:
    plural, group = split_resource(resource)
    details = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in details.items() if value}


class BadRequest(StatusError):
    code, reason = 400, "BadRequest"


class Unauthorized(StatusError):
    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized", **rest: Any) -> None:
        super().__init__(message, **rest)


class Forbidden(StatusError):
    code, reason = 403, "Forbidden"

    def __init__(self, resource: str, name: str, why: str) -> None:
        if not resource:
            message = f"forbidden: {why}"
        elif not name:
            message = f"{resource} is forbidden: {why}"
        else:
            message = f"{resource} {quote(name)} is forbidden: {why}"
        super().__init__(message, details=_about(resource, name))


class NotFound(StatusError):
    code, reason = 404, "NotFound"

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(f"{resource} {quote(name)} not found", details=_about(resource, name))


class NoSuchResource(StatusError):
    """A path that names nothing the server serves."""

    code, reason = 404, "NotFound"

    def __init__(self, message: str = "the server could not find the requested resource", **rest: Any) -> None:
        super().__init__(message, **rest)

    def status(self) -> dict[str, Any]:
        # kubectl debug looks into the details without asking whether there are any.
        return {"details": {}, **super().status()}


class MethodNotSupported(StatusError):
    code, reason = 405, "MethodNotAllowed"

    def __init__(self, resource: str, action: str) -> None:
        message = f"{action} is not supported on resources of kind {quote(resource)}"
        super().__init__(message, details=_about(resource))


class NotAcceptable(StatusError):
    code, reason = 406, "NotAcceptable"

    def __init__(self, accepted: Sequence[str] = ("application/json",)) -> None:
        super().__init__(f"only the following media types are accepted: {', '.join(accepted)}")


class AlreadyExists(StatusError):
    code, reason = 409, "AlreadyExists"

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(f"{resource} {quote(name)} already exists", details=_about(resource, name))


class Conflict(StatusError):
    code, reason = 409, "Conflict"

    STALE: ClassVar[str] = "the object has been modified; please apply your changes to the latest version and try again"

    def __init__(self, resource: str, name: str, why: str = STALE) -> None:
        message = f"Operation cannot be fulfilled on {resource} {quote(name)}: {why}"
        super().__init__(message, details=_about(resource, name))


class Gone(StatusError):
    code, reason = 410, "Gone"


class Expired(StatusError):
    code, reason = 410, "Expired"

    def __init__(self, message: str = "The resourceVersion for the provided watch is too old.", **rest: Any) -> None:
        super().__init__(message, **rest)


class RequestEntityTooLarge(StatusError):
    code, reason = 413, "RequestEntityTooLarge"

    def __init__(self, why: str) -> None:
        super().__init__(f"Request entity too large: {why}")


class UnsupportedMediaType(StatusError):
    code, reason = 415, "UnsupportedMediaType"

    def __init__(self, accepted: Sequence[str]) -> None:
        text = "the body of the request was in an unknown format - accepted media types include: "
        super().__init__(text + ", ".join(accepted))


class Invalid(StatusError):
    """An object that breaks its kind's rules; every broken rule is a cause."""

    code, reason = 422, "Invalid"

    def __init__(self, kind: str, group: str, name: str, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        message = f"{f'{kind}.{group}' if group else kind} {quote(name)} is invalid"
        if errors:
            message = f"{message}: {aggregate(errors)}"
        details: dict[str, Any] = {"name": name, "group": group, "kind": kind}
        details = {key: value for key, value in details.items() if value}
        if errors:
            details["causes"] = [error.cause() for error in errors]
        super().__init__(message, details=details)


class TooManyRequests(StatusError):
    code, reason = 429, "TooManyRequests"

    def __init__(self, message: str, retry_after: int | None = 1, **rest: Any) -> None:
        super().__init__(message, retry_after=retry_after, **rest)


class InternalError(StatusError):
    code, reason = 500, "InternalError"

    def __init__(self, why: str) -> None:
        super().__init__(f"Internal error occurred: {why}", details={"causes": [{"message": why}]})


class ServerTimeout(StatusError):
    """The operation did not happen; trying again may help."""

    code, reason = 500, "ServerTimeout"

    def __init__(self, resource: str, operation: str, retry_after: int = 0) -> None:
        message = f"The {operation} operation against {resource} could not be completed at this time, please try again."
        super().__init__(message, details=_about(resource, operation), retry_after=retry_after or None)


class ServiceUnavailable(StatusError):
    code, reason = 503, "ServiceUnavailable"


class Timeout(StatusError):
    """The operation may yet happen."""

    code, reason = 504, "Timeout"

    def __init__(self, why: str, retry_after: int | None = None) -> None:
        super().__init__(f"Timeout: {why}", retry_after=retry_after)


_BY_REASON: dict[str, type[StatusError]] = {
    cls.reason: cls
    for cls in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotSupported,
        NotAcceptable,
        AlreadyExists,
        Conflict,
        Gone,
        Expired,
        RequestEntityTooLarge,
        UnsupportedMediaType,
        Invalid,
        TooManyRequests,
        InternalError,
        ServerTimeout,
        ServiceUnavailable,
        Timeout,
    )
}

_BY_CODE: dict[int, type[StatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotSupported,
    406: NotAcceptable,
    409: Conflict,
    410: Expired,
    413: RequestEntityTooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
    429: TooManyRequests,
    500: InternalError,
    503: ServiceUnavailable,
    504: Timeout,
}


def from_status(body: Mapping[str, Any] | None, code: int) -> StatusError:
    """The exception for an answer: by the `Status` in it, or by its HTTP code if there is none."""
    status: Mapping[str, Any] = body if isinstance(body, Mapping) and body.get("kind") == "Status" else {}
    number = status.get("code") or code
    reason = str(status.get("reason") or "")
    cls = _BY_REASON.get(reason) or _BY_CODE.get(number, StatusError)
    message = str(status.get("message") or "")
    if not message:
        message = f"the server responded with the status code {number} but did not return more information"
    details = status.get("details")
    details = details if isinstance(details, Mapping) else {}
    error = cls.__new__(cls)
    StatusError.__init__(
        error,
        message,
        details=details,
        code=number,
        reason=reason or None,
        retry_after=details.get("retryAfterSeconds"),
    )
    if isinstance(error, Invalid):
        error.errors = ()
    return error
