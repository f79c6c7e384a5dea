"""Which objects are meant: label selectors (text and object form) and field selectors.

A selector is parsed once and asked many times, so that `matches` does no parsing. `str()` gives the canonical text,
which parses back to an equal selector.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from api import names
from api.field import FieldError, Path, forbidden, invalid, quote, required
from api.metadata import get

Operator = Literal["in", "notin", "=", "==", "!=", "exists", "!", "gt", "lt"]

_TOKEN = re.compile(r"\s*(?:(==|!=|=|!|,|\(|\)|>|<)|([^\s=!,()<>]+))")
_OPERATORS = "in, notin, =, ==, !=, gt, lt"


class SelectorError(ValueError):
    """A text or object that is no selector; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition. `values` are sorted; exists and ! have none."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        operator = self.operator
        if operator in ("=", "in", "=="):
            return value in self.values
        if operator in ("!=", "notin"):
            return value not in self.values
        if operator == "exists":
            return value is not None
        return value is None if operator == "!" else _compares(value, operator, self.values[0])

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case "gt":
                return f"{self.key}>{self.values[0]}"
            case "lt":
                return f"{self.key}<{self.values[0]}"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


def _compares(value: str | None, operator: str, limit: str) -> bool:
    try:
        number = int(value) if value is not None else None
    except ValueError:
        return False
    if number is None:
        return False
    return number > int(limit) if operator == "gt" else number < int(limit)


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Conditions on labels, all of which must hold. `nothing` marks the selector that no object matches."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """`a=b,c in (d,e),!f`; the empty text matches everything. Raises SelectorError."""
        return cls(tuple(sorted(_Parser(text).requirements(), key=lambda each: each.key)))

    @classmethod
    def of(cls, selector: Any) -> LabelSelector:
        """A metav1.LabelSelector as dict or struct: None matches nothing, an empty one everything.

        Raises SelectorError for an operator or values that make no sense.
        """
        if selector is None:
            return NOTHING
        labels: Mapping[str, str] = get(selector, "matchLabels") or {}
        found = [Requirement(key, "in", (value,)) for key, value in sorted(labels.items())]
        found.extend(_expression(each) for each in get(selector, "matchExpressions") or ())
        return cls(tuple(sorted(found, key=lambda each: each.key)))

    @classmethod
    def of_map(cls, labels: Mapping[str, str] | None) -> LabelSelector:
        """A plain map of labels (a Service's selector): every pair must be there; an empty map matches everything."""
        return cls(tuple(Requirement(key, "=", (value,)) for key, value in sorted((labels or {}).items())))

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        have = labels or {}
        for requirement in self.requirements:  # asked for every pod by every controller: no generator  # noqa: SIM110
            if not requirement.matches(have):
                return False
        return True

    @property
    def everything(self) -> bool:
        return not self.requirements and not self.nothing

    def __str__(self) -> str:
        """The text form: `matchLabels` and one-value `in` are written `key=value`."""
        return ",".join(str(_plain(requirement)) for requirement in self.requirements)


NOTHING = LabelSelector(nothing=True)
EVERYTHING = LabelSelector()


def _plain(requirement: Requirement) -> Requirement:
    if requirement.operator == "in" and len(requirement.values) == 1:
        return Requirement(requirement.key, "=", requirement.values)
    return requirement


def _expression(expression: Any) -> Requirement:
    key, operator = get(expression, "key") or "", get(expression, "operator") or ""
    values = tuple(sorted(get(expression, "values") or ()))
    match operator:
        case "In" | "NotIn":
            return _checked(key, "in" if operator == "In" else "notin", values)
        case "Exists" | "DoesNotExist":
            return _checked(key, "exists" if operator == "Exists" else "!", values)
        case _:
            raise SelectorError(f"{quote(operator)} is not a valid label selector operator")


def _checked(key: str, operator: Operator, values: tuple[str, ...]) -> Requirement:
    """A requirement whose key, values and operator fit together. Raises SelectorError."""
    wrong = names.qualified_name(key)
    if wrong:
        raise SelectorError(invalid(Path(), key, "; ".join(wrong)).message)
    path = Path("values")
    if operator in ("in", "notin") and not values:
        raise SelectorError(required(path, "for 'in', 'notin' operators, values set can't be empty").message)
    if operator in ("exists", "!") and values:
        text = "values set must be empty for exists and does not exist"
        raise SelectorError(invalid(path, list(values), text).message)
    if operator in ("gt", "lt"):
        _check_number(path, values)
    for index, value in enumerate(values):
        wrong = names.label_value(value)
        if wrong:
            raise SelectorError(invalid((path / index).key(key), value, "; ".join(wrong)).message)
    return Requirement(key, operator, values)


def _check_number(path: Path, values: tuple[str, ...]) -> None:
    if len(values) != 1:
        text = "for 'Gt', 'Lt' operators, exactly one value is required"
        raise SelectorError(invalid(path, list(values), text).message)
    if not re.fullmatch(r"[+-]?[0-9]+", values[0]):
        text = "for 'Gt', 'Lt' operators, the value must be an integer"
        raise SelectorError(invalid(path / 0, values[0], text).message)


class _Parser:
    """The text form, by recursive descent over its tokens. The error texts are the API's."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        position, text = 0, text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise SelectorError(f"found '{text[position]}', expected: !, identifier, or 'end of string'")
            self.tokens.append(match[1] or match[2])
            position = match.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        if not self.tokens:
            return found
        if self.peek() in _SYMBOLS - {"!"}:
            raise SelectorError(f"found '{self.peek()}', expected: !, identifier, or 'end of string'")
        while True:
            try:
                found.append(self.requirement())
            except SelectorError as problem:
                raise SelectorError(f"unable to parse requirement: {problem}") from problem
            token = self.take()
            if not token:
                return found
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or 'end of string'")
            if self.peek() in _SYMBOLS - {"!"}:
                raise SelectorError(f"found '{self.peek()}', expected: identifier after ','")

    def requirement(self) -> Requirement:
        if self.peek() == "!":
            self.take()
            return _checked(self.identifier(), "!", ())
        key = self.identifier()
        if self.peek() in ("", ","):
            return _checked(key, "exists", ())
        operator = self.take()
        if operator in ("in", "notin"):
            return _checked(key, "in" if operator == "in" else "notin", self.values())
        if operator not in _BINARY:
            raise SelectorError(f"found '{operator}', expected: {_OPERATORS}")
        return _checked(key, _BINARY[operator], (self.exact_value(),))

    def identifier(self) -> str:
        token = self.take()
        if token in _SYMBOLS:
            raise SelectorError(f"found '{token}', expected: identifier")
        return token

    def exact_value(self) -> str:
        token = self.peek()
        if token in ("", ","):
            return ""
        if token in _SYMBOLS:
            raise SelectorError(f"found '{token}', expected: identifier")
        return self.take()

    def values(self) -> tuple[str, ...]:
        """`(a,b)`; an empty place is an empty value."""
        token = self.take()
        if token != "(":
            raise SelectorError(f"found '{token}' expected: '('")
        found: set[str] = set()
        while True:
            token = self.peek()
            if token in _SYMBOLS - {",", ")"}:
                raise SelectorError(f"found '{token}', expected: ',', or identifier")
            found.add("" if token in (",", ")") else self.take())
            token = self.take()
            if token == ")":
                return tuple(sorted(found))
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or ')'")


_BINARY: dict[str, Operator] = {"=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_SYMBOLS = frozenset({"", "=", "==", "!=", "!", ",", "(", ")", ">", "<"})


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """`field = value` or `field != value`."""

    field: str
    negated: bool
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        return (fields.get(self.field, "") == self.value) is not self.negated

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{self.field}{'!=' if self.negated else '='}{value}"


_FIELD_SPLIT = re.compile(r"(?:[^\\,]|\\.|\\\Z)+", re.DOTALL)
_FIELD_TERM = re.compile(r"((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)(.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Conditions on an object's fields, all of which must hold. A field that is not there is the empty string."""

    requirements: tuple[FieldRequirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FieldSelector:
        """`spec.nodeName=x,metadata.name!=y`. Raises SelectorError."""
        return cls(tuple(_field_term(term) for term in _FIELD_SPLIT.findall(text)))

    def matches(self, fields: Mapping[str, str]) -> bool:
        return all(requirement.matches(fields) for requirement in self.requirements)

    def exact(self, field: str) -> str | None:
        """The value that `field` must have, if the selector says so."""
        for requirement in self.requirements:
            if requirement.field == field and not requirement.negated:
                return requirement.value
        return None

    def check(self, known: Callable[[str], bool]) -> None:
        """Raises SelectorError for a field the kind cannot be selected by."""
        for requirement in self.requirements:
            if not known(requirement.field):
                raise SelectorError(f"field label not supported: {requirement.field}")

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def _field_term(term: str) -> FieldRequirement:
    match = _FIELD_TERM.match(term)
    if match is None:
        raise SelectorError(f"invalid selector: '{term}'; can't understand '{term}'")
    field, operator, value = match.groups()
    return FieldRequirement(field.strip(), operator == "!=", _unescape(value))


_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_UNESCAPED_EQUALS = re.compile(r"(?:[^\\=]|\\.)*=", re.DOTALL)


def _unescape(value: str) -> str:
    if any(char not in ("\\", ",", "=") for char in _ESCAPE.findall(value)):
        raise SelectorError(f"invalid field selector: invalid escape sequence in {quote(value)}")
    if _UNESCAPED_EQUALS.match(value):
        raise SelectorError(f"invalid field selector: unescaped '=' in {quote(value)}")
    return _ESCAPE.sub(r"\1", value)


def validate_expression(expression: Any, path: Path) -> list[FieldError]:
    """What is wrong with one `matchExpressions` entry, as field errors below `path`."""
    operator = get(expression, "operator") or ""
    values = get(expression, "values") or ()
    errors: list[FieldError] = []
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(path / "values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            errors.append(
                forbidden(path / "values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
            )
    else:
        errors.append(invalid(path / "operator", operator, "not a valid selector operator"))
    return errors
