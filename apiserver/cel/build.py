"""Closures from a checked tree: each node becomes a function of the frame that returns the node's value.

The frame is a list: the budget, then a slot for each variable of the expression and of its folds. An error is a raised
`CelError`; where CEL lets one pass (`||`, `&&` and the folds made of them) it is caught, and kept as a `Failure` in an
accumulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiserver.cel.functions import TABLE, Overloads
from apiserver.cel.names import unescape
from apiserver.cel.syntax import Call, Const, Fold, Ident, ListOf, MapOf, Message, Node, Select
from apiserver.cel.values import NONE, Budget, BudgetExceeded, CelError, Lazy, Optional, TypeValue, is_key, type_name
from apiserver.cel.weight import weight

Frame = list[Any]
Evaluate = Callable[[Frame], Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in an accumulator: it counts only if nothing decides the outcome without it."""

    error: CelError


class Builder:
    """Makes the closures of one expression. `size` is the length that its frames need."""

    def __init__(self, variables: tuple[str, ...]) -> None:
        self._scope = {name: at for at, name in enumerate(variables, 1)}
        self._accumulators: set[int] = set()
        self.size = len(variables) + 1
        self.used: set[str] = set()
        """The names of variables that the expression looks at."""

    def build(self, node: Node) -> Evaluate:
        match node:
            case Const():
                value = node.value
                return lambda frame: value
            case Ident():
                return self._ident(node.name)
            case Select():
                return self._select(node)
            case Call():
                return self._call(node)
            case ListOf():
                return self._list(node)
            case MapOf():
                return self._map(node)
            case Fold():
                return self._fold(node)
            case Message():
                raise CelError(f"undeclared reference to '{node.name}' (in container '')")

    def _ident(self, name: str) -> Evaluate:
        slot = self._scope.get(name)
        if slot is None:
            value = TypeValue(name)
            return lambda frame: value
        self.used.add(name)
        if slot in self._accumulators:

            def accumulated(frame: Frame) -> Any:
                value = frame[slot]
                if type(value) is Failure:
                    raise value.error
                return value

            return accumulated
        if "." in name:

            def composed(frame: Frame) -> Any:
                value = frame[slot]
                return value.get() if type(value) is Lazy else value

            return composed
        return lambda frame: frame[slot]

    def _select(self, node: Select) -> Evaluate:
        operand, name = self.build(node.operand), node.field
        if node.test:
            return lambda frame: has(operand(frame), name)

        def select(frame: Frame) -> Any:
            value = operand(frame)
            if type(value) is dict and name in value:
                return value[name]
            return field(value, name)

        return select

    def _list(self, node: ListOf) -> Evaluate:
        elements = [self.build(each) for each in node.elements]
        optional = node.optional
        if not optional:
            return lambda frame: [element(frame) for element in elements]

        def build(frame: Frame) -> list[Any]:
            values = []
            for at, element in enumerate(elements):
                value = element(frame)
                if at not in optional:
                    values.append(value)
                elif value.present:
                    values.append(value.value)
            return values

        return build

    def _map(self, node: MapOf) -> Evaluate:
        entries = [(self.build(key), self.build(value), optional) for key, value, optional in node.entries]

        def build(frame: Frame) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key, value, optional in entries:
                name, content = key(frame), value(frame)
                if not is_key(name) or type(name) is float:
                    raise CelError(f"unsupported key type: {type_name(name)}")
                if name in made:
                    raise CelError(f"Failed with repeated key: {name}")
                if not optional:
                    made[name] = content
                elif content.present:
                    made[name] = content.value
            return made

        return build

    def _call(self, node: Call) -> Evaluate:
        special = _SPECIAL.get(node.function)
        if special is not None:
            return special([self.build(each) for each in node.args])
        args = [self.build(each) for each in node.args]
        overloads = TABLE.get(node.function)
        if overloads is None:
            raise CelError(f"undeclared reference to '{node.function}' (in container '')")
        return _generic(overloads, args)

    def _fold(self, node: Fold) -> Evaluate:
        items, initial = self.build(node.range), self.build(node.initial)
        outer = dict(self._scope)
        variable, accumulator = self.size, self.size + 1
        self.size += 2
        self._accumulators.add(accumulator)
        self._scope[node.accumulator] = accumulator
        result = self.build(node.result)
        self._scope[node.variable] = variable
        condition = self.build(node.condition)
        endless = node.condition == Const(True)
        step = self._step(node.step, accumulator, node.accumulator) or self.build(node.step)
        self._scope = outer
        cost = weight(node.step) + weight(node.condition)

        def fold(frame: Frame) -> Any:
            values = items(frame)
            if not isinstance(values, (list, dict)):
                raise CelError(f"no such overload: comprehension over {type_name(values)}")
            budget: Budget = frame[0]
            frame[accumulator] = initial(frame)
            for value in list(values):
                budget.spend(cost)
                if not endless and condition(frame) is False:
                    break
                frame[variable] = value
                try:
                    frame[accumulator] = step(frame)
                except BudgetExceeded:
                    raise
                except CelError as error:
                    frame[accumulator] = Failure(error)
            return result(frame)

        return fold

    def _step(self, node: Node, slot: int, name: str) -> Evaluate | None:
        """The step of `map` and `filter`, which appends to the accumulator that nothing else can see."""
        match node:
            case Call("_?_:_", (test, Call() as then, Ident(other))) if other == name:
                append = self._step(then, slot, name)
                if append is None:
                    return None
                decide, do = self.build(test), append

                def maybe(frame: Frame) -> Any:
                    return do(frame) if boolean(decide(frame)) else frame[slot]

                return maybe
            case Call("_+_", (Ident(other), ListOf((element,), optional))) if other == name and not optional:
                made = self.build(element)

                def grow(frame: Frame) -> Any:
                    accumulated, value = frame[slot], made(frame)
                    if type(accumulated) is list:
                        accumulated.append(value)
                    return accumulated

                return grow
        return None


