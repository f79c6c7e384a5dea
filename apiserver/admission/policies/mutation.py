"""A MutatingAdmissionPolicy, compiled: what its expressions make of an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.apply.shapes import shape_of
from api.apply.typed import Shape
from api.errors import StatusError
from api.patch import json_patch
from api.schema import Schema
from apiserver.admission.conditions import Conditions
from apiserver.admission.policies.definition import Definition, conditions_of
from apiserver.admission.policies.expressions import Scope, evaluate
from apiserver.cel import Budget, CelError
from apiserver.cel.convert import to_json
from apiserver.cel.program import Program as Expression
from apiserver.registry.kind import Object

APPLY, PATCH = "ApplyConfiguration", "JSONPatch"
RESULTS = {APPLY: ("map<", "Object"), PATCH: ("list<", "list(JSONPatch)")}
"""The type of the expression of each kind of mutation: how ours begins, and its name in messages."""
FIELDS = {APPLY: "applyConfiguration", PATCH: "jsonPatch"}


@dataclass(frozen=True, slots=True)
class Mutation:
    kind: str
    expression: str
    program: Expression

    @classmethod
    def of(cls, raw: Mapping[str, Any], scope: Scope) -> Mutation:
        """Raises CelError."""
        kind = raw["patchType"]
        expression = raw[FIELDS[kind]]["expression"]
        return cls(kind, expression, scope.mutation(expression, *RESULTS[kind]))

    def apply(self, obj: Object, schema: Schema, budget: Budget, values: Mapping[str, Any]) -> Object:
        """What becomes of the object; shares with it. Raises CelError, StatusError."""
        made = to_json(evaluate(self.program, self.expression, budget, values))
        if self.kind == PATCH:
            patched = json_patch(obj, made)
            if not isinstance(patched, dict):
                raise CelError("error applying JSON Patch: it left no object")
            return patched
        if not isinstance(made, dict):
            raise CelError(f"expression '{self.expression}' resulted in error: must evaluate to Object")
        return _applied(obj, made, schema)


def _applied(obj: Object, config: Object, schema: Schema) -> Object:
    shape = shape_of(schema)
    problem = next(shape.problems(config, ""), None)
    if problem is not None:
        raise CelError(f"error applying patch: failed to convert patch object to typed object: {problem}")
    if atomic := list(_atomic(schema, config, "")):
        what = ", ".join(atomic)
        why = f"invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {what}"
        raise CelError(f"error applying patch: {why}")
    merged: Object = shape.merge(obj, config)
    return merged


def _atomic(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Where a configuration sets what can only be set as a whole, so that something might be lost."""
    if isinstance(value, (dict, list)) and type(shape_of(schema)) is Shape:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            if (child := schema.child(key)) is not None:
                yield from _atomic(child, item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _atomic(schema.items, item, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class Program:
    """A policy's expressions, compiled."""

    scope: Scope
    conditions: Conditions
    mutations: tuple[Mutation, ...]


@dataclass(frozen=True, slots=True)
class MutatingPolicy:
    """A MutatingAdmissionPolicy. One that does not compile says why when it is met."""

    definition: Definition
    program: Program | CelError
    reinvoked: bool
    """Whether it wants to look again when others have changed the object after it."""

    @classmethod
    def of(cls, obj: Object) -> MutatingPolicy:
        spec = obj["spec"]
        try:
            scope = Scope.of(spec)
            mutations = tuple(Mutation.of(each, scope) for each in spec.get("mutations") or ())
            program: Program | CelError = Program(scope, conditions_of(spec, scope), mutations)
        except CelError as error:
            program = error
        return cls(Definition.of(obj), program, spec.get("reinvocationPolicy") == "IfNeeded")

    def mutate(self, schema: Schema, given: Mapping[str, Any], budget: Budget) -> Object:
        """What becomes of `object` among the given values. Raises CelError, ConditionFailed, StatusError."""
        if isinstance(self.program, CelError):
            raise self.program
        obj: Object = given["object"]
        program = self.program
        if not program.conditions.hold(program.scope.values(budget, given)):
            return obj
        for mutation in program.mutations:
            values = program.scope.values(budget, {**given, "object": obj})
            try:
                obj = mutation.apply(obj, schema, budget, values)
            except StatusError as error:
                raise CelError(f"error applying {mutation.kind}: {error}") from error
        return obj
