"""Which Python function stands behind a CEL function for which types of arguments.

`function` declares and implements at once: its signatures (`list<~A>.indexOf(~A)`, `sets.contains(list<~A>, list<~A>)`)
go to the checker (`checker.py`), the decorated function to the table here. What the library declares itself, CEL's
standard functions, is only implemented (`standard`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apiserver.cel.values import NAMES, Budget, CelError, Duration, Optional, Timestamp, Uint

Implementation = Callable[..., Any]
"""Takes the budget and the arguments."""
Decorated = TypeVar("Decorated", bound=Callable[..., Any])

TYPES: dict[str, type] = {
    "bool": bool,
    "bytes": bytes,
    "double": float,
    "duration": Duration,
    "dyn": object,
    "int": int,
    "list": list,
    "map": dict,
    "null": type(None),
    "optional_type": Optional,
    "string": str,
    "timestamp": Timestamp,
    "type": object,
    "uint": Uint,
}
"""The Python type of each CEL type that a signature may name."""

_NAMESPACES = frozenset(
    (
        "authorizer",
        "base64",
        "cidr",
        "format",
        "ip",
        "jsonpatch",
        "lists",
        "math",
        "optional",
        "regex",
        "sets",
        "strings",
    )
)
_SIGNATURE = re.compile(r"((?:[A-Za-z_][\w.]*?(?:<.*>)?|~\w+)\.)?([A-Za-z_]\w*)\((.*)\)\Z")


def opaque(name: str) -> Callable[[type], type]:
    """Let a class be the values of a CEL type that only functions can look into."""

    def register(cls: type) -> type:
        TYPES[name], NAMES[cls] = cls, name
        return cls

    return register


@dataclass(frozen=True, slots=True)
class Signature:
    """One overload as the checker wants it; a member's receiver is its first parameter."""

    name: str
    parameters: tuple[str, ...]
    member: bool
    returns: str


@dataclass(frozen=True, slots=True)
class _Row:
    types: tuple[type, ...]
    implementation: Implementation


class Overloads:
    """The implementations of one function name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows: list[_Row] = []
        self._found: dict[tuple[type, ...], Implementation] = {}

    def add(self, types: tuple[type, ...], implementation: Implementation) -> None:
        self._rows.append(_Row(types, implementation))

    def find(self, types: tuple[type, ...]) -> Implementation:
        """What to call for arguments of these types. Raises CelError."""
        found = self._found.get(types)
        if found is None:
            found = self._found[types] = self._search(types)
        return found

    def _search(self, types: tuple[type, ...]) -> Implementation:
        for row in self._rows:
            if len(row.types) == len(types) and all(map(_fits, row.types, types)):
                return row.implementation
        given = ", ".join(NAMES.get(each, "dyn") for each in types)
        raise CelError(f"no such overload: {self.name}({given})")


def _fits(wanted: type, given: type) -> bool:
    return wanted is object or wanted is given or (wanted is list and issubclass(given, list))


TABLE: dict[str, Overloads] = {}
DECLARED: list[Signature] = []


def standard(name: str, *types: type, spends: bool = False) -> Callable[[Decorated], Decorated]:
    """Implement a function that the library itself declares, for these types (`object` is any).

    With `spends` the function gets the budget as its first argument and pays by itself; otherwise it pays for the
    length of what it is given.
    """

    def register(implementation: Decorated) -> Decorated:
        overloads = TABLE.setdefault(name, Overloads(name))
        overloads.add(types, implementation if spends else _paying(implementation, types))
        return implementation

    return register


def function(returns: str, *signatures: str, spends: bool = False) -> Callable[[Decorated], Decorated]:
    """Declare and implement a function that CEL's standard lacks."""

    def register(implementation: Decorated) -> Decorated:
        for text in signatures:
            signature = parse_signature(text, returns)
            DECLARED.append(signature)
            types = tuple(_python_type(name) for name in signature.parameters)
            standard(signature.name, *types, spends=spends)(implementation)
        return implementation

    return register


def parse_signature(text: str, returns: str) -> Signature:
    match = _SIGNATURE.match(text)
    if match is None:
        raise ValueError(f"not a signature: {text}")
    before, name, inner = (match[1] or "").removesuffix("."), match[2], match[3]
    parameters = _split(inner)
    if before in _NAMESPACES:
        return Signature(f"{before}.{name}", parameters, False, returns)
    if before:
        return Signature(name, (before, *parameters), True, returns)
    return Signature(name, parameters, False, returns)


def _split(inner: str) -> tuple[str, ...]:
    """Parameters at their commas, but not at those between angle brackets."""
    parts = re.findall(r"(?:[^,<]|<(?:[^<>]|<[^<>]*>)*>)+", inner)
    return tuple(part.strip() for part in parts)


def _python_type(name: str) -> type:
    return object if name.startswith("~") else TYPES[name.partition("<")[0]]


def _paying(implementation: Callable[..., Any], types: tuple[type, ...]) -> Implementation:
    sized = [at for at, each in enumerate(types) if each in (str, bytes, list, dict, object)]
    if not sized:
        return lambda budget, *args: implementation(*args)

    def pay(budget: Budget, *args: Any) -> Any:
        budget.spend(sum(_length(args[at]) for at in sized))
        return implementation(*args)

    return pay


def _length(value: Any) -> int:
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value) // 10
    return len(value) if isinstance(value, (list, dict)) else 0
