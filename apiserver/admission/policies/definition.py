"""A ValidatingAdmissionPolicy and its bindings, compiled: what they match, and what they decide about a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apiserver.admission.conditions import ConditionFailed, Conditions
from apiserver.admission.matching import Matching
from apiserver.admission.policies.expressions import Scope, evaluate
from apiserver.cel import Budget, CelError
from apiserver.cel.program import Program as Expression
from apiserver.cel.rules import usable_message
from apiserver.registry.kind import Object

PER_BINDING = 2_000_000
"""Steps that one policy's expressions may take for one binding and parameter."""
LONGEST_ANNOTATION = 10 * 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """One validation that does not hold, or that could not be evaluated."""

    message: str
    reason: str = ""
    index: int = 0


@dataclass(slots=True)
class Outcome:
    """What a policy says of a request for one parameter. `failures` refuse whatever the binding's actions are."""

    refusals: list[Refusal] = field(default_factory=list)
    failures: list[Refusal] = field(default_factory=list)
    annotations: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Validation:
    expression: str
    program: Expression
    message: str
    message_program: Expression | None
    reason: str

    def told(self, budget: Budget, values: Mapping[str, Any]) -> str:
        """Why the request is refused, in the words of the policy."""
        text = ""
        if self.message_program is not None:
            try:
                text = usable_message(self.message_program.evaluate(budget, **values))
            except CelError:
                text = ""  # the message is the author's to mend; the refusal stands
        return text or self.message.strip() or f"failed expression: {self.expression.strip()}"


@dataclass(frozen=True, slots=True)
class Definition:
    """What all kinds of policy share."""

    name: str
    matching: Matching
    ignores_failure: bool
    param_kind: tuple[str, str] | None
    """apiVersion and kind."""

    @classmethod
    def of(cls, obj: Object) -> Definition:
        spec = obj["spec"]
        kind = spec.get("paramKind")
        return cls(
            name=obj["metadata"]["name"],
            matching=Matching.of(spec.get("matchConstraints") or {}),
            ignores_failure=spec.get("failurePolicy") == "Ignore",
            param_kind=(kind["apiVersion"], kind["kind"]) if kind else None,
        )


@dataclass(frozen=True, slots=True)
class Program:
    """A policy's expressions, compiled."""

    scope: Scope
    conditions: Conditions
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, str, Expression], ...]

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Program:
        """Raises CelError."""
        scope = Scope.of(spec)
        annotations = spec.get("auditAnnotations") or ()
        return cls(
            scope=scope,
            conditions=conditions_of(spec, scope),
            validations=tuple(_validation(each, scope) for each in spec.get("validations") or ()),
            annotations=tuple(
                (each["key"], each["valueExpression"], scope.compile(each["valueExpression"], "string", "null"))
                for each in annotations
            ),
        )


def conditions_of(spec: Mapping[str, Any], scope: Scope) -> Conditions:
    """The match conditions of a policy. Raises CelError."""
    return Conditions.of(
        spec.get("matchConditions"),
        ignore_failure=spec.get("failurePolicy") == "Ignore",
        compile=lambda text: scope.compile(text, "bool"),
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """A ValidatingAdmissionPolicy. One that does not compile says why when it is met."""

    definition: Definition
    program: Program | CelError

    @classmethod
    def of(cls, obj: Object) -> Policy:
        try:
            program: Program | CelError = Program.of(obj["spec"])
        except CelError as error:
            program = error
        return cls(Definition.of(obj), program)

    def decide(self, given: Mapping[str, Any]) -> Outcome:
        """What the policy says to these values of `object`, `request`, `params` and so on."""
        outcome, budget, program = Outcome(), Budget(PER_BINDING), self.program
        if isinstance(program, CelError):
            outcome.refusals = [] if self.definition.ignores_failure else [Refusal(str(program))]
            return outcome
        values = program.scope.values(budget, given)
        try:
            if not program.conditions.hold(values):
                return outcome
        except ConditionFailed as error:
            outcome.refusals.append(Refusal(str(error)))
            return outcome
        outcome.refusals.extend(self._refusals(program, budget, values))
        self._annotate(program, outcome, budget, values)
        return outcome

    def _annotate(self, program: Program, outcome: Outcome, budget: Budget, values: Mapping[str, Any]) -> None:
        for key, expression, compiled in program.annotations:
            try:
                value = evaluate(compiled, expression, budget, values)
            except CelError as error:
                if not self.definition.ignores_failure:
                    outcome.failures.append(Refusal(str(error)))
                continue
            if isinstance(value, str) and value.strip():
                outcome.annotations.append((key, value.strip()[:LONGEST_ANNOTATION]))

    def _refusals(self, program: Program, budget: Budget, values: Mapping[str, Any]) -> Iterator[Refusal]:
        for index, validation in enumerate(program.validations):
            try:
                holds = evaluate(validation.program, validation.expression, budget, values)
            except CelError as error:
                if not self.definition.ignores_failure:
                    yield Refusal(str(error), index=index)
                continue
            if holds is not True:
                yield Refusal(validation.told(budget, values), validation.reason, index)


def _validation(raw: Mapping[str, Any], scope: Scope) -> Validation:
    message = raw.get("messageExpression")
    return Validation(
        expression=raw["expression"],
        program=scope.compile(raw["expression"], "bool"),
        message=raw.get("message") or "",
        message_program=scope.compile(message, "string", authorizer=False) if message else None,
        reason=raw.get("reason") or "Invalid",
    )
