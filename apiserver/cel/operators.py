"""CEL's standard operators: arithmetic within 64 bits, comparison, membership, indexing.

Logic (`&&`, `||`, `?:`) is in `build.py`, since it need not evaluate all of its operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from apiserver.cel.functions import standard
from apiserver.cel.values import NUMBERS, Budget, CelError, Duration, Timestamp, Uint, equals, is_key, type_name

INT_MIN, INT_MAX, UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
_YEAR_1 = int((datetime(1, 1, 1) - datetime(1970, 1, 1)).total_seconds()) * 1_000_000_000
_YEAR_10000 = (int((datetime(9999, 12, 31) - datetime(1970, 1, 1)).total_seconds()) + 86400) * 1_000_000_000


def to_int(value: int) -> int:
    """Raises CelError for a number beyond 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow")


def to_uint(value: int) -> Uint:
    """Raises CelError for a negative number or one beyond 64 bits."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise CelError("unsigned integer overflow")


def to_timestamp(nanos: int) -> Timestamp:
    """Raises CelError outside the years 1 to 9999."""
    if _YEAR_1 <= nanos < _YEAR_10000:
        return Timestamp(nanos)
    raise CelError("timestamp overflow")


def to_duration(nanos: int) -> Duration:
    """Raises CelError beyond 64 bits of nanoseconds."""
    if INT_MIN <= nanos <= INT_MAX:
        return Duration(nanos)
    raise CelError("duration overflow")


def _truncated(a: int, b: int) -> int:
    if b == 0:
        raise CelError("division by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(a: int, b: int) -> int:
    if b == 0:
        raise CelError("modulus by zero")
    return int(math.copysign(1, a)) * (abs(a) % abs(b))


def _quotient(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1, b)


def _product(a: float, b: float) -> float:
    return a * b


_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "_+_": lambda a, b: a + b,
    "_-_": lambda a, b: a - b,
    "_*_": lambda a, b: a * b,
    "_/_": _truncated,
    "_%_": _remainder,
}


def _arithmetic(name: str, compute: Callable[[int, int], int]) -> None:
    @standard(name, int, int, spends=True)
    def ints(_: Budget, a: int, b: int) -> int:
        return to_int(compute(a, b))

    @standard(name, Uint, Uint, spends=True)
    def uints(_: Budget, a: int, b: int) -> Uint:
        return to_uint(compute(int(a), int(b)))


for _name, _compute in _INTEGERS.items():
    _arithmetic(_name, _compute)

standard("_+_", float, float)(lambda a, b: a + b)
standard("_-_", float, float)(lambda a, b: a - b)
standard("_*_", float, float)(_product)
standard("_/_", float, float)(_quotient)
standard("-_", int)(lambda a: to_int(-a))
standard("-_", float)(lambda a: -a)
standard("_+_", str, str)(lambda a, b: a + b)
standard("_+_", bytes, bytes)(lambda a, b: a + b)
standard("_+_", list, list)(lambda a, b: a + b)
standard("_+_", Timestamp, Duration)(lambda a, b: to_timestamp(a.nanos + b.nanos))
standard("_+_", Duration, Timestamp)(lambda a, b: to_timestamp(a.nanos + b.nanos))
standard("_+_", Duration, Duration)(lambda a, b: to_duration(a.nanos + b.nanos))
standard("_-_", Timestamp, Timestamp)(lambda a, b: to_duration(a.nanos - b.nanos))
standard("_-_", Timestamp, Duration)(lambda a, b: to_timestamp(a.nanos - b.nanos))
standard("_-_", Duration, Duration)(lambda a, b: to_duration(a.nanos - b.nanos))


@standard("!_", bool)
def negate(value: bool) -> bool:
    return not value


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "_<_": lambda a, b: a < b,
    "_<=_": lambda a, b: a <= b,
    "_>_": lambda a, b: a > b,
    "_>=_": lambda a, b: a >= b,
}
ORDERED = (bool, str, bytes, Timestamp, Duration)

for _name, _order in _ORDERS.items():
    for _type in ORDERED:
        standard(_name, _type, _type)(_order)
    for _number in NUMBERS:
        for _other in NUMBERS:
            standard(_name, _number, _other)(_order)


@standard("_==_", object, object, spends=True)
def equal(budget: Budget, a: Any, b: Any) -> bool:
    return equals(a, b, budget)


@standard("_!=_", object, object, spends=True)
def unequal(budget: Budget, a: Any, b: Any) -> bool:
    return not equals(a, b, budget)


@standard("@in", object, list, spends=True)
def in_list(budget: Budget, value: Any, items: list[Any]) -> bool:
    budget.spend(len(items))
    return any(equals(value, item, budget) for item in items)


@standard("@in", object, dict)
def in_map(value: Any, entries: dict[Any, Any]) -> bool:
    return is_key(value) and value in entries


@standard("_[_]", dict, object, spends=True)
def entry(_: Budget, entries: dict[Any, Any], key: Any) -> Any:
    if not is_key(key):
        raise CelError(f"no such overload: map[{type_name(key)}]")
    if key not in entries:
        raise CelError(f"no such key: {key}")
    return entries[key]


@standard("_[_]", list, int, spends=True)
@standard("_[_]", list, Uint, spends=True)
def element(_: Budget, items: list[Any], at: int) -> Any:
    if 0 <= at < len(items):
        return items[at]
    raise CelError(f"index out of bounds: {at}")


@standard("_[_]", list, float, spends=True)
def element_at_double(budget: Budget, items: list[Any], at: float) -> Any:
    if not at.is_integer():
        raise CelError(f"unsupported index value: {at}")
    return element(budget, items, int(at))
