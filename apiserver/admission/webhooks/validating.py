"""Validating webhooks: all are asked at once, and each must agree."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from api.errors import StatusError
from apiserver.admission.matching import exempt
from apiserver.admission.webhooks.call import CallFailed, Question, ask, concerned, excuse
from apiserver.admission.webhooks.configuration import VALIDATING, Hook
from apiserver.registry.kind import Object
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import Resource, State

log = logger(__name__)


async def validate(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse what a webhook refuses. Raises StatusError."""
    configured = VALIDATING.of(state)
    if not configured or exempt(attributes.resource):
        return
    question = Question(state, attributes, obj, old)
    relevant = [(hook, found) for hook in configured if (found := await concerned(hook, question)) is not None]
    if not relevant:
        return
    asked = [_ask(hook, question, resource, index) for index, (hook, resource) in enumerate(relevant)]
    refusals = [refusal for refusal in await asyncio.gather(*asked) if refusal is not None]
    if refusals:
        for other in refusals[1:]:
            log.info("another webhook refused, too", why=str(other))
        raise refusals[0]


async def _ask(hook: Hook, question: Question, resource: Resource, index: int) -> StatusError | None:
    try:
        await ask(hook, question, resource, mutating=False)
    except CallFailed as failed:
        note = f"failed-open.validating.webhook.admission.k8s.io/round_0_index_{index}"
        try:
            excuse(hook, failed, question.attributes, note)
        except StatusError as error:
            return error
    except StatusError as error:
        return error
    return None
