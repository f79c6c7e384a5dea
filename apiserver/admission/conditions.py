"""Match conditions: CEL expressions that narrow down which requests a webhook or a policy is for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from apiserver import cel

if TYPE_CHECKING:
    from apiserver.cel.program import Program
    from apiserver.registry.kind import Object

_KEPT = 1024
"""Compiled expressions that are kept: each is asked for anew with every change of its configuration's neighbours."""


class ConditionFailed(Exception):
    """A condition could not be evaluated, and none of the others was false."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """All must hold. `ignore_failure` is whether one that cannot be evaluated counts as one that does not hold."""

    conditions: tuple[tuple[str, Program], ...] = ()
    ignore_failure: bool = False
    problem: str = ""
    """Why they cannot be evaluated at all: they were stored when other rules held."""

    @classmethod
    def of(
        cls,
        items: Iterable[Mapping[str, Any]] | None,
        *,
        ignore_failure: bool,
        compile: Callable[[str], Program] | None = None,
    ) -> Conditions:
        """`compile` is for conditions that may look at more than those of a webhook. Raises CelError."""
        program_of = compile or compile_condition
        return cls(tuple((item["expression"], program_of(item["expression"])) for item in items or ()), ignore_failure)

    def __bool__(self) -> bool:
        return bool(self.conditions or self.problem)

    def met(self, request: Object, authorizer: Any) -> bool:
        """`request` is an AdmissionRequest with its objects. Raises ConditionFailed."""
        values = {"object": request["object"], "oldObject": request["oldObject"], "authorizer": authorizer}
        about = {key: value for key, value in request.items() if key not in ("object", "oldObject")}
        return self.hold({**values, "request": about})

    def hold(self, values: Mapping[str, Any]) -> bool:
        """Whether all hold for these variables. Raises ConditionFailed."""
        failures = [self.problem] if self.problem else []
        for expression, program in self.conditions:
            try:
                if program.evaluate(**values) is False:
                    return False
            except cel.CelError as error:
                failures.append(f"expression '{expression}' resulted in error: {error}")
        if not failures:
            return True
        if self.ignore_failure:
            return False
        raise ConditionFailed(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")


@lru_cache(_KEPT)
def compile_condition(expression: str) -> Program:
    """Raises CelError."""
    from apiserver.admission.policies.expressions import Scope  # it brings the CEL library

    return Scope({"expression": expression}).compile(expression.strip(), "bool")


def problem_of(expression: str) -> str:
    """Why an expression is no condition, or nothing."""
    try:
        compile_condition(expression)
    except cel.CelError as error:
        return str(error)
    return ""
