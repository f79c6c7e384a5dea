"""A checked expression as a tree, read from the bytes in which the CEL library serialises it.

The library's own form is a protobuf message, `cel.expr.CheckedExpr`, whose few fields are read here by number: that
takes a page, and neither a generated module nor a descriptor in memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apiserver.cel.values import Uint


@dataclass(frozen=True, slots=True)
class Const:
    value: Any


@dataclass(frozen=True, slots=True)
class Ident:
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)`."""

    operand: Node
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator; a receiver is the first argument."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    elements: tuple[Node, ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True)
class MapOf:
    """Entries as (key, value, whether the value is optional)."""

    entries: tuple[tuple[Node, Node, bool], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A protobuf message, which Kubernetes' expressions cannot make."""

    name: str


@dataclass(frozen=True, slots=True)
class Fold:
    """What every macro over a list or map comes down to."""

    variable: str
    range: Node
    accumulator: str
    initial: Node
    condition: Node
    step: Node
    result: Node


Node = Const | Ident | Select | Call | ListOf | MapOf | Message | Fold

Fields = dict[int, list[Any]]


def read(serialised: bytes) -> Node:
    """The tree of a serialised `Any` with a CheckedExpr."""
    checked = _fields(_fields(serialised)[2][0])
    names = {}
    for raw in checked.get(2, ()):
        entry = _fields(raw)
        reference = _fields(entry[2][0]) if 2 in entry else {}
        if 1 in reference:
            names[entry[1][0]] = reference[1][0].decode()
    return _Reader(names).node(checked[4][0])


class _Reader:
    def __init__(self, names: dict[int, str]) -> None:
        self._names = names
        """What the checker found an expression to name, by the expression's number: `a.b` may be one variable."""

    def node(self, raw: bytes) -> Node:
        fields = _fields(raw)
        form = next((number for number in fields if number > 2), 0)
        if form == 0:
            return Const(None)
        body, identity = _fields(fields[form][0]), fields.get(2, [0])[0]
        if form == 3:
            return Const(_constant(body))
        if form in (4, 5) and identity in self._names:
            return Ident(self._names[identity])
        match form:
            case 4:
                return Ident(_text(body, 1))
            case 5:
                return Select(self.node(body[1][0]), _text(body, 2), bool(body.get(3, [0])[0]))
            case 6:
                args = [self.node(raw) for raw in (*body.get(1, ()), *body.get(3, ()))]
                return Call(_text(body, 2), tuple(args))
            case 7:
                return ListOf(tuple(self.node(raw) for raw in body.get(1, ())), frozenset(_packed(body.get(2, ()))))
            case 8 if 1 in body:
                return Message(_text(body, 1))
            case 8:
                return MapOf(tuple(self._entry(_fields(raw)) for raw in body.get(2, ())))
            case _:
                parts = (self.node(body[number][0]) for number in (4, 5, 6, 7))
                return Fold(_text(body, 1), self.node(body[2][0]), _text(body, 3), *parts)

    def _entry(self, entry: Fields) -> tuple[Node, Node, bool]:
        key: Node = Const(_text(entry, 2)) if 2 in entry else self.node(entry[3][0])
        return key, self.node(entry[4][0]), bool(entry.get(5, [0])[0])


def _text(fields: Fields, number: int) -> str:
    return fields[number][0].decode() if number in fields else ""


def _constant(fields: Fields) -> Any:
    number, (value,) = next(iter(fields.items()))
    match number:
        case 2:
            return bool(value)
        case 3:
            return value - (1 << 64) if value >> 63 else value
        case 4:
            return Uint(value)
        case 5:
            return struct.unpack("<d", value)[0]
        case 6:
            return value.decode()
        case 7:
            return bytes(value)
        case _:
            return None


def _packed(chunks: Any) -> Iterator[int]:
    for chunk in chunks:
        if isinstance(chunk, int):
            yield chunk
            continue
        at = 0
        while at < len(chunk):
            value, at = _varint(chunk, at)
            yield value


def _fields(raw: bytes) -> Fields:
    """A message's fields by number: numbers as int, everything else as bytes."""
    fields: Fields = {}
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        match tag & 7:
            case 0:
                value, at = _varint(raw, at)
                fields.setdefault(tag >> 3, []).append(value)
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(raw, at)
            case _:
                size = 4
        fields.setdefault(tag >> 3, []).append(raw[at : at + size])
        at += size
    return fields


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
