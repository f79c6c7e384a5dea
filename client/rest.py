"""Typed verbs over HTTPS: a lightkube-models struct goes in or comes out, an `api.errors.StatusError` is raised.

async with Client(kubeconfig.load()) as client:
    pod = await client.get(core_v1.Pod, "web-1", "default")
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from api import errors
from api.types import meta_v1
from client.codec import EVENT_DECODER, Unreadable, body_bytes, decode, decode_bookmark, decode_list, encode
from client.kubeconfig import Config
from client.resources import KubeObject, Resource, resource_of
from client.transport import Transport
from client.wire import REQUEST_TIMEOUT, Response, Stream, Unreachable
from daemon.log import logger

log = logger(__name__)

__all__ = ["Client", "Page", "PatchType", "Response", "Stream", "Unreachable", "WatchEvent"]

T = TypeVar("T", bound=KubeObject)
Propagation = Literal["Background", "Foreground", "Orphan"]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
WatchEvent = tuple[EventType, T]

WATCH_SECONDS = (240, 480)
"""A watch asks the server to end it after a random time in this range, so that reconnects of many clients spread."""
WATCH_SILENCE = 150.0
"""A server sends a bookmark about once a minute; a watch without a byte for so long is taken for dead."""
_HOT = frozenset(("pods", "events", "leases.coordination.k8s.io"))
"""What a daemon writes by the hundred, or for ever. These writes, bindings, statuses and lists go beside httpx."""
_RETRIES = 3
_MAX_RETRY_AFTER = 5.0


class PatchType(StrEnum):
    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A list's answer. `continue_token` is empty on the last page."""

    items: list[T]
    resource_version: str
    continue_token: str = ""


