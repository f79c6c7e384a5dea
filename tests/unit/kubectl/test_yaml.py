from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl.output.yaml import dump


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("true", '"true"'),
        ("1e3", '"1e3"'),
        ("2026-11-22T11:00:00Z", '"2026-11-22T11:00:00Z"'),
        ("2026-11-22", '"2026-11-22"'),
        ("no", '"no"'),
        ("", '""'),
        ("null", '"null"'),
        ("10:20", '"10:20"'),
        ("0x1f", '"0x1f"'),
        ("1_000", '"1_000"'),
        ("x: y", "'x: y'"),
        ("it's", "it's"),
        (" lead", "' lead'"),
        ("plain", "plain"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb", "|-\n  a\n  b"),
        ("é", "é"),
        ({}, "{}"),
        ([], "[]"),
        (None, "null"),
        (True, "true"),
    ],
)
def test_scalars_look_as_kubectl_writes_them(value: Any, text: str) -> None:
    assert dump({"k": value}) == f"k: {text}\n"


def test_keys_are_sorted_and_lists_stand_under_their_key() -> None:
    assert dump({"b": [{"z": 1, "x": 2}], "a": 1}) == "a: 1\nb:\n- x: 2\n  z: 1\n"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text("abcyn01", max_size=3), inside, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert yaml.safe_load(dump({"k": value})) == {"k": value}
