"""ValidatingAdmissionPolicy: refuse, warn about, or note in the audit log what a policy's expressions say no to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson

from api.errors import StatusError
from apiserver.admission.matching import exempt
from apiserver.admission.policies.denial import denial
from apiserver.admission.webhooks.call import Question
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.admission.policies.binding import Binding
    from apiserver.admission.policies.cases import Case, Given
    from apiserver.admission.policies.configuration import Bound, Configuration
    from apiserver.admission.policies.definition import Outcome, Policy, Refusal
    from apiserver.endpoints.state import State

GROUP = "admissionregistration.k8s.io"
POLICIES, BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
FAILURE_NOTE = "validation.policy.admission.k8s.io/validation_failure"

_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413}
_CONFIGURATIONS: WeakKeyDictionary[State, Configuration[Policy]] = WeakKeyDictionary()


async def validate(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse what a policy refuses. Raises StatusError."""
    bindings = state.resource(BINDINGS, GROUP).cache
    if not bindings.entries or exempt(attributes.resource):
        return
    policies = state.resource(POLICIES, GROUP).cache
    configured = _configuration(state).bound(policies, bindings)
    if not configured:
        return
    from apiserver.admission.policies.cases import Given

    question = Question(state, attributes, obj, old)
    verdict = _Verdict(question, Given(question))
    for bound in configured:
        await verdict.meet(bound)
    if verdict.denial is not None:
        raise verdict.denial


def _configuration(state: State) -> Configuration[Policy]:
    """What this server has read; the CEL library is imported with the first policy."""
    found = _CONFIGURATIONS.get(state)
    if found is None:
        from apiserver.admission.policies.configuration import Configuration
        from apiserver.admission.policies.definition import Policy

        found = _CONFIGURATIONS[state] = Configuration(Policy.of)
    return found


@dataclass(slots=True)
class _Verdict:
    """What all policies together say of one request; the first denial is what the client is told."""

    question: Question
    _given: Given
    denial: StatusError | None = None
    _notes: dict[str, list[str]] = field(default_factory=dict)

    async def meet(self, bound: Bound[Policy]) -> None:
        """Raises StatusError."""
        from apiserver.admission.policies.cases import Misfit, cases

        policy, definition = bound.policy, bound.policy.definition
        async for case in cases(self._given, definition, bound.bindings):
            if isinstance(case, Misfit):
                if not definition.ignores_failure:
                    self._deny(definition.name, case.binding, case.message, "Invalid")
            else:
                self._take(policy, case, policy.decide(case.values))
        for key, values in self._notes.items():
            self.question.attributes.annotations[f"{definition.name}/{key}"] = ", ".join(values)
        self._notes.clear()

    def _take(self, policy: Policy, case: Case, outcome: Outcome) -> None:
        name, binding = policy.definition.name, case.binding
        for refusal in outcome.refusals:
            for action in binding.actions:
                if action == "Deny":
                    self._deny(name, binding, refusal.message, refusal.reason)
                elif action == "Warn":
                    self._warn(f"'{name}' with binding '{binding.name}': {refusal.message}")
                else:
                    self._note_failure(binding, refusal)
        for failure in outcome.failures:
            self._deny(name, binding, failure.message, failure.reason)
        for key, value in outcome.annotations:
            known = self._notes.setdefault(key, [])
            if value not in known:
                known.append(value)

    def _warn(self, what: str) -> None:
        text, warnings = f"Validation failed for ValidatingAdmissionPolicy {what}", self.question.attributes.warnings
        if text not in warnings:  # a write may be tried again
            warnings.append(text)

    def _note_failure(self, binding: Binding, refusal: Refusal) -> None:
        about = {
            "message": refusal.message,
            "policy": binding.policy,
            "binding": binding.name,
            "expressionIndex": refusal.index,
            "validationActions": binding.actions,
        }
        self.question.attributes.annotations.setdefault(FAILURE_NOTE, orjson.dumps([about]).decode())

    def _deny(self, policy: str, binding: Binding | None, why: str, reason: str) -> None:
        if self.denial is None:
            named, code = f"ValidatingAdmissionPolicy '{policy}'", _CODES.get(reason or "Invalid", 422)
            self.denial = denial(self.question.attributes, named, binding, why, reason or "Invalid", code)
