"""A schema's types as the checker knows them: protobuf messages, one for each object with properties.

Only the checker sees the messages; values stay JSON. What protobuf cannot say (a list of lists, a nullable list) is
loosened to what comes nearest: an inner list's or map's elements may be anything. Names of fields are escaped as
Kubernetes does it, and a name that cannot be escaped cannot be used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor_pool import DescriptorPool

from apiserver.cel.names import escape

Raw = Mapping[str, Any]
Field = descriptor_pb2.FieldDescriptorProto

_PACKAGE = "kubernetes"
_WELL_KNOWN = (struct_pb2, timestamp_pb2, duration_pb2, wrappers_pb2)
_ANY, _LIST, _STRUCT = ".google.protobuf.Value", ".google.protobuf.ListValue", ".google.protobuf.Struct"
_TIME, _SPAN = ".google.protobuf.Timestamp", ".google.protobuf.Duration"
_ACCESSIBLE = re.compile(r"[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*\Z")

METADATA: Raw = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
}
"""All of an object's metadata that a rule may look at."""
_IDENTITY = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": METADATA}


@dataclass(frozen=True, slots=True)
class _Scalar:
    cel: str
    number: Any
    wrapper: str


_STRING = _Scalar("string", Field.TYPE_STRING, ".google.protobuf.StringValue")
_SCALARS = {
    "boolean": _Scalar("bool", Field.TYPE_BOOL, ".google.protobuf.BoolValue"),
    "integer": _Scalar("int", Field.TYPE_INT64, ".google.protobuf.Int64Value"),
    "number": _Scalar("double", Field.TYPE_DOUBLE, ".google.protobuf.DoubleValue"),
}
_FORMATS = {"byte": _Scalar("bytes", Field.TYPE_BYTES, ".google.protobuf.BytesValue")}
_TIMES = {"date": _TIME, "date-time": _TIME, "duration": _SPAN}
_MEMBERS = {_ANY: "dyn", _LIST: "list<dyn>", _STRUCT: "map<string, dyn>", _TIME: "timestamp", _SPAN: "duration"}


def identified(raw: Raw) -> Raw:
    """The schema of a whole object: with the fields that every object has."""
    return {**raw, "type": "object", "properties": {**(raw.get("properties") or {}), **_IDENTITY}}


def form_of(raw: Raw) -> str:
    """`any`, `object`, `map`, `array`, or the type of a scalar."""
    if raw.get("x-kubernetes-int-or-string"):
        return "any"
    kind = raw.get("type")
    if kind == "object":
        return "map" if isinstance(raw.get("additionalProperties"), Mapping) else "object"
    return str(kind) if kind else "any"


class Messages:
    """The messages of one schema. `type_of` says which CEL type a node of it has; `pool` is for the checker.

    Without `escaping` names stand as they are, as in the types that Kubernetes' admission declares. `resolve` gives the
    schema that a reference stands for.
    """

    def __init__(self, *, escaping: bool = True, resolve: Callable[[Raw], Raw] = lambda raw: raw) -> None:
        self._escape = escape if escaping else _as_it_is
        self._resolve = resolve
        self._file = descriptor_pb2.FileDescriptorProto(name="schema.proto", package=_PACKAGE, syntax="proto3")
        self._file.dependency.extend(module.DESCRIPTOR.name for module in _WELL_KNOWN)
        self._names: dict[int, str] = {}
        self._kept: list[Raw] = []
        self._pool: DescriptorPool | None = None

    @property
    def pool(self) -> DescriptorPool:
        """Made when first asked for; all types must have been asked for by then."""
        if self._pool is None:
            self._pool = DescriptorPool()
            for module in _WELL_KNOWN:
                self._pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
            self._pool.AddSerializedFile(self._file.SerializeToString())
        return self._pool

    def type_of(self, raw: Raw) -> str:
        """The CEL type of a node, with messages for its objects."""
        raw = self._resolve(raw)
        match form_of(raw):
            case "object":
                return f"{_PACKAGE}.{self._message(raw)}"
            case "map":
                return f"map<string, {self.type_of(raw['additionalProperties'])}>"
            case "array":
                return f"list<{self.type_of(raw.get('items') or {})}>"
            case _:
                member = self._member(raw)
                return member.cel if isinstance(member, _Scalar) else _MEMBERS[member]

    def _message(self, raw: Raw) -> str:
        """The name of an object's message."""
        known = self._names.get(id(raw))
        if known is not None:
            return known
        name = self._names[id(raw)] = f"Object{len(self._names)}"
        self._kept.append(raw)  # so that no other schema gets its id
        message = self._file.message_type.add(name=name)
        whole = identified(raw) if raw.get("x-kubernetes-embedded-resource") else raw
        fields = {self._escape(field): child for field, child in _accessible(whole)}  # two may be escaped to one
        for field, child in fields.items():
            self._add(message, field, child)
        return name

    def _add(self, message: descriptor_pb2.DescriptorProto, name: str, raw: Raw) -> None:
        raw = self._resolve(raw)
        form, nullable = form_of(raw), bool(raw.get("nullable"))
        if nullable and form in ("array", "map"):
            _field(message, name, _ANY)
        elif form == "array":
            _field(message, name, self._element(raw.get("items") or {}), repeated=True)
        elif form == "map" and (entry_name := _entry_name(name)) in (each.name for each in message.nested_type):
            _field(message, name, _STRUCT)  # `a_b` and `aB` would share their entries' type
        elif form == "map":
            entry = message.nested_type.add(name=entry_name)
            entry.options.map_entry = True
            _field(entry, "key", _STRING)
            _field(entry, "value", self._element(raw["additionalProperties"]))
            _field(message, name, f".{_PACKAGE}.{message.name}.{entry.name}", repeated=True)
        else:
            member = self._member(raw)
            _field(message, name, member.wrapper if nullable and isinstance(member, _Scalar) else member)

    def _element(self, raw: Raw) -> _Scalar | str:
        """What a list or map holds: protobuf nests neither in the other."""
        raw = self._resolve(raw)
        if raw.get("nullable") and form_of(raw) != "object":
            return _ANY
        return {"array": _LIST, "map": _STRUCT}.get(form_of(raw)) or self._member(raw)

    def _member(self, raw: Raw) -> _Scalar | str:
        form = form_of(raw)
        if form == "object":
            return f".{_PACKAGE}.{self._message(raw)}"
        if form == "string":
            kind = raw.get("format", "")
            return _TIMES.get(kind) or _FORMATS.get(kind, _STRING)
        return _SCALARS.get(form, _ANY)


def _as_it_is(name: str) -> str:
    return name if name.isidentifier() else escape(name)


def _entry_name(field: str) -> str:
    """What protobuf wants the type of a map's entries to be called."""
    return "".join(part[:1].upper() + part[1:] for part in field.split("_")) + "Entry"


def _accessible(raw: Raw) -> Iterator[tuple[str, Raw]]:
    for name, child in (raw.get("properties") or {}).items():
        if _ACCESSIBLE.match(name):
            yield name, child


def _field(message: descriptor_pb2.DescriptorProto, name: str, kind: _Scalar | str, *, repeated: bool = False) -> None:
    number = len(message.field) + 1
    label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label, json_name=f"f{number}")
    if isinstance(kind, _Scalar):
        field.type = kind.number
    else:
        field.type, field.type_name = Field.TYPE_MESSAGE, kind
