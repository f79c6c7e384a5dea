"""What expressions come to: examples of the CEL specification and of Kubernetes' documentation, by library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiserver import cel
from apiserver.cel.values import NONE, Duration, Optional, Timestamp, Uint

SELF: dict[str, Any] = {
    "name": "web",
    "count": 3,
    "ratio": 1.5,
    "on": True,
    "none": None,
    "ports": [80, 443],
    "labels": {"app": "web", "tier": "front"},
    "items": [{"n": "a", "v": 1}, {"n": "b", "v": 2}],
    "big": 9223372036854775807,
    "a-b": 1,
    "namespace": "default",
}


def value(expression: str) -> Any:
    return cel.compile(expression, variables={"self": None}).evaluate(self=SELF)


TRUE = Path(__file__).with_name("holds.txt").read_text()
"""Expressions that are true for SELF, a line each, in sections of a library each."""


def sections() -> Iterator[tuple[str, list[str]]]:
    for section in TRUE.split("\n\n"):
        name, *expressions = section.strip().splitlines()
        yield name.removeprefix("# "), expressions


@pytest.mark.parametrize(("library", "expressions"), list(sections()))
def test_what_holds(library: str, expressions: list[str]) -> None:
    assert {expression: value(expression) for expression in expressions} == dict.fromkeys(expressions, True)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1u + 2u", Uint(3)),
        ("self.ratio * 2.0", 3.0),
        ("timestamp('1970-01-01T00:00:01.5Z')", Timestamp(1_500_000_000)),
        ("duration('1.5s')", Duration(1_500_000_000)),
        ("self.?name", Optional(True, "web")),
        ("self.?other", NONE),
    ],
)
def test_what_comes_out(expression: str, expected: Any) -> None:
    found = value(expression)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("self.other", "no such key: other"),
        ("self.ports[2]", "index out of bounds: 2"),
        ("self.labels['x']", "no such key: x"),
        ("self.big + 1", "integer overflow"),
        ("-(-9223372036854775807 - 1)", "integer overflow"),
        ("0u - 1u", "unsigned integer overflow"),
        ("self.count / 0", "division by zero"),
        ("self.count % 0", "modulus by zero"),
        ("self.name + self.count", "no such overload: _+_(string, int)"),
        ("self.name && true", "no such overload: string is not a bool"),
        ("self.count.all(x, true)", "no such overload: comprehension over int"),
        ("int('x')", 'type conversion error: "x" is not a number'),
        ("timestamp('yesterday')", 'invalid timestamp "yesterday"'),
        ("duration('1d')", 'invalid duration "1d"'),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1h')", "timestamp overflow"),
        ("timestamp(0).getHours('Nowhere')", "unknown time zone Nowhere"),
        ("quantity('1ee')", "unable to parse quantity's suffix"),
        ("optional.none().value()", "optional.none() dereference"),
        ("{'a': 1, 'a': 2}", "Failed with repeated key: a"),
        ("'abc'.charAt(9)", "index out of range: 9"),
        ("'x'.matches('(')", "error parsing regexp: missing ): ("),
        ("[].min()", "min called on empty list"),
        ("'%d'.format(['x'])", "error during formatting: %d cannot show a value of type string"),
        ("'%s %s'.format(['x'])", "index 1 out of range"),
        ("{self.ports: 1}", "unsupported key type: list"),
        ("[1].transformMapEntry(i, v, self.name)", "no such overload: string is not a map"),
        ("self.name[?0]", "no such overload: _[?_](string, int)"),
        ("self.?count[?0]", "no such overload: _[?_](int, int)"),
    ],
)
def test_what_has_no_value(expression: str, message: str) -> None:
    program = cel.compile(expression, variables={"self": None})
    with pytest.raises(cel.CelError) as raised:
        program.evaluate(self=SELF)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("other", "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other\n | ^"),
        (
            "1 + 'a'",
            "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^",
        ),
        (
            "true &&\n  {'a': 1}.all(k, v, v > 'x')",
            "ERROR: <input>:2:24: found no matching overload for '_>_' applied to '(int, string)'\n"
            " |   {'a': 1}.all(k, v, v > 'x')\n | .......................^",
        ),
        ("x" * 100_001, "expression is longer than 100000 characters"),
        ("{quantity('1'): 1}", "Unsupported map key type: kubernetes.Quantity"),
        ("google.protobuf.Timestamp{}", "undeclared reference to 'google.protobuf.Timestamp' (in container '')"),
    ],
)
def test_what_does_not_compile(expression: str, message: str) -> None:
    with pytest.raises(cel.CelError) as raised:
        cel.compile(expression, variables={"self": None})
    assert str(raised.value) == message


def test_a_result_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(cel.CelError, match="must evaluate to bool but got int"):
        cel.compile("1", variables={}, returns="bool")
    assert cel.compile("1 == 1", variables={}, returns="bool").evaluate() is True


HOSTILE = {
    "loops": "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))",
    "growth": "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 12,
    "doubling": "cel.bind(a, self.t + self.t, cel.bind(b, a + a, cel.bind(c, b + b, (c + c + c + c).matches('x*y'))))",
    "equality": "self.l.all(a, self.l == self.l)",
    "joins": "self.l.map(a, self.t).join(self.t).size() > 0",
    "patterns": "self.l.all(a, !self.t.matches('(x+x+)+y'))",
    "sets": "sets.contains(self.l, self.l)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_expression_ends(name: str) -> None:
    program = cel.compile(HOSTILE[name], variables={"self": None})
    with pytest.raises(cel.BudgetExceeded):
        program.evaluate(self={"l": list(range(3000)), "t": "x" * 1_000_000})


def test_a_budget_can_be_shared() -> None:
    program = cel.compile("self.map(x, x + 1).size()", variables={"self": None})
    budget, numbers = cel.Budget(25_000), list(range(1000))
    assert program.evaluate(budget, self=numbers) == 1000
    assert 0 < budget.left < 24_000
    budget.left = 500
    with pytest.raises(cel.BudgetExceeded):
        program.evaluate(budget, self=numbers)
