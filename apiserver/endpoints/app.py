"""The ASGI application: who asks, whether they may, which verb on which resource; every failure becomes a Status.

Resource requests are handled here and see no framework. What is left (health, version, metrics, documentation) goes to
`site`, where convenience counts more than microseconds.
"""

from __future__ import annotations

from time import perf_counter

from api.errors import Forbidden, InternalError, MethodNotSupported, NoSuchResource, StatusError, Unauthorized
from apiserver.aggregation.aggregator import Aggregator
from apiserver.aggregation.directory import Remote
from apiserver.audit.auditor import Auditor
from apiserver.auth.authenticate import Authenticator
from apiserver.auth.authorize import Attempt, authorize
from apiserver.endpoints import live, mutate, read, watch
from apiserver.endpoints.discovery import Discovery
from apiserver.endpoints.http import NOTHING, Asgi, Disconnected, Message, Receive, Request, Scope, Send, flag
from apiserver.endpoints.metrics import Requests
from apiserver.endpoints.paths import Target, parse
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.subresources.served import subresources_of
from apiserver.endpoints.versions import too_new, unavailable
from apiserver.endpoints.virtual import VIRTUAL, Asked, Virtual
from apiserver.priority import Priority, exempt, seated
from apiserver.storage.etcd import EtcdError, Unavailable
from apiserver.storage.feed import TooNew
from daemon.log import logger

log = logger(__name__)

_METHODS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_PUBLIC = ("/healthz", "/livez", "/readyz", "/version")
_READS = frozenset({"get", "list"})
_MANY = frozenset({"list", "deletecollection"})
_LONG = frozenset({"log", "exec", "attach", "portforward", "proxy"})
"""Subresources whose answers may last: they take no seat, and nor does a watch."""


