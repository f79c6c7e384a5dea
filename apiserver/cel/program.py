"""A compiled expression: the closure, the variables it takes, and how their JSON becomes CEL values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apiserver.cel import AUTHORIZER, checker
from apiserver.cel.build import Builder
from apiserver.cel.convert import Convert, converter
from apiserver.cel.library.authorizer import Authorizer
from apiserver.cel.messages import Messages
from apiserver.cel.syntax import read
from apiserver.cel.values import Budget, CelError
from apiserver.cel.weight import weight

PER_CALL = 1_000_000
"""Steps that one evaluation may take: about a third of a second."""

_REQUEST = ".requestResource"
_CHECK = "kubernetes.authorization.ResourceCheck"


class Program:
    """Made by `compile`. Immutable and without state: it may be evaluated any number of times."""

    __slots__ = ("_converters", "_evaluate", "_size", "_slots", "_weight", "result", "used")

    def __init__(
        self, serialised: bytes, result: str, names: tuple[str, ...], converters: Mapping[str, Convert]
    ) -> None:
        """Raises CelError."""
        builder = Builder(names)
        try:
            tree = read(serialised)
            self._evaluate = builder.build(tree)
            self._weight = weight(tree)
        except RecursionError as error:
            raise CelError("expression nests too deep") from error
        self._size = builder.size
        self._slots = {name: at for at, name in enumerate(names, 1)}
        self._converters = converters
        self.result = result
        """The type of the result as CEL writes it (`bool`, `list<string>`, `dyn`)."""
        self.used = frozenset(builder.used)
        """The variables that the expression looks at."""

    @property
    def shown_result(self) -> str:
        """The type of the result as messages write it: `list(string)`."""
        return self.result.replace("<", "(").replace(">", ")")

    def is_a(self, *types: str) -> bool:
        """Whether the result is certain to be of one of these types (for a nullable one: or null)."""
        return self.result.removesuffix("_wrapper") in types

    def evaluate(self, budget: Budget | None = None, /, **values: Any) -> Any:
        """The value of the expression for these variables. Raises CelError, BudgetExceeded.

        A budget that is given is spent, so that several evaluations can share it; none may spend more than PER_CALL.
        """
        own = Budget(PER_CALL if budget is None else min(PER_CALL, budget.left))
        start = own.left
        frame: list[Any] = [None] * self._size
        frame[0] = own
        try:
            own.spend(self._weight)
            self._fill(frame, values)
            return self._evaluate(frame)
        except RecursionError as error:
            raise CelError("expression nests too deep") from error
        finally:
            if budget is not None:
                budget.left -= start - own.left

    def _fill(self, frame: list[Any], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            slot = self._slots.get(name)
            if slot is not None:
                convert = self._converters.get(name)
                frame[slot] = value if convert is None else convert(value)
                if type(value) is Authorizer:
                    frame[self._slots[name + _REQUEST]] = value.request_resource


def compile(expression: str, variables: Mapping[str, Mapping[str, Any] | str | None], returns: str) -> Program:
    """See `apiserver.cel.compile`."""
    messages, types, converters = Messages(), {}, {}
    for name, kind in variables.items():
        types[name] = kind if isinstance(kind, str) else "dyn" if kind is None else messages.type_of(kind)
        if isinstance(kind, Mapping) and (convert := converter(kind)) is not None:
            converters[name] = convert
    typed = any(isinstance(kind, Mapping) for kind in variables.values())
    return compile_typed(expression, types, messages if typed else None, converters, returns)


def compile_typed(
    expression: str,
    types: Mapping[str, str],
    messages: Messages | None,
    converters: Mapping[str, Convert],
    returns: str = "",
    functions: frozenset[str] = frozenset(),
    structs: bool = False,
) -> Program:
    """A program whose variables have CEL types, among them `messages`. Raises CelError.

    A variable may have a name with dots (`variables.limit`), and then a `Lazy` value. Expressions that are compiled
    with the same types and `functions` (their common `checker.vocabulary`) share what is costly to make. With `structs`
    it may make the objects and patches of a mutation.
    """
    checks = {name + _REQUEST: _CHECK for name, kind in types.items() if kind == AUTHORIZER}
    types = {**types, **checks}
    environment = checker.environment(frozenset(types.items()), functions or checker.vocabulary(expression), messages)
    serialised, result = checker.check(environment, expression, structs=structs)
    program = Program(serialised, result, tuple(types), converters)
    if returns and not program.is_a(returns):
        raise CelError(f"must evaluate to {returns} but got {program.shown_result}")
    return program
