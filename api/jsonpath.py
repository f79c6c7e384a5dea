"""JSONPath templates as `kubectl -o jsonpath` takes them: `{.items[*].metadata.name}`, `{range …}{end}`, filters.

Printer columns of custom resources are such paths, too.

A template is text with expressions in braces. An expression walks from the current object (`.`/`@`) or the root (`$`);
each step maps a list of values to a list of values, so `[*]` and `..` need no special case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


class JsonPathError(ValueError):
    """A path that does not parse, or leads outside of a list."""


Values = list[Any]
Step = Callable[[Values, Any], Values]


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Expression:
    from_root: bool
    steps: tuple[Step, ...]

    def values(self, root: Any, here: Any) -> Values:
        found: Values = [root if self.from_root else here]
        for step in self.steps:
            found = step(found, root)
        return found


@dataclass(frozen=True)
class Range:
    over: Expression
    body: tuple[Node, ...]


Node = Text | Expression | Range


class Template:
    """A parsed template. Raises JsonPathError when it does not parse."""

    def __init__(self, text: str) -> None:
        from api.jsonpath_parser import parse

        self.text = text
        self.nodes = parse(text)

    def render(self, obj: Any) -> str:
        """Raises JsonPathError for an index outside of its list."""
        try:
            return "".join(self._render(self.nodes, obj, obj))
        except JsonPathError as problem:
            what = f'error executing jsonpath "{self.text}": Error executing template: {problem}'
            raise JsonPathError(what) from problem

    def values(self, obj: Any) -> Values:
        """What the expressions find, for columns, sorting and waiting."""
        return [v for node in self.nodes if isinstance(node, Expression) for v in node.values(obj, obj)]

    def _render(self, nodes: Iterable[Node], root: Any, here: Any) -> Iterable[str]:
        for node in nodes:
            if isinstance(node, Text):
                yield node.text
            elif isinstance(node, Expression):
                yield " ".join(show(value) for value in node.values(root, here))
            else:
                for item in node.over.values(root, here):
                    yield from self._render(node.body, root, item)


def relaxed(text: str) -> str:
    """`.metadata.name`, `metadata.name` and `{.metadata.name}` are all the last one."""
    match = re.fullmatch(r"\{?\.?([^{}]*)\}?", text, re.DOTALL)
    if match is None:
        raise JsonPathError(
            f"unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{{name1.name2}}' or "
            f"'{{.name1.name2}}', got {text!r}"
        )
    inner = match[1]
    return f"{{{inner}}}" if inner.startswith(("[", "$", "@")) else f"{{.{inner}}}"


def show(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


# The steps.


def child(name: str) -> Step:
    def step(found: Values, root: Any) -> Values:
        return [value[name] for value in found if isinstance(value, dict) and name in value]

    return step


def everything(found: Values, root: Any) -> Values:
    return [item for value in found for item in members(value)]


def members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def descend(found: Values, root: Any) -> Values:
    """The values themselves and all below them, depth first."""
    result: Values = []
    for value in found:
        result.append(value)
        result.extend(descend(list(members(value)), root))
    return result


def cut(start: int | None, end: int | None, stride: int | None, single: bool) -> Step:
    def step(found: Values, root: Any) -> Values:
        result: Values = []
        for value in found:
            if not isinstance(value, list):
                continue
            if not single:
                result.extend(value[start:end:stride])
                continue
            index = start or 0
            if not -len(value) <= index < len(value):
                raise JsonPathError(f"array index out of bounds: index {index}, length {len(value)}")
            result.append(value[index])
        return result

    return step


def union(parts: tuple[Step, ...]) -> Step:
    def step(found: Values, root: Any) -> Values:
        return [item for part in parts for item in part(found, root)]

    return step


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def keep(left: Expression, operator: str, right: Expression | Any) -> Step:
    """A filter `[?(@.type=="Ready")]`; without an operator: those that have the path."""

    def passes(item: Any, root: Any) -> bool:
        a = left.values(root, item)
        if not operator:
            return bool(a)
        b = right.values(root, item) if isinstance(right, Expression) else [right]
        if not a or not b:
            return False
        try:
            return _COMPARE[operator](a[0], b[0])
        except TypeError:
            return False

    def step(found: Values, root: Any) -> Values:
        return [item for value in found for item in members(value) if passes(item, root)]

    return step
