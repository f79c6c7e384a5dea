"""Mutating webhooks: asked one after the other, each seeing what those before it changed.

When one changes the object, the plugins that have already looked at it may want to look again: the chain runs a second
round, in which only those webhooks are asked that want it (`reinvocationPolicy: IfNeeded`) and were asked before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from apiserver.admission.matching import exempt
from apiserver.admission.webhooks.call import CallFailed, Question, ask, concerned, excuse
from apiserver.admission.webhooks.configuration import MUTATING, Hook
from apiserver.admission.webhooks.patching import apply

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State
    from apiserver.registry.kind import Object


@dataclass(slots=True)
class Rounds:
    """The webhooks that one request meets."""

    question: Question
    hooks: tuple[Hook, ...]
    changed: bool = False
    _round: int = 0
    _asked: set[tuple[str, int]] = field(default_factory=set)
    """Those that want to be asked again, and were asked when the object had not changed since."""
    _again: set[tuple[str, int]] = field(default_factory=set)
    _seen: bytes = b""
    """The object as the first round left it."""

    @classmethod
    def of(cls, state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> Rounds | None:
        """None when there are no webhooks that the request could meet."""
        configured = MUTATING.of(state)
        if not configured or exempt(attributes.resource):
            return None
        return cls(Question(state, attributes, obj, old), configured)

    async def first(self) -> bool:
        """Ask all that are concerned; whether the object has changed. Raises StatusError."""
        for index, hook in enumerate(self.hooks):
            await self._ask(hook, index)
        if self.changed:
            self._seen = _bytes(self.question.obj)
        return self.changed

    async def second(self) -> None:
        """Ask those again that want it. Raises StatusError."""
        self._round = 1
        if _bytes(self.question.obj) != self._seen:
            self._require()  # a plugin of the server's own changed it
        for index, hook in enumerate(self.hooks):
            if hook.uid in self._again:
                await self._ask(hook, index)

    async def _ask(self, hook: Hook, index: int) -> None:
        question = self.question
        resource = await concerned(hook, question)
        if resource is None:
            return
        place = f"round_{self._round}_index_{index}"
        changed = False
        try:
            verdict = await ask(hook, question, resource, mutating=True)
            changed = await apply(hook.name, question, resource, verdict.patch)
        except CallFailed as failed:
            excuse(hook, failed, question.attributes, f"failed-open.mutating.webhook.admission.k8s.io/{place}")
        finally:
            told = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
            note = f"mutation.webhook.admission.k8s.io/{place}"
            question.attributes.annotations[note] = orjson.dumps(told).decode()
        if changed:
            self.changed = True
            self._require()
        if hook.reinvoked:
            self._asked.add(hook.uid)

    def _require(self) -> None:
        self._again |= self._asked
        self._asked.clear()


def _bytes(obj: Object | None) -> bytes:
    return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
