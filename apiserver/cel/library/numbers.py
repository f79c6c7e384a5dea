"""`math`: the least and the greatest, rounding, bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from apiserver.cel.functions import standard
from apiserver.cel.operators import to_int
from apiserver.cel.values import NUMBERS, CelError, Uint

_BITS = (1 << 64) - 1


def _signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


def _extreme(name: str, choose: Callable[..., Any]) -> None:
    for one in NUMBERS:
        standard(name, one)(lambda value: value)
        for two in NUMBERS:
            standard(name, one, two)(lambda a, b: choose(a, b))

    @standard(name, list)
    def of_list(items: list[Any]) -> Any:
        if not items or not all(type(item) in NUMBERS for item in items):
            raise CelError(f"no such overload: {name} takes a list of numbers that is not empty")
        return choose(items)


_extreme("math.@max", max)
_extreme("math.@min", min)

_ROUNDINGS: dict[str, Callable[[float], float]] = {
    "ceil": math.ceil,
    "floor": math.floor,
    "trunc": math.trunc,
    "round": lambda number: math.copysign(math.floor(abs(number) + 0.5), number),
}


def _rounding(name: str, compute: Callable[[float], float]) -> None:
    standard(f"math.{name}", float)(lambda number: float(compute(number)) if math.isfinite(number) else number)


for _name, _compute in _ROUNDINGS.items():
    _rounding(_name, _compute)

standard("math.isInf", float)(math.isinf)
standard("math.isNaN", float)(math.isnan)
standard("math.isFinite", float)(math.isfinite)
standard("math.abs", int)(lambda number: to_int(abs(number)))
standard("math.abs", Uint)(lambda number: number)
standard("math.abs", float)(abs)
standard("math.sign", int)(lambda number: (number > 0) - (number < 0))
standard("math.sign", Uint)(lambda number: Uint(number > 0))
standard("math.sign", float)(lambda number: math.nan if math.isnan(number) else float((number > 0) - (number < 0)))
for _type in NUMBERS:
    standard("math.sqrt", _type)(lambda number: math.sqrt(number) if number >= 0 else math.nan)

_BITWISE: dict[str, Callable[[int, int], int]] = {
    "bitAnd": lambda a, b: a & b,
    "bitOr": lambda a, b: a | b,
    "bitXor": lambda a, b: a ^ b,
}


def _bitwise(name: str, compute: Callable[[int, int], int]) -> None:
    standard(f"math.{name}", int, int)(lambda a, b: _signed(compute(a & _BITS, b & _BITS)))
    standard(f"math.{name}", Uint, Uint)(lambda a, b: Uint(compute(int(a), int(b))))


for _name, _combine in _BITWISE.items():
    _bitwise(_name, _combine)

standard("math.bitNot", int)(lambda number: _signed(~number & _BITS))
standard("math.bitNot", Uint)(lambda number: Uint(~int(number) & _BITS))


def _distance(by: int) -> int:
    if by < 0:
        raise CelError(f"negative offset: {by}")
    return min(by, 64)


standard("math.bitShiftLeft", int, int)(lambda number, by: _signed((number & _BITS) << _distance(by) & _BITS))
standard("math.bitShiftLeft", Uint, int)(lambda number, by: Uint(int(number) << _distance(by) & _BITS))
standard("math.bitShiftRight", int, int)(lambda number, by: _signed((number & _BITS) >> _distance(by)))
standard("math.bitShiftRight", Uint, int)(lambda number, by: Uint(int(number) >> _distance(by)))
