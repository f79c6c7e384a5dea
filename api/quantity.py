"""Amounts of a resource: `100m`, `64Mi`, `1.5`, `2e3`. Exact, as fractions; rounded only when asked for.

The canonical form is the API's: no fractional digits, the largest suffix that keeps the number whole, never finer than
10⁻⁹, and the family of suffixes (binary, decimal, exponent) that the amount was written in.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

PATTERN = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
FORMAT_ERROR = f"quantities must match the regular expression '{PATTERN}'"
NUMERIC_ERROR = "unable to parse numeric part of quantity"
SUFFIX_ERROR = "unable to parse quantity's suffix"

Amount = str | int | float | Fraction

_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)\Z", re.ASCII)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,5})\Z", re.ASCII)
_BINARY = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_NAMES = {exponent: name for name, exponent in _BINARY.items()} | {0: ""}
_DECIMAL_NAMES = {exponent: name for name, exponent in _DECIMAL.items()}

_MAX = Fraction(2**63 - 1)
_NANO = Fraction(1, 10**9)


class QuantityError(ValueError):
    """A text that is no quantity; the message is the API's."""


def _split(text: str) -> tuple[Fraction, str]:
    """(number, suffix). Raises QuantityError."""
    if not text:
        raise QuantityError(FORMAT_ERROR)
    match = _SHAPE.match(text)
    if match is None:
        raise QuantityError(FORMAT_ERROR)
    sign, whole, decimals, suffix = match.groups()
    digits = (whole or "") + (decimals or "")
    number = Fraction(int(digits or "0"), 10 ** len(decimals or ""))  # no digits at all are zero: `m`, `.`
    return (-number if sign == "-" else number), suffix or ""


def _scaled(number: Fraction, suffix: str) -> tuple[Fraction, str]:
    """(amount, family). Raises QuantityError for an unknown suffix."""
    if suffix in _BINARY:
        amount = number * (1 << _BINARY[suffix])
        return amount, "decimal" if 0 < amount < 1 else "binary"
    if suffix in _DECIMAL:
        return number * Fraction(10) ** _DECIMAL[suffix], "decimal"
    exponent = _EXPONENT.match(suffix)
    if exponent is None:
        raise QuantityError(SUFFIX_ERROR)
    power = max(-64, min(64, int(exponent[1])))
    return number * Fraction(10) ** power, "exponent"


def _fit(amount: Fraction) -> Fraction:
    """Within ±(2⁶³ - 1), and no finer than 10⁻⁹ (rounded away from zero)."""
    if abs(amount) >= _MAX:
        return _MAX if amount > 0 else -_MAX
    nanos = amount / _NANO
    if nanos.denominator == 1:
        return amount
    return -_floor(-nanos) * _NANO if amount > 0 else _floor(nanos) * _NANO


def _floor(number: Fraction) -> int:
    return number.numerator // number.denominator


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Fraction, str]:
    amount, family = _scaled(*_split(text))
    return _fit(amount), family


def parse(value: Amount) -> Fraction:
    """The exact amount. Raises QuantityError (a ValueError)."""
    if isinstance(value, str):
        return _parse(value)[0]
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise QuantityError(FORMAT_ERROR)
    return _parse(repr(value))[0] if isinstance(value, float) else Fraction(value)


def _ceiling(number: Fraction) -> int:
    return -_floor(-number)


def milli(value: Amount) -> int:
    """In thousandths, rounded up: `100m` of CPU is 100."""
    return _ceiling(parse(value) * 1000)


def value(value: Amount) -> int:
    """In units, rounded up: `1Ki` is 1024, `100m` is 1."""
    return _ceiling(parse(value))


def canonical(value: Amount) -> str:
    """The form the API stores and shows: `1000m` → `1`, `0.5` → `500m`, `1024Mi` → `1Gi`. Raises QuantityError."""
    if isinstance(value, str):
        return _canonical(value)
    if isinstance(value, float):
        return _canonical(repr(value))
    return _decimal(_fit(parse(value)), "decimal")


def plus(first: Amount, second: Amount) -> str:
    """The sum, in the manner in which the first is written: `1Gi` and `512Mi` are `1536Mi`. Raises QuantityError."""
    return _sum(first, second, 1)


def minus(first: Amount, second: Amount) -> str:
    """The difference, in the manner in which the first is written. Raises QuantityError."""
    return _sum(first, second, -1)


def _sum(first: Amount, second: Amount, sign: int) -> str:
    (amount, family), (other, other_family) = _parse(str(first)), _parse(str(second))
    return _written(_fit(amount + sign * other), family if amount else other_family)


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    return _written(*_parse(text))


def _written(amount: Fraction, family: str) -> str:
    if family == "binary" and amount.denominator == 1 and abs(amount) >= 1024:
        return _binary(int(amount))
    return _decimal(amount, "decimal" if family == "binary" else family)


def _binary(amount: int) -> str:
    exponent = 0
    while exponent < 60 and amount % 1024 == 0:
        amount //= 1024
        exponent += 10
    return f"{amount}{_BINARY_NAMES[exponent]}"


def _decimal(amount: Fraction, family: str) -> str:
    if not amount:
        return "0"
    exponent = -9
    number = int(amount / _NANO)
    while number % 1000 == 0 and exponent < 18:
        number //= 1000
        exponent += 3
    if family == "exponent":
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_DECIMAL_NAMES[exponent]}"


def format_bytes(count: int) -> str:
    """A number of bytes in the largest binary unit that keeps it whole: 67108864 → `64Mi`."""
    return _binary(count) if abs(count) >= 1024 else str(count)


def format_milli(thousandths: int) -> str:
    """Thousandths (of a CPU) in canonical form: 1500 → `1500m`, 2000 → `2`."""
    return _decimal(Fraction(thousandths, 1000), "decimal")
