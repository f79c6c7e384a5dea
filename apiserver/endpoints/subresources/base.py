"""What a subresource is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from apiserver.endpoints.http import Request
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State

Handler = Callable[[State, Request, Resource, Target], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subresource:
    """`group`, `version` and `kind` are of what is sent and answered; an empty kind is the object's own."""

    name: str
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    group: str = ""
    version: str = "v1"
    kind: str = ""
    answers: Literal["object", "status", "text", "connection"] = "object"
    """What comes back: an object of that kind, only a word on whether it was done, text, or whatever another server
    says; the kind is then that of the options in the query."""

    @property
    def verbs(self) -> list[str]:
        return sorted(self.handlers)
