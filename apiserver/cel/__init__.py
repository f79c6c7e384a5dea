"""The Common Expression Language as Kubernetes speaks it: validation rules, admission policies, match conditions.

`compile` parses and checks an expression with Google's CEL library and makes closures of what comes out (ADR 10);
`Program.evaluate` runs them on plain JSON values within a budget. Everything heavy is imported by the first `compile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from apiserver.cel.values import Budget, BudgetExceeded, CelError

if TYPE_CHECKING:
    from apiserver.cel.program import Program

__all__ = ["AUTHORIZER", "Budget", "BudgetExceeded", "CelError", "compile"]

AUTHORIZER = "kubernetes.authorization.Authorizer"
"""The type of the variable `authorizer`."""


def compile(expression: str, *, variables: Mapping[str, Mapping[str, Any] | str | None], returns: str = "") -> Program:
    """The program of an expression. Raises CelError.

    Each variable has a schema (of an OpenAPI v3 document), or a CEL type by name (`string`, `AUTHORIZER`), or None for
    any JSON. `returns` names the type that the result must have (`bool`, `string`), if any.
    """
    from apiserver.cel import program

    return program.compile(expression, variables, returns)
