"""The values of CEL that JSON and Python have no type for, and equality and order among all of them.

Strings, booleans, doubles, null, lists and maps are Python's own; `int` is CEL's 64-bit int, kept in its range by the
arithmetic in `operators.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import total_ordering
from typing import Any

NANO = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CelError(Exception):
    """An expression that does not compile, or has no value; the message is a sentence for its author."""


class BudgetExceeded(CelError):
    """An expression that would take too long."""


class Budget:
    """How much work an evaluation may still do, in steps of about a node of the expression or ten characters of text.

    Counted, not timed: the same expression on the same object always has the same outcome.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        """Raises BudgetExceeded."""
        self.left -= steps
        if self.left < 0:
            raise BudgetExceeded("operation cancelled: actual cost limit exceeded")


class Uint(int):
    """An unsigned 64-bit integer, which CEL keeps apart from int."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970."""

    nanos: int

    def __lt__(self, other: Timestamp) -> bool:
        return self.nanos < other.nanos

    def moment(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.nanos // 1000)

    def __str__(self) -> str:
        text = self.moment().strftime("%Y-%m-%dT%H:%M:%S")
        fraction = f"{self.nanos % NANO:09d}".rstrip("0")
        return f"{text}.{fraction}Z" if fraction else f"{text}Z"


@total_ordering
@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time in nanoseconds."""

    nanos: int

    def __lt__(self, other: Duration) -> bool:
        return self.nanos < other.nanos

    def __str__(self) -> str:
        sign, nanos = ("-" if self.nanos < 0 else ""), abs(self.nanos)
        fraction = f"{nanos % NANO:09d}".rstrip("0")
        return f"{sign}{nanos // NANO}{'.' + fraction if fraction else ''}s"


@dataclass(frozen=True, slots=True)
class TypeValue:
    """What `type(x)` is."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    present: bool
    value: Any = None


NONE = Optional(False)


class Lazy:
    """A variable's value that is made when an expression first looks at it, and then kept; so is its error."""

    __slots__ = ("_error", "_make", "_value")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Callable[[], Any] | None = make
        self._value: Any = None
        self._error: CelError | None = None

    def get(self) -> Any:
        """Raises CelError."""
        if self._make is not None:
            make, self._make = self._make, None
            try:
                self._value = make()
            except CelError as error:
                self._error = error
        if self._error is not None:
            raise self._error
        return self._value


NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeValue: "type",
    Optional: "optional_type",
}
"""CEL's names of the types; the libraries add theirs."""

NUMBERS = frozenset({int, Uint, float})
_PLAIN = frozenset({str, bool, int, type(None), bytes})


def type_name(value: Any) -> str:
    return NAMES.get(type(value), "dyn")


def is_key(value: Any) -> bool:
    """Whether a map may be asked for it."""
    return type(value) in (str, int, bool, Uint, float)


def equals(a: Any, b: Any, budget: Budget) -> bool:
    """CEL's `==`: numbers compare across their types, everything else only within its own. Raises BudgetExceeded."""
    kind, other = type(a), type(b)
    if kind is other and kind in _PLAIN:
        if kind is str:
            budget.spend(len(a) // 10)
        return bool(a == b)
    if kind in NUMBERS and other in NUMBERS:
        return bool(a == b)
    if isinstance(a, list) and isinstance(b, list):
        return DEEP[kind](a, b, budget) if kind is not list else DEEP[other](b, a, budget)
    compare = DEEP.get(kind) if kind is other else None
    if compare is not None:
        return compare(a, b, budget)
    return kind is other and bool(a == b)


def _equal_lists(a: list[Any], b: list[Any], budget: Budget) -> bool:
    if len(a) != len(b):
        return False
    budget.spend(len(a))
    return all(equals(x, y, budget) for x, y in zip(a, b, strict=True))


def _equal_maps(a: dict[Any, Any], b: dict[Any, Any], budget: Budget) -> bool:
    if len(a) != len(b):
        return False
    budget.spend(len(a))
    return all(key in b and equals(value, b[key], budget) for key, value in a.items())


def _equal_optionals(a: Optional, b: Optional, budget: Budget) -> bool:
    return a.present == b.present and (not a.present or equals(a.value, b.value, budget))


DEEP: dict[type, Callable[[Any, Any, Budget], bool]] = {
    list: _equal_lists,
    dict: _equal_maps,
    Optional: _equal_optionals,
}
"""How values with parts are compared; lists of a special kind add theirs."""
