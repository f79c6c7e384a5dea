"""Values in the media type that a client wants, and objects' protobuf messages, made once for all who ask."""

from __future__ import annotations

from typing import Any

import orjson

from api import protobuf
from api.codec import YAML
from apiserver.endpoints.negotiate import Form
from apiserver.registry.kind import Kind, Object
from apiserver.storage.cache import Entry


def encode(form: Form, value: Any) -> bytes:
    """A whole object that is in no cache: a Status, a Table, a Scale. Raises MalformedBody if it has no message."""
    if form.protobuf:
        return protobuf.encode(value)
    if form.media_type == YAML:
        import yaml  # rarely asked for, and large

        return yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, encoding="utf-8", allow_unicode=True)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) if form.pretty else orjson.dumps(value)


def has_message(kind: Kind) -> bool:
    """Whether objects of a kind can be answered in protobuf: custom ones cannot."""
    return kind.own_schema is None and protobuf.has_message(kind.api_version, kind.kind)


def message_of(kind: Kind, raw: bytes, entry: Entry | None = None) -> bytes:
    """An object's boxed message, from its wire bytes. The cache's entry keeps it, if these are the entry's bytes.

    So lists and watches in protobuf cost no more than those in JSON.
    """
    if entry is None or raw is not entry.raw:
        return _encoded(kind, orjson.loads(raw))
    if entry.message is None:
        obj = orjson.loads(raw)
        entry.message = Remains.of(_encoded(kind, obj), raw, obj)
    return entry.message.whole(raw)


def body_of(kind: Kind, raw: bytes, entry: Entry | None = None) -> bytes:
    """The same as a whole body."""
    return protobuf.envelope(kind.api_version, kind.kind, message_of(kind, raw, entry))


def _encoded(kind: Kind, obj: Object) -> bytes:
    return protobuf.box(protobuf.encode_message(protobuf.find_message(kind.api_version, kind.kind), obj))


class Remains:
    """A message without what its object's JSON has, too: who manages which fields is JSON in either, and half of it."""

    __slots__ = ("_ends", "_parts", "_starts")

    def __init__(self, parts: tuple[bytes, ...], starts: tuple[int, ...], ends: tuple[int, ...]) -> None:
        self._parts = parts
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, message: bytes, raw: bytes, obj: Object) -> Remains:
        """`raw` are the wire bytes of `obj`, and `message` is it in protobuf."""
        parts: list[bytes] = []
        starts: list[int] = []
        ends: list[int] = []
        done = reached = 0
        for each in obj["metadata"].get("managedFields") or ():
            shared = orjson.dumps(each.get("fieldsV1"))
            at, place = message.find(shared, done), raw.find(shared, reached)
            if at < 0 or place < 0:
                continue
            parts.append(message[done:at])
            starts.append(place)
            done, reached = at + len(shared), place + len(shared)
            ends.append(reached)
        return cls((*parts, message[done:]), tuple(starts), tuple(ends))

    def whole(self, raw: bytes) -> bytes:
        """The message again, from the same wire bytes."""
        if not self._starts:
            return self._parts[0]
        out: list[bytes] = []
        for part, start, end in zip(self._parts, self._starts, self._ends, strict=False):
            out += (part, raw[start:end])
        return b"".join((*out, self._parts[-1]))