class App:
    """What uvicorn calls for each request."""

    def __init__(
        self,
        state: State,
        authenticator: Authenticator,
        site: Asgi,
        requests: Requests,
        priority: Priority,
        aggregator: Aggregator,
        address: str = "",
        auditor: Auditor | None = None,
    ) -> None:
        self.state = state
        self.authenticator = authenticator
        self.requests = requests
        self.priority = priority
        self.aggregator = aggregator
        self._auditor = auditor
        self._site = site
        self._address = address
        self._virtual = {(each.group, each.version, each.plural): each for each in VIRTUAL}
        self._view = _View(state, aggregator, address)

    def close(self) -> None:
        """After the last request."""
        if self._auditor is not None:
            self._auditor.sink.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive, send)
        begun = perf_counter()
        await self._answer(request, receive)
        if request.audit is not None:
            request.audit.complete(request.status)
        if request.about is not NOTHING:
            self.requests.observe(request.about, request.status, perf_counter() - begun)

    async def _answer(self, request: Request, receive: Receive) -> None:
        try:
            await self._serve(request, receive)
        except Unauthorized as error:
            if self._auditor is not None:
                self._auditor.begin(request, Attempt(request.method.lower(), path=request.path))
            await request.fail(error)
        except StatusError as error:
            await request.fail(error)
        except TooNew as late:
            await request.fail(too_new(late))
        except Unavailable as error:
            await request.fail(unavailable(error))
        except EtcdError as error:
            await request.fail(StatusError(str(error)))
        except Disconnected:
            log.debug("the client left", path=request.path)
        except Exception as error:  # the border: whatever it was is logged and told as a Status
            log.exception("a request failed", method=request.method, path=request.path)
            await request.fail(InternalError(type(error).__name__))

    async def _serve(self, request: Request, receive: Receive) -> None:
        path = request.path
        if path.startswith(("/api/", "/apis/")) or path in ("/api", "/apis"):
            request.user = await self.authenticator.authenticate(request)
            target = parse(path)
            remote = self.aggregator.find(target)
            if remote is not None:
                await self._elsewhere(request, target, remote)
            elif target.plural:
                await self._resource(request, target)
            else:
                self._permit(request, Attempt(request.method.lower(), path=path))
                await self._current().discovery.answer(request)
            return
        if not path.startswith(_PUBLIC):
            request.user = await self.authenticator.authenticate(request)
            self._permit(request, Attempt(request.method.lower(), path=path))
        elif request.header(b"authorization"):
            await self.authenticator.authenticate(request)  # anybody may ask, but a wrong token is told
        await self._site(request.scope, receive, request.send if request.audit is None else _noting(request))

    def _permit(self, request: Request, attempt: Attempt, version: str = "") -> None:
        """Let the request pass, and tell it in the audit log from here on. Raises Forbidden."""
        if self._auditor is None:
            authorize(request.user, attempt)
            return
        self._auditor.begin(request, attempt, version, request.user)
        try:
            authorize(request.user, attempt)
        except Forbidden:
            _decided(request, "forbid")
            raise
        _decided(request, "allow")

    async def _resource(self, request: Request, target: Target) -> None:
        key = (target.group, target.version, target.plural)
        resource = self.state.catalog.find(*key)
        if resource is None and key not in self._virtual:
            await self.state.catch_up(target.group, target.plural)
            resource = self.state.catalog.find(*key)
        if resource is None:
            await self._not_stored(request, target, self._virtual.get(key))
            return
        if resource.kind.deprecation:
            request.warnings.append(resource.kind.deprecation)
        verb = self._permit_verb(request, target, resource.kind.resource)
        if resource.kind.namespaced and not target.namespace and verb not in ("list", "watch", "deletecollection"):
            raise NoSuchResource
        if verb not in resource.kind.verbs and not target.subresource:
            raise MethodNotSupported(resource.kind.resource, verb)
        if verb == "watch" or target.subresource in _LONG:
            await self._handle(request, target, resource, verb)
            return
        room = self.priority.room(request.user, verb in _READS)
        width = room.width(_looked_at(request, target, resource)) if verb in _MANY else 1
        if exempt(request.user, width):
            await self._handle(request, target, resource, verb)
            return
        await room.take(request.user.name, width)
        with seated(room, width):
            await self._handle(request, target, resource, verb)

    def _permit_verb(self, request: Request, target: Target, resource: str) -> str:
        """The verb, if it may be done. Raises MethodNotSupported, Forbidden."""
        verb = _verb(request, target, resource)
        what = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
        request.about = (verb, target.group, what)
        self._permit(request, Attempt(verb, what, target.group, target.namespace, target.name), target.version)
        return verb

    async def _elsewhere(self, request: Request, target: Target, remote: Remote) -> None:
        """Let another server answer, once it is clear that the client may ask."""
        if target.plural:
            self._permit_verb(request, target, f"{target.plural}.{target.group}")
        else:
            self._permit(request, Attempt(request.method.lower(), path=request.path))
        await self.aggregator.forward(request, remote)

    async def _handle(self, request: Request, target: Target, resource: Resource, verb: str) -> None:
        if target.subresource:
            await self._subresource(request, target, resource, verb)
        elif resource.kind.live is not None:
            await live.answer(self.state, request, resource, resource.kind.live, target.namespace, target.name)
        else:
            await self._object(request, target, resource, verb)

    async def _not_stored(self, request: Request, target: Target, found: Virtual | None) -> None:
        if found is None or target.name or (found.namespaced and not target.namespace):
            raise NoSuchResource
        if request.method != "POST":
            raise MethodNotSupported(found.resource, request.method)
        self._permit(request, Attempt("create", found.plural, found.group, target.namespace), target.version)
        await found.answer(found, Asked(self.state, request, target.namespace, self.authenticator))

    async def _subresource(self, request: Request, target: Target, resource: Resource, verb: str) -> None:
        found = self._current().subresources[resource].get(target.subresource)
        if found is None:
            raise NoSuchResource
        handler = found.handlers.get(verb)
        if handler is None:
            raise MethodNotSupported(f"{resource.kind.resource}/{target.subresource}", verb)
        await handler(self.state, request, resource, target)

    def _current(self) -> _View:
        if self._view.generation != (self.state.catalog.generation, self.aggregator.generation):
            self._view = _View(self.state, self.aggregator, self._address)
        return self._view

    async def _object(self, request: Request, target: Target, resource: Resource, verb: str) -> None:
        state, namespace, name = self.state, target.namespace, target.name
        match verb:
            case "get":
                await read.get(state, request, resource, namespace, name)
            case "list":
                await read.list_(state, request, resource, namespace)
            case "watch":
                await watch.watch(state, request, resource, namespace, name)
            case "create":
                await mutate.create(state, request, resource, namespace)
            case "update":
                await mutate.update(state, request, resource, namespace, name)
            case "patch":
                await mutate.patch(state, request, resource, namespace, name)
            case "delete":
                await mutate.delete(state, request, resource, namespace, name)
            case _:
                await mutate.delete_collection(state, request, resource, namespace)


def _looked_at(request: Request, target: Target, resource: Resource) -> int:
    """How many objects a list or a deletion of many looks at, about."""
    count, limit = resource.cache.count(target.namespace), request.query.get("limit", "")
    return min(count, int(limit)) if limit.isdecimal() and limit != "0" else count


def _decided(request: Request, decision: str) -> None:
    if request.audit is not None:
        request.audit.annotate("authorization.k8s.io/decision", decision)
        request.audit.annotate("authorization.k8s.io/reason", "")


def _noting(request: Request) -> Send:
    """Sends an answer that is none of ours, and notes its status."""

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            request.status = message["status"]
        await request.send(message)

    return send


class _View:
    """What follows from what is served now, here and elsewhere."""

    def __init__(self, state: State, aggregator: Aggregator, address: str) -> None:
        self.generation = (state.catalog.generation, aggregator.generation)
        self.discovery = Discovery(state.catalog.kinds, address, elsewhere=aggregator.elsewhere())
        self.subresources: dict[Resource, dict[str, Subresource]] = {
            resource: subresources_of(resource.kind) for resource in state.catalog
        }


def _verb(request: Request, target: Target, resource: str) -> str:
    """The API's verb for an HTTP method. Raises MethodNotSupported."""
    method = request.method
    if method in ("GET", "HEAD"):
        if target.watch or (not target.subresource and flag(request.query, "watch")):
            return "watch"
        return "get" if target.name else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    verb = _METHODS.get(method)
    fits = (not target.name or target.subresource) if verb == "create" else target.name
    if verb is None or not fits:
        raise MethodNotSupported(resource, verb or method)
    return verb