def _generic(overloads: Overloads, args: list[Evaluate]) -> Evaluate:
    find = overloads.find
    if len(args) == 1:
        (only,) = args

        def unary(frame: Frame) -> Any:
            value = only(frame)
            return find((type(value),))(frame[0], value)

        return unary
    if len(args) == 2:
        left, right = args

        def binary(frame: Frame) -> Any:
            a, b = left(frame), right(frame)
            return find((type(a), type(b)))(frame[0], a, b)

        return binary

    def call(frame: Frame) -> Any:
        values = [arg(frame) for arg in args]
        return find(tuple(map(type, values)))(frame[0], *values)

    return call


def boolean(value: Any) -> bool:
    """Raises CelError for anything else."""
    if value is True or value is False:
        return bool(value)
    raise CelError(f"no such overload: {type_name(value)} is not a bool")


def field(value: Any, name: str) -> Any:
    """`value.name`. Raises CelError."""
    if type(value) is Optional:
        return NONE if not value.present else lookup(value.value, name)
    found = lookup(value, name)
    if found.present:
        return found.value
    raise CelError(f"no such key: {name}")


def has(value: Any, name: str) -> bool:
    """`has(value.name)`. Raises CelError."""
    if type(value) is Optional:
        return value.present and lookup(value.value, name).present
    return lookup(value, name).present


def lookup(value: Any, name: str) -> Optional:
    """The entry of a map, under its name or the one that an escaped name stands for. Raises CelError."""
    if type(value) is not dict:
        raise CelError(f"no such overload: {type_name(value)} has no fields")
    if name in value:
        return Optional(True, value[name])
    if "__" in name and (plain := unescape(name)) in value:
        return Optional(True, value[plain])
    return NONE


def _and(args: list[Evaluate]) -> Evaluate:
    return _logic(args, False)


def _or(args: list[Evaluate]) -> Evaluate:
    return _logic(args, True)


def _logic(args: list[Evaluate], deciding: bool) -> Evaluate:
    left, right = args

    def evaluate(frame: Frame) -> bool:
        try:
            first = boolean(left(frame))
        except BudgetExceeded:
            raise
        except CelError:
            if boolean(right(frame)) is deciding:
                return deciding
            raise
        return deciding if first is deciding else boolean(right(frame))

    return evaluate


def _choice(args: list[Evaluate]) -> Evaluate:
    test, then, other = args
    return lambda frame: then(frame) if boolean(test(frame)) else other(frame)


def _not_strictly_false(args: list[Evaluate]) -> Evaluate:
    (only,) = args

    def evaluate(frame: Frame) -> bool:
        try:
            return only(frame) is not False
        except BudgetExceeded:
            raise
        except CelError:
            return True

    return evaluate


def _optional_field(args: list[Evaluate]) -> Evaluate:
    operand, name = args

    def evaluate(frame: Frame) -> Optional:
        value, wanted = operand(frame), name(frame)
        if type(value) is Optional:
            return lookup(value.value, wanted) if value.present else NONE
        return lookup(value, wanted)

    return evaluate


def _or_value(args: list[Evaluate]) -> Evaluate:
    return _otherwise(args, lambda optional: optional.value)


def _or_optional(args: list[Evaluate]) -> Evaluate:
    return _otherwise(args, lambda optional: optional)


def _otherwise(args: list[Evaluate], take: Callable[[Optional], Any]) -> Evaluate:
    optional, other = args

    def evaluate(frame: Frame) -> Any:
        value = optional(frame)
        if type(value) is not Optional:
            raise CelError(f"no such overload: {type_name(value)} is not an optional")
        return take(value) if value.present else other(frame)

    return evaluate


_SPECIAL: dict[str, Callable[[list[Evaluate]], Evaluate]] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _choice,
    "@not_strictly_false": _not_strictly_false,
    "_?._": _optional_field,
    "orValue": _or_value,
    "or": _or_optional,
}
"""What evaluates its operands by itself."""