class Client:
    """One API server, one identity. An async context manager; safe to share between tasks of one event loop.

    Every verb raises a subclass of `api.errors.StatusError` when the server says no, and `Unreachable` when it says
    nothing. A 429, and a 503 which says when to come back, are tried again a few times.
    """

    def __init__(self, config: Config, user_agent: str = "pytheas") -> None:
        self.config = config
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}
        self._transport = Transport(config)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def pause(self, seconds: float) -> None:
        """Wait before the next try; less, if the server did not answer and answers somebody else meanwhile."""
        await self._transport.outage.pause(seconds)

    # -- verbs on objects

    async def get(self, cls: type[T], name: str, namespace: str | None = None) -> T:
        response = await self._send("GET", resource_of(cls).path(namespace, _segment(name)))
        return decode(cls, response.body)

    async def list(
        self,
        cls: type[T],
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
        limit: int | None = None,
        continue_token: str = "",
        resource_version: str = "",
    ) -> Page[T]:
        params = _selectors(labels, fields)
        if limit:
            params["limit"] = str(limit)
        if continue_token:
            params["continue"] = continue_token
        if resource_version:
            params["resourceVersion"] = resource_version
        response = await self._send("GET", _target(resource_of(cls).path(namespace), params), hot=True)
        items, meta = decode_list(cls, response.body)
        return Page(items, meta.resourceVersion or "", meta.continue_ or "")

    async def create(self, obj: T, namespace: str | None = None) -> T:
        resource = resource_of(type(obj))
        metadata = obj.metadata or meta_v1.ObjectMeta()
        path = resource.path(namespace or metadata.namespace or self._default_namespace(type(obj)))
        response = await self._send("POST", path, encode(obj), hot=_hot(resource))
        return decode(type(obj), response.body)

    async def update(self, obj: T, subresource: str = "") -> T:
        """Replace the object. With `metadata.resourceVersion`, only if nobody was faster (else `Conflict`)."""
        hot = _hot(resource_of(type(obj)), subresource)
        response = await self._send("PUT", self._path_of(obj, subresource), encode(obj), hot=hot)
        return decode(type(obj), response.body)

    async def update_status(self, obj: T) -> T:
        return await self.update(obj, "status")

    async def patch(
        self,
        cls: type[T],
        name: str,
        patch: Any,
        namespace: str | None = None,
        subresource: str | None = None,
        kind: PatchType = PatchType.MERGE,
    ) -> T:
        """`patch` is a dict (a list for PatchType.JSON), in which structs are welcome; or bytes, sent as they are."""
        resource = resource_of(cls)
        path = resource.path(namespace, _segment(name), subresource or "")
        hot = _hot(resource, subresource)
        response = await self._send("PATCH", path, body_bytes(patch), content_type=kind.value, hot=hot)
        return decode(cls, response.body)

    async def delete(
        self,
        cls: type[T],
        name: str,
        namespace: str | None = None,
        *,
        grace_period: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: Propagation | None = None,
    ) -> None:
        """`uid` and `resource_version` are preconditions: another object's (or state's) deletion is a `Conflict`."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {key: value for key, value in preconditions.items() if value is not None}
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if preconditions:
            options["preconditions"] = preconditions
        await self._send("DELETE", resource_of(cls).path(namespace, _segment(name)), body_bytes(options))

    async def create_sub(self, cls: type[T], name: str, namespace: str | None, subresource: str, body: Any) -> Any:
        """POST to a subresource (`binding`, `eviction`, `token`); returns the decoded answer."""
        path = resource_of(cls).path(namespace, _segment(name), subresource)
        response = await self._send("POST", path, body_bytes(body))
        return response.json() if response.body else None

    async def bind(self, namespace: str, name: str, uid: str, node: str) -> None:
        """Give the pod to the node. Raises Conflict when it has one already, NotFound when it is gone."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        path = f"/api/v1/namespaces/{namespace}/pods/{_segment(name)}/binding"
        await self._send("POST", path, msgspec.json.encode(body), hot=True)

    async def watch(
        self,
        cls: type[T],
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        seconds: int | None = None,
    ) -> AsyncGenerator[WatchEvent[T], None]:
        """Changes as they come; ends when the server ends it, after `seconds` (random by default) at the latest.

        Without `resource_version` it starts with an ADDED for each object there is. BOOKMARK objects hold nothing but
        a resourceVersion. Raises `Expired` when `resource_version` is too old: list again.
        """
        seconds = seconds or random.randint(*WATCH_SECONDS)
        params = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        params |= _selectors(labels, fields)
        if resource_version:
            params["resourceVersion"] = resource_version
        target = _target(resource_of(cls).path(namespace), params)
        async with self.stream("GET", target, silence=min(WATCH_SILENCE, seconds + 15.0)) as stream:
            async for line in stream.lines():
                event = EVENT_DECODER.decode(line)
                if event.type == "ERROR":
                    status = msgspec.json.decode(event.object)
                    raise errors.from_status(status, status.get("code") or 500)
                if event.type == "BOOKMARK":
                    yield "BOOKMARK", cast(T, decode_bookmark(event.object))
                    continue
                try:
                    obj = decode(cls, event.object)
                except Unreadable as error:  # again and again, if the watch began anew from before it
                    log.error("an object was left out", reason=str(error))
                    continue
                yield cast(EventType, event.type), obj

    # -- anything else

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        timeout: float = REQUEST_TIMEOUT,
    ) -> Response:
        """A raw request; `body` as for `patch`. Raises like the verbs do."""
        data = None if body is None else body_bytes(body)
        target = _target(path, dict(params or {}))
        return await self._send(method, target, data, headers, content_type=content_type, timeout=timeout)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float | None = None,
        open_timeout: float = REQUEST_TIMEOUT,
    ) -> AsyncIterator[Stream]:
        """A raw request whose answer is read as it comes (logs, watches). Errors are raised before the first byte."""
        target = _target(path, dict(params or {}))
        opening = self._transport.stream(method, target, self._all_headers(headers, None), None, silence)
        try:
            async with asyncio.timeout(open_timeout):
                stream = await opening.__aenter__()
        except TimeoutError as error:
            raise Unreachable(f"{self.config.server}: no answer in time") from error
        try:
            if stream.status >= 400:
                async with asyncio.timeout(open_timeout):
                    raise _failure(Response(stream.status, stream.headers, await stream.read()))
            yield stream
        finally:
            await opening.__aexit__(None, None, None)

    async def _send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        content_type: str = "application/json",
        timeout: float = REQUEST_TIMEOUT,
        hot: bool = False,
    ) -> Response:
        sent = self._all_headers(headers, content_type if body is not None else None)
        for left in range(_RETRIES, -1, -1):
            response = await self._transport.send(method, target, sent, body, timeout, hot=hot)
            if response.status < 400:
                return response
            error = _failure(response)
            if not left or error.code not in (429, 503) or error.retry_after is None:
                raise error
            await asyncio.sleep(min(error.retry_after, _MAX_RETRY_AFTER) * random.uniform(0.8, 1.2))
        raise AssertionError("unreachable: the last round raises")

    def _all_headers(self, headers: Mapping[str, str] | None, content_type: str | None) -> dict[str, str]:
        merged = dict(self._headers)
        if content_type:
            merged["Content-Type"] = content_type
        if token := self.config.bearer_token():
            merged["Authorization"] = f"Bearer {token}"
        if headers:
            merged.update(headers)
        return merged

    def _path_of(self, obj: KubeObject, subresource: str = "") -> str:
        metadata = obj.metadata
        if metadata is None or not metadata.name:
            raise ValueError(f"a {type(obj).__name__} without a name cannot be written")
        namespace = metadata.namespace or self._default_namespace(type(obj))
        return resource_of(type(obj)).path(namespace, _segment(metadata.name), subresource)

    def _default_namespace(self, cls: type[Any]) -> str | None:
        return self.config.namespace if resource_of(cls).namespaced else None


def _failure(response: Response) -> errors.StatusError:
    try:
        body = response.json()
    except ValueError:
        body = None
    error = errors.from_status(body if isinstance(body, dict) else None, response.status)
    wait = response.headers.get("retry-after", "")
    if error.retry_after is None and wait.isdigit():
        error.retry_after = int(wait)
    return error


def _selectors(labels: str, fields: str) -> dict[str, str]:
    params = {"labelSelector": labels, "fieldSelector": fields}
    return {key: value for key, value in params.items() if value}


def _target(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


def _hot(resource: Resource, subresource: str | None = None) -> bool:
    return subresource == "status" or resource.name in _HOT


def _segment(name: str) -> str:
    if not name:
        raise ValueError("resource name may not be empty")
    if name in (".", ".."):  # a URL library would take it for a step
        raise ValueError(f"resource name may not be {name!r}")
    return quote(name, safe="")
