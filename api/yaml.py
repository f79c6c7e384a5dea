"""YAML as Kubernetes reads it: the JSON subset of YAML 1.1, where only what looks like a JSON value is not a string.

Dates, base-60 numbers and the like, which YAML 1.1 would turn into other types, stay strings; keys become strings. The
size of what aliases expand to is bounded, so that a small text cannot fill the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from api.codec import MalformedBody, no_object

_EXPANDED_LIMIT = 500_000
_DEPTH_LIMIT = 500


class Loader(yaml.CSafeLoader):
    """A safe loader with JSON's types. `duplicates` collects what mappings say twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, stream: str | bytes) -> None:
        super().__init__(stream)
        self.duplicates: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """With string keys from the start: 1 and true are equal as Python's keys, but not as JSON's."""
        self._find_duplicates(node)
        self.flatten_mapping(node)
        return {
            _key(self.construct_object(key, deep=True)): self.construct_object(value, deep=deep)
            for key, value in node.value
        }

    def _find_duplicates(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    self.duplicates.append(f'line {key.start_mark.line + 1}: key "{key.value}" already set in map')
                seen.add(key.value)


def _number(loader: Loader, node: yaml.ScalarNode) -> int | float:
    text = node.value.replace("_", "").lower()
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    if len(digits) > 1 and digits[0] == "0" and digits.isdigit() and not set(digits) & {"8", "9"}:
        return sign * int(digits, 8)
    return sign * int(digits)


def _float(loader: Loader, node: yaml.ScalarNode) -> float:
    return float(node.value.replace("_", ""))


def _resolve(tag: str, pattern: str, first: str) -> None:
    """Plain scalars that match are of this type; `first` has the characters they may start with (space: nothing)."""
    starts = ["" if char == " " else char for char in first]
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), starts)


_resolve("bool", r"(?:true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)\Z", "tTfFyYnNoO")
_resolve("null", r"(?:~|null|Null|NULL|)\Z", "~nN ")
_resolve("int", r"[-+]?(?:0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*)\Z", "-+0123456789")
_resolve(
    "float",
    r"[-+]?(?:(?:\.[0-9]+|[0-9][0-9_]*\.[0-9_]*)(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+)\Z",
    "-+0123456789.",
)
_resolve("merge", r"<<\Z", "<")
Loader.add_constructor("tag:yaml.org,2002:int", _number)
Loader.add_constructor("tag:yaml.org,2002:float", _float)


def documents(text: str | bytes) -> Iterator[Any]:
    """The documents of a YAML stream (or of JSON, which is YAML), as JSON values; empty ones are left out.

    Raises MalformedBody with the parser's reason.
    """
    loader = Loader(text)
    try:
        while loader.check_data():  # type: ignore[no-untyped-call]
            value = _jsonable(loader.get_data())
            if value is not None:
                yield value
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise _malformed(problem) from problem
    finally:
        loader.dispose()


def decode_yaml(body: bytes) -> dict[str, Any]:
    """The first document, which must be a mapping. Raises MalformedBody."""
    value = next(documents(body), None)
    if not isinstance(value, dict):
        name = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(value), "number")
        raise MalformedBody(no_object(name))
    return value


def duplicate_keys(body: bytes) -> list[str]:
    """What the first document says twice, as the strict decoder reports it. The body must be YAML."""
    loader = Loader(body)
    try:
        if loader.check_data():  # type: ignore[no-untyped-call]
            loader.get_data()
        return ["yaml: unmarshal errors:\n  " + "\n  ".join(loader.duplicates)] if loader.duplicates else []
    finally:
        loader.dispose()


def _malformed(problem: Exception) -> MalformedBody:
    if isinstance(problem, MalformedBody):
        return problem
    if isinstance(problem, RecursionError):
        return MalformedBody("error converting YAML to JSON: yaml: document is nested too deeply")
    mark = getattr(problem, "problem_mark", None)
    reason = getattr(problem, "problem", None) or str(problem)
    line = f"line {mark.line + 1}: " if mark is not None else ""
    return MalformedBody(f"error converting YAML to JSON: yaml: {line}{reason}")


def _jsonable(value: Any) -> Any:
    """With string keys and JSON's types only, and no larger than aliases may make it. Raises MalformedBody."""
    budget = _Budget(_EXPANDED_LIMIT)
    return budget.copy(value, 0)


class _Budget:
    """How many nodes a document may still have when its aliases are written out."""

    def __init__(self, nodes: int) -> None:
        self.left = nodes

    def copy(self, value: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > _DEPTH_LIMIT:
            raise MalformedBody("error converting YAML to JSON: yaml: document contains excessive aliasing")
        if isinstance(value, dict):
            return {key: self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.copy(item, depth + 1) for item in value]
        if isinstance(value, int) and not -(1 << 63) <= value < (1 << 64):
            return float(value)
        return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        return "null"
    return key if isinstance(key, str) else str(key)
