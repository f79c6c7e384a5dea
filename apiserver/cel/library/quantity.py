"""Quantities: `quantity('1Gi')`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from api.quantity import QuantityError
from api.quantity import parse as parse_quantity
from apiserver.cel.functions import function, opaque
from apiserver.cel.operators import INT_MAX, INT_MIN
from apiserver.cel.values import CelError

_NAME = "kubernetes.Quantity"


@opaque(_NAME)
@dataclass(frozen=True, slots=True)
class Quantity:
    amount: Fraction


@function(_NAME, "quantity(string)")
def parse(text: str) -> Quantity:
    try:
        return Quantity(parse_quantity(text))
    except QuantityError as error:
        raise CelError(str(error)) from error


@function("bool", "isQuantity(string)")
def is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except QuantityError:
        return False
    return True


@function("bool", f"{_NAME}.isInteger()")
def is_integer(quantity: Quantity) -> bool:
    return quantity.amount.denominator == 1 and INT_MIN <= quantity.amount <= INT_MAX


@function("int", f"{_NAME}.asInteger()")
def as_integer(quantity: Quantity) -> int:
    if not is_integer(quantity):
        raise CelError("cannot convert value to integer")
    return int(quantity.amount)


@function("double", f"{_NAME}.asApproximateFloat()")
def as_float(quantity: Quantity) -> float:
    return float(quantity.amount)


@function("int", f"{_NAME}.sign()")
def sign(quantity: Quantity) -> int:
    return (quantity.amount > 0) - (quantity.amount < 0)


def _amount(other: Quantity | int) -> Fraction:
    return other.amount if isinstance(other, Quantity) else Fraction(other)


@function(_NAME, f"{_NAME}.add({_NAME})", f"{_NAME}.add(int)")
def add(quantity: Quantity, other: Quantity | int) -> Quantity:
    return Quantity(quantity.amount + _amount(other))


@function(_NAME, f"{_NAME}.sub({_NAME})", f"{_NAME}.sub(int)")
def sub(quantity: Quantity, other: Quantity | int) -> Quantity:
    return Quantity(quantity.amount - _amount(other))


@function("bool", f"{_NAME}.isLessThan({_NAME})")
def is_less(quantity: Quantity, other: Quantity) -> bool:
    return quantity.amount < other.amount


@function("bool", f"{_NAME}.isGreaterThan({_NAME})")
def is_greater(quantity: Quantity, other: Quantity) -> bool:
    return quantity.amount > other.amount


@function("int", f"{_NAME}.compareTo({_NAME})")
def compare(quantity: Quantity, other: Quantity) -> int:
    return (quantity.amount > other.amount) - (quantity.amount < other.amount)
