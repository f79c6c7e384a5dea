"""Equality as JSON has it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given

from api.equality import equal
from tests.unit.api.objects import json_values


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), (0, False), ([1], [True]), ({"a": {"b": [0]}}, {"a": {"b": [False]}}), (None, False)]
)
def test_booleans_are_not_numbers(one: Any, other: Any) -> None:
    assert not equal(one, other)
    assert not equal(other, one)


@given(json_values, json_values)
def test_equal_is_what_is_written_alike(one: Any, other: Any) -> None:
    def text(value: Any) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)

    assert equal(one, other) == (text(one) == text(other))
    assert equal(one, orjson.loads(text(one)))
