"""The ASGI application: who asks, whether they may, which verb on which resource; every failure becomes a Status."""

from __future__ import annotations

from api.errors import InternalError, MethodNotSupported, NoSuchResource, StatusError
from apiserver.auth.authenticate import Authenticator
from apiserver.auth.authorize import Attempt, authorize
from apiserver.endpoints import mutate, read, watch
from apiserver.endpoints.http import Disconnected, Receive, Request, Scope, Send
from apiserver.endpoints.paths import Target, parse
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import unavailable
from apiserver.storage.etcd import EtcdError, Unavailable
from daemon.log import logger

log = logger(__name__)

_TRUE = ("true", "1")


class App:
    """What uvicorn calls for each request."""

    def __init__(self, state: State, authenticator: Authenticator) -> None:
        self.state = state
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(Request(scope, receive, send))

    async def _answer(self, request: Request) -> None:
        try:
            await self._serve(request)
        except StatusError as error:
            await request.fail(error)
        except Unavailable as error:
            await request.fail(unavailable(error))
        except EtcdError as error:
            await request.fail(StatusError(str(error)))
        except Disconnected:
            log.debug("the client left", path=request.path)
        except Exception as error:  # the border: whatever it was is logged and told as a Status
            log.exception("a request failed", method=request.method, path=request.path)
            await request.fail(InternalError(type(error).__name__))

    async def _serve(self, request: Request) -> None:
        path = request.path
        if path.startswith(("/api/", "/apis/")):
            request.user = await self.authenticator.authenticate(request)
            target = parse(path)
            if target.plural:
                await self._resource(request, target)
                return
        if path in ("/healthz", "/readyz", "/livez"):
            await request.answer(200, b"ok", b"text/plain")
            return
        raise NoSuchResource

    async def _resource(self, request: Request, target: Target) -> None:
        resource = self.state.resources.get((target.group, target.version, target.plural))
        if resource is None:
            raise NoSuchResource
        verb = _verb(request, target, resource)
        what = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
        authorize(request.user, Attempt(verb, what, target.group, target.namespace, target.name))
        if resource.kind.namespaced and target.name and not target.namespace:
            raise NoSuchResource
        await self._dispatch(request, target, resource, verb)

    async def _dispatch(self, request: Request, target: Target, resource: Resource, verb: str) -> None:
        state, namespace, name = self.state, target.namespace, target.name
        if verb == "get":
            await read.get(state, request, resource, namespace, name)
        elif verb == "list":
            await read.list_(state, request, resource, namespace)
        elif verb == "watch":
            await watch.watch(state, request, resource, namespace, name)
        elif verb == "create":
            await mutate.create(state, request, resource, namespace)
        elif verb == "update":
            await mutate.update(state, request, resource, namespace, name, target.subresource)
        elif verb == "delete":
            await mutate.delete(state, request, resource, namespace, name)
        else:
            raise MethodNotSupported(resource.kind.resource, verb)


def _verb(request: Request, target: Target, resource: Resource) -> str:
    """The API's verb for an HTTP method. Raises MethodNotSupported."""
    method = request.method
    if method in ("GET", "HEAD"):
        if target.watch or (not target.subresource and request.query.get("watch") in _TRUE):
            return "watch"
        return "get" if target.name else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    verb = {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method)
    if verb is None or (verb == "create") == bool(target.name and not target.subresource):
        raise MethodNotSupported(resource.kind.resource, method)
    return verb
