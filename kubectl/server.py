"""The API server's verbs over plain dicts, and its errors as `api.errors.StatusError`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kubectl.errors import Unreachable
from kubectl.transport import Answer, Query, Transport

if TYPE_CHECKING:
    from kubectl.discovery import Resource

Object = dict[str, Any]

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
MANAGER = "pytheas"
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


def object_path(resource: Resource, namespace: str | None, name: str | None = None, subresource: str = "") -> str:
    """`/apis/apps/v1/namespaces/default/deployments/web/scale`; no namespace means all of them."""
    prefix = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    parts = [prefix]
    if resource.namespaced and namespace:
        parts.append(f"namespaces/{quote(namespace, safe='')}")
    parts.append(resource.plural)
    parts.extend(quote(part, safe="/") for part in (name, subresource) if part)
    return "/".join(parts)


class Server:
    """Typed by nothing but the resource: what goes in and comes out is JSON."""

    def __init__(self, transport: Transport, warn: Callable[[str], None] | None = None) -> None:
        self.transport = transport
        self._warn = warn or (lambda text: print(f"Warning: {text}", file=sys.stderr))

    def call(
        self, method: str, path: str, query: Query | None = None, body: Any = None, *, accept: str = "", kind: str = ""
    ) -> Any:
        """One request; the decoded answer. Raises StatusError or Unreachable."""
        headers = {"Accept": accept} if accept else {}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = kind or "application/json"
        answer = self.transport.request(method, path, query, data, headers)
        for header in answer.warnings:
            for match in _WARNING.finditer(header):
                self._warn(match[1].replace('\\"', '"'))
        return decode(answer)

    def get(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        query: Query | None = None,
        *,
        table: bool = False,
        subresource: str = "",
    ) -> Object:
        path = object_path(resource, namespace, name, subresource)
        result: Object = self.call("GET", path, query, accept=TABLE if table else "")
        return result

    def list(
        self, resource: Resource, namespace: str | None, query: Query | None = None, *, table: bool = False
    ) -> Object:
        """The whole list, asked for in pages when `limit` is given, and joined."""
        path = object_path(resource, namespace)
        result: Object = self._first_page(resource, path, query or {}, table)
        key = "rows" if result.get("kind") == "Table" else "items"
        more = result.get("metadata", {}).get("continue")
        while more:
            page = self.call("GET", path, {**(query or {}), "continue": more}, accept=TABLE if table else "")
            result[key] = (result.get(key) or []) + (page.get(key) or [])
            more = page.get("metadata", {}).get("continue")
        result.get("metadata", {}).pop("continue", None)
        return result

    def _first_page(self, resource: Resource, path: str, query: Query, table: bool) -> Any:
        from api.errors import BadRequest

        try:
            return self.call("GET", path, query, accept=TABLE if table else "")
        except BadRequest as error:  # most likely the selector's fault, so it is named
            labels, fields = query.get("labelSelector") or "", query.get("fieldSelector") or ""
            if labels or fields:
                kind = f'"{resource.group}/{resource.version}, Resource={resource.plural}"'
                where = f'Unable to find {kind} that match label selector "{labels}", field selector "{fields}"'
                error.message = f"{where}: {error.message}"
            raise

    def create(self, resource: Resource, namespace: str | None, body: Object, query: Query | None = None) -> Object:
        result: Object = self.call(
            "POST", object_path(resource, namespace), {"fieldManager": MANAGER, **(query or {})}, body
        )
        return result

    def update(self, resource: Resource, namespace: str | None, body: Object, query: Query | None = None) -> Object:
        path = object_path(resource, namespace, body["metadata"]["name"])
        result: Object = self.call("PUT", path, {"fieldManager": MANAGER, **(query or {})}, body)
        return result

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        patch: Any,
        kind: str = "merge",
        query: Query | None = None,
        *,
        subresource: str = "",
    ) -> Object:
        path = object_path(resource, namespace, name, subresource)
        query = {"fieldManager": MANAGER, **(query or {})}
        result: Object = self.call("PATCH", path, query, patch, kind=PATCH_TYPES[kind])
        return result

    def delete(self, resource: Resource, namespace: str | None, name: str, options: Object) -> Object:
        body = {"kind": "DeleteOptions", "apiVersion": "v1", **options}
        result: Object = self.call("DELETE", object_path(resource, namespace, name), None, body)
        return result

    def watch(
        self, resource: Resource, namespace: str | None, query: Query, *, table: bool = False
    ) -> Iterator[tuple[str, Object]]:
        """The events of one watch request, until the server ends it."""
        path, headers = object_path(resource, namespace), {"Accept": TABLE} if table else None
        with self.transport.open(path, {**query, "watch": True}, headers) as response:
            if response.status >= 400:
                decode(Answer(response.status, response.read()))
            try:
                for line in response:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise status_error(event["object"], event["object"].get("code", 500))
                    yield event["type"], event["object"]
            except (OSError, HTTPException) as problem:
                raise Unreachable(f"the watch was cut off: {problem or type(problem).__name__}") from problem

    def lines(self, path: str, query: Query) -> Iterator[bytes]:
        """The body of a GET in pieces as they arrive (a log)."""
        with self.transport.open(path, query, {"Accept": "*/*"}) as response:
            if response.status >= 400:
                decode(Answer(response.status, response.read()))
            try:
                while piece := response.read1(65536):
                    yield piece
            except (OSError, HTTPException) as problem:
                raise Unreachable(f"the log was cut off: {problem or type(problem).__name__}") from problem


def decode(answer: Answer) -> Any:
    """The answer's JSON, or the StatusError that it carries."""
    try:
        body = json.loads(answer.body) if answer.body else {}
    except ValueError:
        body = answer.body.decode(errors="replace")
    if answer.status >= 400:
        raise status_error(body, answer.status)
    return body


def status_error(body: Any, code: int) -> Exception:
    from api.errors import from_status

    if isinstance(body, Mapping) and body.get("kind") == "Status":
        return from_status(dict(body), code)
    text = body if isinstance(body, str) else json.dumps(body)
    return from_status({"kind": "Status", "status": "Failure", "message": text.strip() or f"HTTP {code}"}, code)
