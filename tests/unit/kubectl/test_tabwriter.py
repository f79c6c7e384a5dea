from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl.output.tabwriter import Columns, align, display_width


def test_a_block_of_lines_shares_its_columns_and_other_blocks_have_their_own() -> None:
    text = "Name:\tweb\nNamespace:\tdefault\nContainers:\n  a:\tlong value\n  bbbbbbbb:\tx"
    assert align(text) == "Name:       web\nNamespace:  default\nContainers:\n  a:         long value\n  bbbbbbbb:  x"


def test_an_empty_cell_still_takes_its_place() -> None:
    assert align("Labels:\ta=b\n\tc=d") == "Labels:  a=b\n         c=d"


def test_tables_have_three_spaces_between_and_columns_of_six_at_least() -> None:
    assert Columns().lines([["A", "B"], ["x", "y"]]) == ["A     B", "x     y"]
    assert Columns().lines([["NAME", "AGE"], ["hello-1", "5s"]]) == ["NAME      AGE", "hello-1   5s"]


def test_later_rows_keep_the_widths_of_earlier_ones() -> None:
    columns = Columns()
    columns.lines([["NAME", "AGE"], ["a-long-name", "5s"]])
    assert columns.lines([["b", "1s"]]) == ["b             1s"]


def test_wide_characters_take_two_columns() -> None:
    assert display_width("日本") == 4
    assert Columns(padding=1, minimum=0).lines([["日本", "x"], ["abcd", "y"]]) == ["日本 x", "abcd y"]


@given(st.lists(st.lists(st.text("ab\t ", max_size=8).map(lambda s: s.replace("\t", "")), min_size=2, max_size=2)))
def test_every_last_cell_of_a_table_starts_in_the_same_column(rows: list[list[str]]) -> None:
    lines = Columns().lines([[first, "|" + last] for first, last in rows])
    assert len({line.index("|") for line in lines}) <= 1
