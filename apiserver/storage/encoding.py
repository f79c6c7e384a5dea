"""An object's bytes. In etcd they lack `metadata.resourceVersion`, which only etcd knows; on the wire they have it.

Every stored object begins with the same bytes for its kind, up to the opening of its metadata, so that the version is
put in without decoding anything.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

Object = dict[str, Any]


class Encoding:
    """The bytes of one kind's objects."""

    __slots__ = ("api_version", "head", "kind")

    def __init__(self, api_version: str, kind: str) -> None:
        self.api_version = api_version
        self.kind = kind
        self.head = f'{{"apiVersion":"{api_version}","kind":"{kind}","metadata":{{'.encode()

    def store(self, obj: Object) -> bytes:
        """The bytes to keep in etcd."""
        metadata = {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}
        ordered = {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}
        for name, value in obj.items():
            ordered.setdefault(name, value)
        return orjson.dumps(ordered)

    def wire(self, stored: bytes, revision: int) -> bytes:
        """Stored bytes as clients see them: with the resourceVersion. They may be of another version of the kind."""
        head = self.head
        if not stored.startswith(head):
            head = _head_of(stored)
            if not head:
                obj = orjson.loads(stored)
                own = Encoding(obj.get("apiVersion") or self.api_version, self.kind)
                return own.wire(own.store(obj), revision)
        return b'%b"resourceVersion":"%d",%b' % (head, revision, stored[len(head) :])

    def again(self, wire: bytes, revision: int, newer: int) -> bytes:
        """The same object's bytes with a newer resourceVersion."""
        head = self.head if wire.startswith(self.head) else _head_of(wire)
        end = len(head) + len(b'"resourceVersion":"%d",' % revision)
        return b'%b"resourceVersion":"%d",%b' % (head, newer, wire[end:])

    def renamed(self, wire: bytes) -> bytes:
        """An object of another version as one of this, where nothing but the version's name differs."""
        return self.head + wire[len(_head_of(wire)) :]


_HEAD = re.compile(rb'\{"apiVersion":"[^"\\]*","kind":"[^"\\]*","metadata":\{')


def _head_of(data: bytes) -> bytes:
    """An object's first bytes, up to the opening of its metadata; nothing if they are not in the usual order."""
    found = _HEAD.match(data)
    return found.group() if found else b""


def decode(stored: bytes, revision: int) -> Object:
    """A fresh dict from stored bytes, with the resourceVersion."""
    obj: Object = orjson.loads(stored)
    obj["metadata"]["resourceVersion"] = str(revision)
    return obj
