"""Our evaluation against Google's own, on random expressions: the same value, or an error in both.

Left out is what Go's implementation, which Kubernetes uses, does otherwise than the C++ one (`int(true)`,
`null in {}`), what has no order (the keys of a map with more than one), and optional values, at some of which theirs
crashes.
"""

from __future__ import annotations

import math
from typing import Any

from cel_expr_python import cel as google
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver import cel
from apiserver.cel.values import Duration, Timestamp, TypeValue, Uint

SELF = {"n": 3, "s": "abc", "l": [1, 2, 3], "m": {"a": 1}, "t": True, "d": 1.5, "z": None}
ERROR = object()

NUMBERS = ("0", "1", "-1", "2", "7", "1u", "2u", "0.5", "2.0", "9223372036854775807", "dyn(1)")
LITERALS = ("true", "false", "null", "''", "'a'", "'abc'", "[]", "[1,2]", "['a']", "{}", "{'a':1}", "{1:2}")
FIELDS = tuple(f"self.{name}" for name in ("n", "s", "l", "m", "m.a", "m.b", "t", "d", "z", "nope", "m.nope"))
TIMES = ("timestamp('2026-01-01T00:00:00Z')", "duration('1h')")
OPERATORS = ("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||")
CONVERSIONS = ("size({})", "uint({})", "double({})", "string({})", "bool({})", "dyn({})", "type({}) == int")
MEMBERS = ("{}[0]", "{}['a']", "{}.a", "has({}.a)", "{}.getHours()")
MAKERS = ("!{}", "-{}", "[{}]", "{{'k': {}}}", "{}.startsWith('a')", "{}.contains('b')")
FOLDS = tuple(
    f"{{}}.{fold}"
    for fold in (
        *("all(x, x == 1)", "all(x, 1 / x > 0)", "exists(x, x == 'a')", "exists_one(x, x == 1)"),
        *("map(x, x)", "map(x, x + x)", "filter(x, x != 1)", "map(x, x != 1, [x])"),
    )
)
ATOMS = st.sampled_from((*NUMBERS, *LITERALS, *FIELDS, *TIMES))
BINARY = st.sampled_from(OPERATORS)
UNARY = st.sampled_from((*CONVERSIONS, *MEMBERS, *MAKERS, *FOLDS))


def expressions() -> st.SearchStrategy[str]:
    return st.recursive(
        ATOMS,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, BINARY, inner),
            st.builds(lambda form, operand: f"({form.format(operand)})", UNARY, inner),
            st.builds("({} ? {} : {})".format, inner, inner, inner),
        ),
        max_leaves=6,
    )


ENVIRONMENT = google.NewEnv(variables={"self": google.Type.DYN})


def theirs(expression: str) -> Any:
    result = ENVIRONMENT.compile(expression).eval(data={"self": SELF})
    return ERROR if result.type() == google.Type.ERROR else result.plain_value()


def ours(expression: str) -> Any:
    try:
        return cel.compile(expression, variables={"self": None}).evaluate(self=SELF)
    except cel.CelError:
        return ERROR


def compiles(expression: str) -> bool:
    try:
        ENVIRONMENT.compile(expression)
    except RuntimeError:
        return False
    return True


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (Timestamp, Duration, TypeValue)):
        return b is not ERROR
    if isinstance(a, bytes):
        return a == bytes(b)
    if isinstance(a, Uint) or isinstance(b, Uint):
        return int(a) == int(b)
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and bool(a == b)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(expressions().map(lambda text: f"string(dyn({text}) == dyn({text})) + string(type({text}) == int)"))
def test_comparisons_are_the_same(expression: str) -> None:
    if compiles(expression):
        assert same(ours(expression), theirs(expression)), (ours(expression), theirs(expression))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(expressions())
def test_values_are_the_same(expression: str) -> None:
    if compiles(expression):
        assert same(ours(expression), theirs(expression)), (ours(expression), theirs(expression))
