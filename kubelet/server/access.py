"""Who may ask this kubelet for what, at its HTTPS port.

A client is who its certificate (of the cluster's authority) says, or whose bearer token it has: the API server knows
that (TokenReview), and it knows who may (SubjectAccessReview on `nodes` and its subresources). Its answers are kept for
a while. Administrators, and so the API server itself, are not asked about: it must reach its nodes in any case.

One rule is stricter than Kubernetes': to run, attach or forward is to `create`, whatever the HTTP method, so that
nobody who may only read comes in by a WebSocket's GET.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from api.errors import StatusError
from client.rest import Client, Unreachable
from daemon.aio import web
from daemon.log import logger
from kubelet.options import ServerOptions

log = logger(__name__)
T = TypeVar("T")

ADMIN_GROUP = "system:masters"
AUTHENTICATED = "system:authenticated"
ANONYMOUS = ("system:anonymous", "system:unauthenticated")
KEPT = 1024
"""Answers that are kept at most."""
OPEN = frozenset({"/healthz"})
_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_PARTS = {"stats": "stats", "metrics": "metrics", "logs": "log", "checkpoint": "checkpoint"}
_FINE = {"healthz": "healthz", "pods": "pods", "runningpods": "pods", "configz": "configz"}
"""Paths that have a subresource of their own, or that of all others."""
_INTO_PODS = frozenset({"exec", "attach", "run", "portForward"})


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a user is about to do with the node: a verb on one of these subresources."""

    verb: str
    subresources: tuple[str, ...]


def attempt(method: str, path: str) -> Attempt:
    """What a request is."""
    first = path.strip("/").partition("/")[0]
    verb = "create" if first in _INTO_PODS else _VERBS.get(method, "")
    if first in _FINE:
        return Attempt(verb, (_FINE[first], "proxy"))
    return Attempt(verb, (_PARTS.get(first, "proxy"),))


def user_of(certificate: object) -> User | None:
    """From a peer's certificate, as ssl tells it; None without one."""
    subject = certificate.get("subject", ()) if isinstance(certificate, dict) else ()
    pairs = [(name, value) for entry in subject for name, value in entry]
    names = [value for name, value in pairs if name == "commonName"]
    if not names:
        return None
    groups = [value for name, value in pairs if name == "organizationName"]
    return User(names[0], groups=(*groups, AUTHENTICATED))


class Kept(Generic[T]):
    """Answers, each until its time."""

    def __init__(self) -> None:
        self._answers: dict[object, tuple[float, T]] = {}

    def get(self, key: object, now: float) -> T | None:
        until, answer = self._answers.get(key, (0.0, None))
        return answer if until > now else None

    def put(self, key: object, answer: T, until: float) -> None:
        while len(self._answers) >= KEPT:
            del self._answers[next(iter(self._answers))]
        self._answers.pop(key, None)
        self._answers[key] = (until, answer)


@dataclass(frozen=True, slots=True)
class Rules:
    """How the operator wants it; the defaults are those of Kubernetes' kubelet as kubeadm sets it up."""

    anonymous: bool = False
    """Whether a client without credentials is let in, as a user who may as much as others say."""
    tokens: bool = True
    """Whether the API server is asked about bearer tokens."""
    always_allow: bool = False
    """Whether whoever is known may do anything."""
    token_seconds: float = 120.0
    """How long a token stays good without being asked about."""
    allowed_seconds: float = 300.0
    refused_seconds: float = 30.0

    @classmethod
    def of(cls, options: ServerOptions) -> Rules:
        return cls(
            options.anonymous_auth,
            options.authentication_token_webhook,
            options.authorization_mode == "AlwaysAllow",
            float(options.authentication_token_webhook_cache_ttl),
            float(options.authorization_webhook_cache_authorized_ttl),
            float(options.authorization_webhook_cache_unauthorized_ttl),
        )


class Reviewer(Protocol):
    """The API server's word. Its methods raise OSError when there is none."""

    async def whose(self, token: str) -> User | None: ...

    async def may(self, user: User, verb: str, subresource: str) -> tuple[bool, str]: ...


