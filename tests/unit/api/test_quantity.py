"""Quantities: exact inside, canonical outside."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import quantity


@pytest.mark.parametrize(
    ("text", "canonical", "amount"),
    [
        ("0", "0", 0),
        ("100m", "100m", Fraction(1, 10)),
        ("1000m", "1", 1),
        ("0.5", "500m", Fraction(1, 2)),
        (".5", "500m", Fraction(1, 2)),
        ("5.", "5", 5),
        ("1.5", "1500m", Fraction(3, 2)),
        ("64Mi", "64Mi", 64 << 20),
        ("1024Mi", "1Gi", 1 << 30),
        ("1.5Gi", "1536Mi", 3 << 29),
        ("0.1Gi", "107374182400m", Fraction(1 << 30, 10)),
        ("0.5Ki", "512", 512),
        ("1000k", "1M", 10**6),
        ("1e3", "1e3", 1000),
        ("12E6", "12e6", 12 * 10**6),
        ("1E", "1E", 10**18),
        ("-1500m", "-1500m", Fraction(-3, 2)),
        ("+1", "1", 1),
        ("m", "0", 0),
        (".", "0", 0),
        ("0.1n", "1n", Fraction(1, 10**9)),
        ("100000000000E", "9223372036854775807", 2**63 - 1),
    ],
)
def test_known_quantities(text: str, canonical: str, amount: Fraction) -> None:
    assert quantity.canonical(text) == canonical
    assert quantity.parse(text) == amount


def test_numbers_are_quantities() -> None:
    assert quantity.canonical(2) == "2"
    assert quantity.canonical(0.5) == "500m"
    assert quantity.canonical(1000) == "1k"


@pytest.mark.parametrize("text", ["", " ", "x", "1x", "1 Gi", "1.2.3", "1,5", "٣"])
def test_what_has_no_shape_is_refused_with_the_pattern(text: str) -> None:
    with pytest.raises(quantity.QuantityError, match="must match the regular expression"):
        quantity.parse(text)


@pytest.mark.parametrize("text", ["1mm", "1Mm", "1ki", "1e", "--1"])
def test_unknown_suffixes(text: str) -> None:
    with pytest.raises(quantity.QuantityError, match="unable to parse quantity's suffix"):
        quantity.parse(text)


def test_rounding_is_up() -> None:
    assert quantity.milli("0.0001") == 1
    assert quantity.value("100m") == 1
    assert quantity.value("1Ki") == 1024
    assert quantity.milli("2") == 2000
    assert quantity.value("-1500m") == -1


def test_formats() -> None:
    assert quantity.format_bytes(64 << 20) == "64Mi"
    assert quantity.format_bytes(1000) == "1000"
    assert quantity.format_bytes(1025) == "1025"
    assert quantity.format_milli(1500) == "1500m"
    assert quantity.format_milli(2000) == "2"


_SUFFIXES = st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "e2", "E-3"])


@given(st.integers(-(10**6), 10**6), st.integers(0, 999), _SUFFIXES)
def test_the_canonical_form_is_the_same_amount_and_its_own_canonical_form(
    whole: int, decimals: int, suffix: str
) -> None:
    text = f"{whole}.{decimals:03d}{suffix}"
    canonical = quantity.canonical(text)
    assert quantity.canonical(canonical) == canonical
    assert "." not in canonical
    assert abs(quantity.parse(canonical) - quantity.parse(text)) < Fraction(1, 10**9)


@given(st.text(alphabet="0123456789.eEinumkKMGTP+-", max_size=12))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        amount = quantity.parse(text)
    except quantity.QuantityError:
        return
    assert quantity.parse(quantity.canonical(text)) == amount
