"""MutatingAdmissionPolicy: what a policy's expressions make of an object before anything else changes or checks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson

from api.errors import StatusError
from apiserver.admission.matching import exempt
from apiserver.admission.policies.denial import denial
from apiserver.admission.webhooks.call import Question, converted
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.admission.policies.binding import Binding
    from apiserver.admission.policies.cases import Case, Given
    from apiserver.admission.policies.configuration import Bound, Configuration
    from apiserver.admission.policies.mutation import MutatingPolicy
    from apiserver.endpoints.state import State

GROUP = "admissionregistration.k8s.io"
POLICIES, BINDINGS = "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"

_CONFIGURATIONS: WeakKeyDictionary[State, Configuration[MutatingPolicy]] = WeakKeyDictionary()


@dataclass(slots=True)
class Round:
    """The policies that one request meets, in the order of their names, each seeing what those before it changed."""

    question: Question
    bound: tuple[Bound[MutatingPolicy], ...]
    _given: Given
    _left: dict[str, bytes] = field(default_factory=dict)
    """The object as each policy left it that wants to look again."""

    @classmethod
    def of(cls, state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> Round | None:
        """None when there are no policies that the request could meet."""
        bindings = state.resource(BINDINGS, GROUP).cache
        if not bindings.entries or obj is None or exempt(attributes.resource):
            return None
        policies = state.resource(POLICIES, GROUP).cache
        bound = _configuration(state).bound(policies, bindings)
        if not bound:
            return None
        from apiserver.admission.policies.cases import Given

        question = Question(state, attributes, obj, old)
        return cls(question, bound, Given(question))

    async def first(self) -> bool:
        """Let every policy change the object; whether any did. Raises StatusError."""
        before = _bytes(self.question.obj)
        for bound in self.bound:
            await self._meet(bound)
        return _bytes(self.question.obj) != before

    async def second(self) -> None:
        """Let those look again that want it, if the object has changed after them. Raises StatusError."""
        for bound in self.bound:
            left = self._left.get(bound.policy.definition.name)
            if left is not None and left != _bytes(self.question.obj):
                await self._meet(bound)

    async def _meet(self, bound: Bound[MutatingPolicy]) -> None:
        from apiserver.admission.policies.cases import Misfit, cases

        policy, definition = bound.policy, bound.policy.definition
        async for case in cases(self._given, definition, bound.bindings):
            if not isinstance(case, Misfit):
                await self._change(policy, case)
            elif not definition.ignores_failure:
                raise self._denial(definition.name, case.binding, case.message)
        if policy.reinvoked:
            self._left[definition.name] = _bytes(self.question.obj)

    async def _change(self, policy: MutatingPolicy, case: Case) -> None:
        from apiserver.admission.conditions import ConditionFailed
        from apiserver.admission.policies.definition import PER_BINDING
        from apiserver.admission.webhooks.patching import settled
        from apiserver.cel import Budget, CelError

        obj, _ = await self.question.objects(case.resource)
        given = {**case.values, "object": obj}
        home, before = self.question.attributes.resource, self.question.obj or {}
        try:
            changed = policy.mutate(case.resource.kind.schema, given, Budget(PER_BINDING))
            new = settled(await converted(changed, case.resource, home) or {}, before, home.kind)
        except (CelError, ConditionFailed, StatusError) as error:
            if not policy.definition.ignores_failure:
                raise self._denial(policy.definition.name, case.binding, str(error)) from error
            return
        if new != before:
            before.clear()
            before.update(new)

    def _denial(self, policy: str, binding: Binding | None, why: str) -> StatusError:
        return denial(self.question.attributes, f"policy '{policy}'", binding, why)


def _configuration(state: State) -> Configuration[MutatingPolicy]:
    """What this server has read; the CEL library is imported with the first policy."""
    found = _CONFIGURATIONS.get(state)
    if found is None:
        from apiserver.admission.policies.configuration import Configuration
        from apiserver.admission.policies.mutation import MutatingPolicy

        found = _CONFIGURATIONS[state] = Configuration(MutatingPolicy.of)
    return found


def _bytes(obj: Object | None) -> bytes:
    return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