class Access:
    """Decides about each request."""

    def __init__(
        self, reviewer: Reviewer, rules: Rules | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reviewer, self._rules, self._clock = reviewer, rules or Rules(), clock
        self._users: Kept[User] = Kept()
        self._verdicts: Kept[bool] = Kept()

    async def refusal(
        self, method: str, path: str, certificate: object, headers: Mapping[str, str]
    ) -> web.Response | None:
        """The answer to a client that may not; None to go on."""
        if path in OPEN:
            return None
        try:
            user = user_of(certificate) or await self._without_certificate(headers.get("Authorization", ""))
        except OSError as error:
            log.warning("a token could not be looked at", error=str(error))
            user = None
        if user is None:
            return web.Response(status=401, text="Unauthorized")
        if ADMIN_GROUP in user.groups or self._rules.always_allow:
            return None
        wanted = attempt(method, path)
        try:
            if await self._allowed(user, wanted):
                return None
        except OSError as error:
            log.warning("a client's rights could not be asked for", error=str(error), user=user.name)
            what = f"user={user.name}, verb={wanted.verb}, resource=nodes, subresource={wanted.subresources[0]}"
            return web.Response(status=500, text=f"Authorization error ({what})")
        what = f"user={user.name}, verb={wanted.verb}, resource=nodes, subresource(s)=[{' '.join(wanted.subresources)}]"
        return web.Response(status=403, text=f"Forbidden ({what})")

    async def _without_certificate(self, header: str) -> User | None:
        """Raises OSError."""
        if not header and self._rules.anonymous:
            name, group = ANONYMOUS
            return User(name, groups=(group,))
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if not self._rules.tokens or scheme.lower() != "bearer" or not token:
            return None
        key = hashlib.sha256(token.encode()).digest()  # no secret is kept for longer than it takes to ask
        user = self._users.get(key, self._clock())
        if user is None:
            user = await self._reviewer.whose(token)
            if user is not None:
                self._users.put(key, user, self._clock() + self._rules.token_seconds)
        return user

    async def _allowed(self, user: User, wanted: Attempt) -> bool:
        """Raises OSError."""
        for subresource in wanted.subresources:
            key = (user, wanted.verb, subresource)
            verdict = self._verdicts.get(key, self._clock())
            if verdict is None:
                verdict, why = await self._reviewer.may(user, wanted.verb, subresource)
                seconds = self._rules.allowed_seconds if verdict else self._rules.refused_seconds
                self._verdicts.put(key, verdict, self._clock() + seconds)
                log.debug("asked for rights", user=user.name, verb=wanted.verb, part=subresource, yes=verdict, why=why)
            if verdict:
                return True
        return False

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """For the application of the HTTPS port."""
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        refused = await self.refusal(request.method, request.path, certificate, request.headers)
        return refused or await handler(request)


class Reviews:
    """Asks the API server about rights on this node."""

    def __init__(self, client: Client, node: str) -> None:
        self._client, self._node = client, node

    async def whose(self, token: str) -> User | None:
        """Raises OSError."""
        from api.types import authentication_v1  # few kubelets are ever asked by anybody but the API server

        review = authentication_v1.TokenReview(spec=authentication_v1.TokenReviewSpec(token=token))
        try:
            status = (await self._client.create(review)).status
        except (StatusError, Unreachable) as error:
            raise OSError(str(error)) from error
        if status is None or not status.authenticated or status.user is None:
            return None
        user = status.user
        return User(user.username or "", user.uid or "", tuple(user.groups or ()), _frozen(user.extra or {}))

    async def may(self, user: User, verb: str, subresource: str) -> tuple[bool, str]:
        """Raises OSError."""
        from api.types import authorization_v1

        what = authorization_v1.ResourceAttributes(
            verb=verb, version="v1", resource="nodes", subresource=subresource, name=self._node
        )
        spec = authorization_v1.SubjectAccessReviewSpec(
            user=user.name,
            uid=user.uid or None,
            groups=list(user.groups),
            extra={name: list(values) for name, values in user.extra},
            resourceAttributes=what,
        )
        try:
            review = await self._client.create(authorization_v1.SubjectAccessReview(spec=spec))
        except (StatusError, Unreachable) as error:
            raise OSError(str(error)) from error
        status = review.status
        return (bool(status.allowed), status.reason or "") if status is not None else (False, "")


def _frozen(extra: Mapping[str, Iterable[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(values)) for name, values in sorted(extra.items()))
