"""Kinds that are sent and answered but never stored: who am I, may I, whose token is this, run this pod there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from apiserver.auth.authenticate import Authenticator
from apiserver.endpoints import reviews
from apiserver.endpoints.answer import answer_value, wanted
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
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
"""Makes a review's status of the review as it was sent. Raises StatusError when it cannot be answered."""


@dataclass(frozen=True, slots=True)
class Virtual:
    """A kind that can only be created."""

    verbs: ClassVar[tuple[str, ...]] = ("create",)

    group: str
    version: str
    kind: str
    plural: str
    answer: Answer
    namespaced: bool = False
    answers: Literal["object", "status"] = "object"
    """What comes back: the object, or only a word on whether it was done."""

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
        sent["status"] = await review(asked, sent)
        sent["metadata"] = sent.get("metadata") or {}
        await answer_value(request, wanted(request), sent, 201)

    return answer


async def _bind(virtual: Virtual, asked: Asked) -> None:
    """The old way to bind a pod: the pod is named in the object alone."""
    pods = asked.state.resource("pods")
    await binding.create(asked.state, asked.request, pods, Target(namespace=asked.namespace))


_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_LOCAL = "localsubjectaccessreviews"
VIRTUAL = (
    Virtual("", "v1", "Binding", "bindings", _bind, namespaced=True, answers="status"),
    Virtual(_AUTHENTICATION, "v1", "SelfSubjectReview", "selfsubjectreviews", _review(reviews.who_am_i)),
    Virtual(_AUTHENTICATION, "v1", "TokenReview", "tokenreviews", _review(reviews.whose_token)),
    Virtual(_AUTHORIZATION, "v1", "LocalSubjectAccessReview", _LOCAL, _review(reviews.may_they_here), namespaced=True),
    Virtual(_AUTHORIZATION, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", _review(reviews.may_i)),
    Virtual(_AUTHORIZATION, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", _review(reviews.what_may_i)),
    Virtual(_AUTHORIZATION, "v1", "SubjectAccessReview", "subjectaccessreviews", _review(reviews.may_they)),
)
