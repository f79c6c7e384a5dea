"""Label and field selectors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.field import Path
from api.selectors import FieldSelector, LabelSelector, Requirement, SelectorError, validate_expression
from api.types import meta_v1

LABELS = {"app": "web", "tier": "front", "n": "7", "empty": ""}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app=db", False),
        ("app!=db", True),
        ("missing!=x", True),
        ("app in (web, db)", True),
        ("app notin (web)", False),
        ("missing notin (web)", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("n>6", True),
        ("n<7", False),
        ("app>1", False),
        ("empty=", True),
        ("empty in ()", True),
        ("app=", False),
        (" app = web , ! missing ", True),
        ("in=x", False),
    ],
)
def test_label_selectors(text: str, matches: bool) -> None:
    assert LabelSelector.parse(text).matches(LABELS) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=b,", "found '', expected: identifier after ','"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a in (", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("! =b", "unable to parse requirement: found '=', expected: identifier"),
        ("a,=b", "found '=', expected: identifier after ','"),
        ("-a=b", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'),
        ("a=b!", "found '!', expected: ',' or 'end of string'"),
        ("a=_b", 'unable to parse requirement: values[0][a]: Invalid value: "_b": a valid label must be an empty'),
        ("a>b", "the value must be an integer"),
    ],
)
def test_bad_label_selectors_say_why(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as raised:
        LabelSelector.parse(text)
    assert message in str(raised.value)


def test_object_form_as_dict_and_struct() -> None:
    as_dict: dict[str, Any] = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["back", "front"]}],
    }
    as_struct = meta_v1.LabelSelector(
        matchLabels={"app": "web"},
        matchExpressions=[meta_v1.LabelSelectorRequirement(key="tier", operator="In", values=["front", "back"])],
    )
    assert LabelSelector.of(as_dict) == LabelSelector.of(as_struct)
    assert LabelSelector.of(as_dict).matches(LABELS)
    assert str(LabelSelector.of(as_dict)) == "app=web,tier in (back,front)"


def test_nothing_and_everything() -> None:
    assert not LabelSelector.of(None).matches({})
    assert not LabelSelector.of(None).everything
    assert LabelSelector.of({}).matches({})
    assert LabelSelector.of({}).everything
    assert LabelSelector.of_map({"app": "web"}).matches(LABELS)
    assert not LabelSelector.of_map({"app": "web"}).matches(None)


def test_bad_object_forms() -> None:
    with pytest.raises(SelectorError, match='"Like" is not a valid label selector operator'):
        LabelSelector.of({"matchExpressions": [{"key": "a", "operator": "Like"}]})
    with pytest.raises(SelectorError, match="values set can't be empty"):
        LabelSelector.of({"matchExpressions": [{"key": "a", "operator": "In"}]})
    path = Path("spec") / "selector" / "matchExpressions" / 0
    (error,) = validate_expression({"key": "a", "operator": "In"}, path)
    assert error.message == (
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
    )
    assert validate_expression({"key": "a", "operator": "Exists", "values": ["x"]}, path)[0].type.words == "Forbidden"
    assert validate_expression({"key": "a", "operator": "Exists"}, path) == []


_KEYS = st.sampled_from(["a", "b.c", "x.io/y", "in"])
_VALUES = st.sampled_from(["", "v", "w-1", "7"])
_SETS = st.lists(_VALUES, min_size=1, unique=True).map(lambda values: tuple(sorted(values)))
_REQUIREMENTS = st.one_of(
    st.builds(Requirement, _KEYS, st.sampled_from(["in", "notin"]), _SETS),
    st.builds(Requirement, _KEYS, st.sampled_from(["exists", "!"])),
    st.builds(Requirement, _KEYS, st.sampled_from(["=", "!="]), _VALUES.map(lambda value: (value,))),
    st.builds(Requirement, _KEYS, st.sampled_from(["gt", "lt"]), st.integers(0, 9).map(lambda number: (str(number),))),
)


@given(st.lists(_REQUIREMENTS), st.dictionaries(_KEYS, _VALUES))
def test_the_text_form_means_the_same(requirements: list[Requirement], labels: dict[str, str]) -> None:
    selector = LabelSelector(tuple(requirements))
    again = LabelSelector.parse(str(selector))
    assert again.matches(labels) == selector.matches(labels)
    assert LabelSelector.parse(str(again)) == again


def test_field_selectors() -> None:
    fields = {"metadata.name": "x", "spec.nodeName": "n1", "status.phase": "Running"}
    assert FieldSelector.parse("spec.nodeName=n1,metadata.name!=y").matches(fields)
    assert not FieldSelector.parse("spec.nodeName==n2").matches(fields)
    assert FieldSelector.parse("").matches({})
    assert FieldSelector.parse("spec.nodeName=").matches({})
    assert FieldSelector.parse("status.phase!=Failed,spec.nodeName=n1").exact("spec.nodeName") == "n1"
    assert FieldSelector.parse("spec.nodeName!=n1").exact("spec.nodeName") is None


@pytest.mark.parametrize("text", ["spec.nodeName", "a=b\\x", "a=b=c", "a=b\\"])
def test_bad_field_selectors(text: str) -> None:
    with pytest.raises(SelectorError):
        FieldSelector.parse(text)


def test_unknown_fields_are_refused() -> None:
    selector = FieldSelector.parse("spec.colour=red")
    with pytest.raises(SelectorError, match=r"field label not supported: spec.colour"):
        selector.check(lambda name: name == "metadata.name")


@given(st.text(max_size=20))
def test_field_values_are_escaped(value: str) -> None:
    selector = FieldSelector.parse("a=" + value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\="))
    assert selector.exact("a") == value
    assert FieldSelector.parse(str(selector)) == selector


@given(st.text(alphabet="ab=!,()<> in", max_size=15))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    try:
        selector = LabelSelector.parse(text)
    except SelectorError:
        return
    assert LabelSelector.parse(str(selector)) == LabelSelector.parse(str(LabelSelector.parse(str(selector))))
