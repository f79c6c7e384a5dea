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

        return yaml.safe_dump(value, sort_keys=False).encode()
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) if form.pretty else orjson.dumps(value)


def has_message(kind: Kind) -> bool:
    """Whether objects of a kind can be answered in protobuf: custom ones cannot."""
    return kind.own_schema is None and protobuf.has_message(kind.api_version, kind.kind)


def message_of(kind: Kind, raw: bytes, entry: Entry | None = None) -> bytes:
    """An object's boxed message, from its wire bytes. The cache's entry keeps it, if these are the entry's bytes.

    So lists and watches in protobuf cost no more than those in JSON, for two fifths of the memory that JSON takes.
    """
    if entry is None or raw is not entry.raw:
        return _message_of(kind, raw)
    if entry.message is None:
        entry.message = _message_of(kind, raw)
    return entry.message


def _message_of(kind: Kind, raw: bytes) -> bytes:
    obj: Object = orjson.loads(raw)
    return protobuf.box(protobuf.encode_message(protobuf.find_message(kind.api_version, kind.kind), obj))


def body_of(kind: Kind, raw: bytes, entry: Entry | None = None) -> bytes:
    """The same as a whole body."""
    return protobuf.envelope(kind.api_version, kind.kind, message_of(kind, raw, entry))
