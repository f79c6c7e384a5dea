"""Asking a webhook: one POST of a JSON document to a URL or a Service, over pooled connections.

Admission and the conversion of custom kinds both ask this way. Failures come in the words of Kubernetes' own client,
since people match on them and search for them.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from api.errors import NotFound, StatusError, from_status
from api.field import quote
from apiserver.registry.kind import Object
from apiserver.remote import services, tls
from apiserver.remote.address import Address
from apiserver.remote.failure import describe
from apiserver.remote.limited import TooLong, whole

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from apiserver.endpoints.state import State

_ATTEMPTS = 2
_JSON = {"content-type": "application/json", "accept": "application/json"}


class WebhookError(Exception):
    """The webhook could not be asked, or its answer is no good. `status` is what it said, if it said anything."""

    def __init__(self, why: str, status: StatusError | None = None) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to post. `url` is as people know it; `address` is where it is answered, if that is another place."""

    url: str
    host: str
    address: Address | None = None

    @property
    def target(self) -> str:
        """The URL to connect to."""
        if self.address is None:
            return self.url
        parts = urlsplit(self.url)
        return parts._replace(netloc=str(self.address)).geturl()


def endpoint_of(state: State, client: Mapping[str, Any], seconds: int) -> Endpoint:
    """Where a `clientConfig` points. Raises WebhookError."""
    service = client.get("service")
    if not service:
        url = f"{client['url']}?timeout={seconds}s"
        return Endpoint(url, urlsplit(url).hostname or "")
    namespace, name, port = service["namespace"], service["name"], service.get("port") or 443
    host = f"{name}.{namespace}.svc"
    url = f"https://{host}:{port}/{(service.get('path') or '').lstrip('/')}?timeout={seconds}s"
    try:
        return Endpoint(url, host, services.resolve(state, namespace, name, port))
    except NotFound as error:
        raise WebhookError(f'Post "{url}": service {quote(name)} not found') from error
    except StatusError as error:
        raise WebhookError(f'Post "{url}": {error}') from error


class Webhooks:
    """The connections to all webhooks, made when first needed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._session: ClientSession | None = None

    async def post(self, client: Mapping[str, Any], document: Object, seconds: int) -> Object:
        """Send `document` to where `client` (a clientConfig) points; what it answers. Raises WebhookError."""
        endpoint = endpoint_of(self._state, client, seconds)
        try:
            context = tls.trusting(client.get("caBundle") or "")
        except ValueError as error:
            raise WebhookError(str(error)) from error
        status, content_type, body = await self._send(endpoint, context, orjson.dumps(document), seconds)
        return read_answer(status, content_type, body)

    async def _send(
        self, endpoint: Endpoint, context: ssl.SSLContext, body: bytes, seconds: int
    ) -> tuple[int, str, bytes]:
        import aiohttp  # large, and few servers have webhooks

        name = endpoint.host
        options: dict[str, Any] = {"ssl": context, "server_hostname": name, "allow_redirects": False}
        options["headers"] = {**_JSON, "host": urlsplit(endpoint.url).netloc}
        options["timeout"] = aiohttp.ClientTimeout(total=seconds)
        for attempt in range(_ATTEMPTS):
            try:
                async with self._opened().post(endpoint.target, data=body, **options) as answer:
                    return answer.status, answer.content_type, await whole(answer.content)
            except aiohttp.ServerDisconnectedError as error:
                if attempt == _ATTEMPTS - 1:  # before that it may be a pooled connection that had been closed
                    raise WebhookError(f'Post "{endpoint.url}": {describe(error, name)}') from error
            except TooLong as error:
                raise WebhookError(str(error)) from error
            except TimeoutError as error:
                raise WebhookError(f'Post "{endpoint.url}": context deadline exceeded') from error
            except (aiohttp.ClientError, OSError) as error:
                raise WebhookError(f'Post "{endpoint.url}": {describe(error, name)}') from error
        raise AssertionError("the last attempt returns or raises")

    def _opened(self) -> ClientSession:
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=90)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def read_answer(status: int, content_type: str, body: bytes) -> Object:
    """The JSON object in an answer. Raises WebhookError for any other answer."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if status >= 300:
            raise _refused(status, content_type, body) from error
        raise WebhookError(f"couldn't get version/kind; json parse error: {error}") from error
    if isinstance(value, dict) and value.get("kind") == "Status" and value.get("status") != "Success":
        said = from_status(value, status)
        raise WebhookError(str(said), said)
    if status >= 300:
        raise _refused(status, content_type, body)
    if not isinstance(value, dict) or not value.get("kind"):
        raise WebhookError(f"Object 'Kind' is missing in '{body[:1024].decode(errors='replace')}'")
    return value


_SAID = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


def _refused(status: int, content_type: str, body: bytes) -> WebhookError:
    """An answer that is no success, and no Status either."""
    text = body[:2048].decode(errors="replace").strip() if content_type.startswith("text/") else "unknown"
    said = _SAID.get(status)
    if said is None and status in (403, 406, 415):
        said = text
    if said is None and status >= 500:
        said = f"an error on the server ({quote(text)}) has prevented the request from succeeding"
    said = said or f"the server responded with the status code {status} but did not return more information"
    return WebhookError(said, StatusError(said, code=status))
