"""One request's audit events, gathered while it is served."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from api.codec import decode_body
from api.errors import StatusError
from api.metadata import micro_time
from apiserver.audit.policy import API_VERSION, Level, Verdict
from apiserver.auth.authorize import Attempt
from apiserver.auth.user import User, user_info

Object = dict[str, Any]
Write = Callable[[bytes], None]


class Recorder:
    """What is known of one request so far. `written` gets each event as a line of JSON."""

    __slots__ = (
        "_answer",
        "_answer_type",
        "_asked",
        "_begun",
        "_content_type",
        "_error",
        "_head",
        "_started",
        "_verdict",
        "_write",
        "annotations",
        "id",
    )

    def __init__(self, verdict: Verdict, head: Object, write: Write, audit_id: str = "") -> None:
        self.id = audit_id or str(uuid.uuid4())
        self._verdict = verdict
        self._head = head
        self._write = write
        self._begun = datetime.now(UTC)
        self._asked = b""
        self._content_type = ""
        self._answer: list[bytes] = []
        self._answer_type = ""
        self._error: StatusError | None = None
        self._started = False
        self.annotations: dict[str, str] = {}

    def annotate(self, key: str, value: str) -> None:
        """Say something about the request; the first word on a key stays."""
        self.annotations.setdefault(key, value)

    def asked(self, body: bytes, content_type: str) -> None:
        """The request's body."""
        self._asked, self._content_type = body, content_type

    def answered(self, chunk: bytes, content_type: bytes) -> None:
        """A part of the answer's body."""
        self._answer_type = content_type.decode("latin-1")
        if self._verdict.level >= Level.RequestResponse and not self._started:
            self._answer.append(chunk)

    def failed(self, error: StatusError) -> None:
        self._error = error

    def received(self) -> None:
        self._tell("RequestReceived", {})

    def started(self, code: int) -> None:
        """A long answer has begun: it is told now and again at its end, without its content."""
        self._started = True
        self._tell("ResponseStarted", self._outcome(code))

    def complete(self, code: int) -> None:
        self._tell("ResponseComplete", self._outcome(code))

    def _outcome(self, code: int) -> Object:
        status: Object = {"metadata": {}, "code": code}
        if self._error is not None:
            told = self._error.status()
            status |= {key: told[key] for key in ("status", "message", "reason", "details") if told.get(key)}
        outcome: Object = {"responseStatus": status}
        asked = self._object(self._asked, self._content_type) if self._asked else None
        if asked is not None:
            self._name(asked)
            if self._verdict.level >= Level.Request:
                outcome["requestObject"] = asked
        if self._error is not None and self._verdict.level >= Level.RequestResponse:
            outcome["responseObject"] = self._error.status()
        elif self._answer and (answer := self._object(b"".join(self._answer), self._answer_type)) is not None:
            outcome["responseObject"] = answer
        return outcome

    def _name(self, asked: Object) -> None:
        """The path of a create does not name the object, but the object does."""
        where, meta = self._head.get("objectRef"), asked.get("metadata")
        if where is None or not isinstance(meta, dict):
            return
        for field in ("name", "namespace", "uid", "resourceVersion"):
            if meta.get(field):
                where.setdefault(field, meta[field])

    def _object(self, body: bytes, content_type: str) -> Object | None:
        try:
            obj = decode_body(body, content_type)
        except StatusError:
            return None  # not an object: a patch in a list, a stream, nonsense
        if self._verdict.omit_managed_fields:
            for each in (obj, *(obj.get("items") or ())):
                if isinstance(each, dict) and isinstance(each.get("metadata"), dict):
                    each["metadata"].pop("managedFields", None)
        return obj

    def _tell(self, stage: str, outcome: Object) -> None:
        if stage in self._verdict.omitted:
            return
        now = datetime.now(UTC)
        event: Object = {
            "kind": "Event",
            "apiVersion": API_VERSION,
            "level": self._verdict.level.word,
            "auditID": self.id,
            "stage": stage,
            **self._head,
            **outcome,
            "requestReceivedTimestamp": micro_time(self._begun),
            "stageTimestamp": micro_time(now),
        }
        if self.annotations:
            event["annotations"] = self.annotations
        self._write(orjson.dumps(event, default=str) + b"\n")


def head(
    uri: str, attempt: Attempt, version: str, user: User | None, impersonated: User | None, source: str, agent: str
) -> Object:
    """The part that is the same in all events of a request. `user` is who asked; None: nobody could tell."""
    about: Object = {"requestURI": uri, "verb": attempt.verb, "user": _user(user)}
    if impersonated is not None:
        about["impersonatedUser"] = _user(impersonated)
    about["sourceIPs"] = [source] if source else []
    if agent:
        about["userAgent"] = agent
    if attempt.resource:
        plural, _, subresource = attempt.resource.partition("/")
        where = {
            "resource": plural,
            "namespace": attempt.namespace,
            "name": attempt.name,
            "apiGroup": attempt.group,
            "apiVersion": version,
            "subresource": subresource,
        }
        about["objectRef"] = {key: value for key, value in where.items() if value}
    return about


def _user(user: User | None) -> Object:
    return user_info(user) if user is not None else {}
