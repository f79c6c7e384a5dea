"""The table of the benchmarks: figures, ratios, verdicts."""

from __future__ import annotations

import math

import pytest

from bench.table import Row, amount, percentile, render


def test_verdicts() -> None:
    rate = Row("create", 800, "/s", 2000, "etcd", 1000, more_is_better=True)
    assert (rate.met, rate.verdict, rate.ratio) == (False, "missed: 1.25 × off", 0.4)
    time = Row("list", 0.05, "s", 0.04, "a file", 0.06)
    assert (time.met, time.verdict) == (True, "met")
    assert Row("list", 0.09, "s", 0.04, "a file", 0.06).verdict == "missed: 1.50 × off"
    assert math.isnan(Row("x", 1, "s", 0, "nothing", 1).ratio)


def test_the_table_reads_as_one() -> None:
    rows = [
        Row("create ConfigMaps", 1671.2, "/s", 2877, "puts to etcd", 1000, True, "p99 9.2 ms"),
        Row("LIST 5,000 pods", 0.0461, "s", 0.065, "a bare server", 0.06),
    ]
    assert render(rows).splitlines() == [
        "MEASURE            FIGURE   LIMIT    RATIO  GOAL       VERDICT  LIMIT IS       NOTE",
        "create ConfigMaps  1,671/s  2,877/s  0.58   ≥ 1,000/s  met      puts to etcd   p99 9.2 ms",
        "LIST 5,000 pods    0.046 s  0.065 s  0.71   ≤ 0.060 s  met      a bare server",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1234.4, "/s", "1,234/s"), (0.0123, "s", "0.012 s"), (12.34, "MB", "12.3 MB"), (3.0, "%", "3.00 %")],
)
def test_amounts_have_three_digits(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_percentiles() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (51.0, 100.0, 7.0)


def test_json_has_the_verdict() -> None:
    row = Row("create", 800, "/s", 2000, "etcd", 1000, more_is_better=True)
    assert row.json()["met"] is False
    assert row.json()["ratio"] == 0.4
