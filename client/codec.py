"""Bytes to structs and back, with one decoder per type kept, since making one costs more than using it."""

from __future__ import annotations

from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from api.types import meta_v1
from client.resources import KubeObject, resource_of
from daemon.log import logger

log = logger(__name__)

T = TypeVar("T", bound=KubeObject)
S = TypeVar("S")


class Unreadable(ValueError):
    """The server sent something that is not the struct which was asked for."""


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class Bookmark(msgspec.Struct):
    """How far a watch is. The kind's own struct will not do: this has none of the fields that a kind requires."""

    apiVersion: str | None = None
    kind: str | None = None
    metadata: meta_v1.ObjectMeta | None = None


class _List(msgspec.Struct, Generic[S]):
    metadata: meta_v1.ListMeta = msgspec.field(default_factory=meta_v1.ListMeta)
    items: list[S] | None = None


EVENT_DECODER: msgspec.json.Decoder[_Event] = msgspec.json.Decoder(_Event)
_ENCODER = msgspec.json.Encoder()


@cache
def _decoder(cls: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cls)


@cache
def _list_decoder(cls: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_List[cls])


def decode(cls: type[T], body: bytes | msgspec.Raw) -> T:
    """Raises Unreadable, with the path of the field that does not fit."""
    try:
        obj: T = _decoder(cls).decode(body)
    except msgspec.DecodeError as error:
        raise Unreadable(f"the server's {cls.__name__} cannot be read: {error}") from error
    return obj


def decode_bookmark(body: bytes | msgspec.Raw) -> Bookmark:
    """Raises Unreadable."""
    try:
        return msgspec.json.decode(body, type=Bookmark)
    except msgspec.DecodeError as error:
        raise Unreadable(f"the server's bookmark cannot be read: {error}") from error


def decode_list(cls: type[T], body: bytes) -> tuple[list[T], meta_v1.ListMeta]:
    """The items and the list's metadata.

    One object that does not fit its type must not blind a daemon to all the others: it is left out, and logged.
    """
    try:
        whole = _list_decoder(cls).decode(body)
        return whole.items or [], whole.metadata
    except msgspec.ValidationError:
        raw = _list_decoder(msgspec.Raw).decode(body)
    except msgspec.DecodeError as error:
        raise Unreadable(f"the server's list of {cls.__name__} cannot be read: {error}") from error
    items = []
    for part in raw.items or []:
        try:
            items.append(decode(cls, part))
        except Unreadable as error:
            log.error("an object was left out", reason=str(error))
    return items, raw.metadata


def encode(obj: KubeObject) -> bytes:
    """The object's JSON, with apiVersion and kind in it."""
    resource = resource_of(type(obj))
    if obj.kind is None or obj.apiVersion is None:
        typed: Any = obj
        obj = msgspec.structs.replace(typed, apiVersion=resource.api_version, kind=resource.kind)
    return _ENCODER.encode(obj)


def body_bytes(body: Any) -> bytes:
    """A request's body: bytes and text as they are, anything else as JSON."""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    return body.encode() if isinstance(body, str) else _ENCODER.encode(body)
