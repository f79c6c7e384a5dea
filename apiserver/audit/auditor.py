"""Begins the record of each request that the policy wants told."""

from __future__ import annotations

from dataclasses import dataclass

from apiserver.audit.event import Recorder, head
from apiserver.audit.policy import Level, Policy
from apiserver.audit.sink import Sink
from apiserver.auth.authorize import Attempt
from apiserver.auth.user import User
from apiserver.endpoints.http import Request


@dataclass(frozen=True, slots=True)
class Auditor:
    """A policy, and where the events go."""

    policy: Policy
    sink: Sink

    def begin(self, request: Request, attempt: Attempt, version: str = "", user: User | None = None) -> None:
        """Tell a request from here on, if the policy wants it. Without a `user` nobody could tell who asks."""
        verdict = self.policy.verdict(request.impersonator or user or _UNKNOWN, attempt)
        if verdict.level is Level.None_:
            return
        uri, query = request.scope.get("raw_path", request.path.encode()), request.scope["query_string"]
        if query and b"?" not in uri:
            uri += b"?" + query
        client = request.scope.get("client")
        about = head(
            uri.decode("latin-1"),
            attempt,
            version,
            request.impersonator or user,
            user if request.impersonator else None,
            client[0] if client else "",
            request.header(b"user-agent"),
        )
        request.audit = Recorder(verdict, about, self.sink.write, request.header(b"audit-id"))
        request.audit.received()


_UNKNOWN = User("")
