"""Lists in pages: `limit` and `continue`, every page from the snapshot the first one was taken from.

A later page comes from the cache as long as nothing has changed since; else from etcd at the old revision.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import orjson

from api.errors import BadRequest, Expired, Invalid
from api.field import FieldError, forbidden, invalid, not_supported
from apiserver.endpoints.selection import Selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import parse_version, too_new, wait_for
from apiserver.registry.kind import Object
from apiserver.storage.cache import Entry
from apiserver.storage.etcd import Compacted, FutureRevision, prefix_end
from apiserver.storage.feed import TooNew
from apiserver.storage.stubs import etcd_pb2 as pb

_MATCHES = ("Exact", "NotOlderThan")
_STALE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
_TOO_OLD = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `token` is empty on the last one; `remaining` is 0 when it is not known."""

    entries: list[Entry]
    revision: int
    token: str = ""
    remaining: int = 0

    @property
    def raws(self) -> list[bytes]:
        """The objects' wire bytes, in the version that is kept."""
        return [entry.raw for entry in self.entries]


class StaleSnapshot(Expired):
    """The snapshot of a list is gone; the answer says how to read the rest all the same."""

    def __init__(self, token: str) -> None:
        super().__init__(_STALE)
        self._token = token

    def status(self) -> Object:
        return {**super().status(), "metadata": {"continue": self._token}}


async def read_page(
    state: State, resource: Resource, namespace: str, selection: Selection | None, query: Mapping[str, str]
) -> Page:
    """The objects a list request asks for. Raises BadRequest, Invalid, Expired, Timeout, EtcdError."""
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    token = query.get("continue", "")
    _check(version, match, token)
    reader = _Reader(state, resource, namespace, selection, _limit(query.get("limit", "")))
    if token:
        return await reader.go_on(*decode_token(token))
    if match == "Exact":
        return await reader.snapshot(parse_version(version), "")
    await wait_for(state.feed, version)
    return reader.cached(state.feed.revision, "")


def _check(version: str, match: str, token: str) -> None:
    errors: list[FieldError] = []
    if match and not version:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        errors.append(forbidden("resourceVersionMatch", text))
    elif match and token:
        errors.append(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
    elif match and match not in _MATCHES:
        errors.append(not_supported("resourceVersionMatch", match, (*_MATCHES, "")))
    elif match == "Exact" and version == "0":
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        errors.append(forbidden("resourceVersionMatch", text))
    if errors:
        raise Invalid("ListOptions", "meta.k8s.io", "", errors)
    if token and version not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")


def _limit(text: str) -> int:
    if not text:
        return 0
    try:
        limit = int(text)
    except ValueError as error:
        raise BadRequest(f'invalid limit "{text}": it must be a number') from error
    if limit < 0:
        raise Invalid("ListOptions", "meta.k8s.io", "", [invalid("limit", limit, "must be greater than or equal to 0")])
    return limit


@dataclass(frozen=True, slots=True)
class _Reader:
    state: State
    resource: Resource
    namespace: str
    selection: Selection | None
    limit: int

    def cached(self, revision: int, after: str) -> Page:
        """A page from the cache as it is now."""
        found = self.resource.cache.select(self.namespace, self.selection, after)
        if not self.limit:
            return Page(list(found), revision)
        entries = list(islice(found, self.limit))
        rest = sum(1 for _ in found)
        if not rest:
            return Page(entries, revision)
        # What remains is told only where counting takes no look at the objects, as in Kubernetes.
        remaining = rest if self.selection is None or self.selection.only_namespace else 0
        return Page(entries, revision, encode_token(revision, entries[-1].key), remaining)

    async def go_on(self, revision: int, after: str) -> Page:
        """The page after the key `after`; revision 0 is the inconsistent rest of a list whose snapshot is gone."""
        feed = self.state.feed
        if not revision:
            await feed.fresh()
            return self.cached(feed.revision, after)
        if feed.revision >= revision >= self.resource.cache.revision:
            return self.cached(revision, after)
        return await self.snapshot(revision, after)

    async def snapshot(self, revision: int, after: str) -> Page:
        """A page as of an old revision, from etcd."""
        prefix = self.resource.prefix + (f"{self.namespace}/".encode() if self.namespace else b"")
        start = self.resource.prefix + after.encode() + b"\0" if after else prefix
        entries: list[Entry] = []
        more = True
        while more and not (self.limit and len(entries) > self.limit):
            answer = await self._range(start, prefix_end(prefix), revision, after)
            entries.extend(self._selected(answer))
            more = answer.more
            start = answer.kvs[-1].key + b"\0" if more else start
        if self.limit and len(entries) > self.limit:
            return Page(entries[: self.limit], revision, encode_token(revision, entries[self.limit - 1].key))
        return Page(entries, revision)

    async def _range(self, start: bytes, end: bytes, revision: int, after: str) -> pb.RangeResponse:
        try:
            return await self.state.etcd.range(start, end, limit=self.limit + 1 if self.limit else 0, revision=revision)
        except Compacted as error:
            raise (StaleSnapshot(encode_token(0, after)) if after else Expired(_TOO_OLD)) from error
        except FutureRevision as error:
            raise too_new(TooNew(revision, self.state.feed.revision)) from error

    def _selected(self, answer: pb.RangeResponse) -> Iterator[Entry]:
        skip = len(self.resource.prefix)
        for item in answer.kvs:
            entry = self.resource.cache.entry(item.key[skip:].decode(), item.value, item.mod_revision)
            if self.selection is None or self.selection.matches(entry):
                yield entry


def encode_token(revision: int, after: str) -> str:
    """Where a list goes on: the snapshot's revision (0: none) and the last key that was sent."""
    return base64.urlsafe_b64encode(orjson.dumps({"rv": revision, "after": after})).decode().rstrip("=")


def decode_token(token: str) -> tuple[int, str]:
    """Raises BadRequest."""
    try:
        value = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, after = value["rv"], value["after"]
        if not isinstance(revision, int) or not isinstance(after, str):
            raise ValueError("wrong types")
    except (ValueError, binascii.Error, KeyError, TypeError) as error:
        raise BadRequest("continue key is not valid: it was not made by this server") from error
    return revision, after
