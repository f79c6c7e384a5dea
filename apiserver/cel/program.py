"""A compiled expression: the closure, the variables it takes, and how their JSON becomes CEL values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.schema.node import Schema
from apiserver.cel import AUTHORIZER, checker
from apiserver.cel.build import Builder, Evaluate, weight
from apiserver.cel.library.authorizer import Authorizer
from apiserver.cel.syntax import read
from apiserver.cel.values import Budget, CelError

_REQUEST = ".requestResource"
_CHECK = "kubernetes.authorization.ResourceCheck"
PER_CALL = 1_000_000
"""Steps that one evaluation may take: about a third of a second."""


class Program:
    """Made by `compile`. Immutable and without state: it may be evaluated any number of times."""

    __slots__ = ("_evaluate", "_size", "_slots", "_weight", "result")

    def __init__(self, evaluate: Evaluate, size: int, weight: int, slots: Mapping[str, int], result: str) -> None:
        self._evaluate = evaluate
        self._size = size
        self._weight = weight
        self._slots = slots
        self.result = result
        """The type of the result as CEL writes it (`bool`, `list<string>`, `dyn`)."""

    def evaluate(self, budget: Budget | None = None, /, **values: Any) -> Any:
        """The value of the expression for these variables. Raises CelError, BudgetExceeded.

        A budget that is given is spent, so that several evaluations can share it; none may spend more than PER_CALL.
        """
        own = Budget(PER_CALL if budget is None else min(PER_CALL, budget.left))
        start = own.left
        frame: list[Any] = [None] * self._size
        frame[0] = own
        for name, value in values.items():
            slot = self._slots.get(name)
            if slot is not None:
                frame[slot] = value
                if type(value) is Authorizer:
                    frame[self._slots[name + _REQUEST]] = value.request_resource
        try:
            own.spend(self._weight)
            return self._evaluate(frame)
        except RecursionError as error:
            raise CelError("expression nests too deep") from error
        finally:
            if budget is not None:
                budget.left -= start - own.left


def compile(expression: str, variables: Mapping[str, Schema | str | None], returns: str) -> Program:
    """See `apiserver.cel.compile`."""
    types = {name: kind if isinstance(kind, str) else "dyn" for name, kind in variables.items()}
    types |= {name + _REQUEST: _CHECK for name, kind in types.items() if kind == AUTHORIZER}
    serialised, result = checker.check(checker.environment(types), expression)
    if returns and result not in (returns, "dyn"):
        raise CelError(f"must evaluate to {returns}")
    names = tuple(types)
    builder = Builder(names)
    try:
        tree = read(serialised)
        evaluate = builder.build(tree)
    except RecursionError as error:
        raise CelError("expression nests too deep") from error
    return Program(evaluate, builder.size, weight(tree), {name: at for at, name in enumerate(names, 1)}, result)
