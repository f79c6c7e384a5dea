"""Who asks: a client certificate, else a bearer token. Nobody is anonymous but on the health pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from api.errors import BadRequest, Unauthorized
from apiserver.auth.authorize import Attempt, authorize
from apiserver.auth.certificates import SCOPE_KEY
from apiserver.auth.serviceaccounts import Issuer
from apiserver.auth.user import AUTHENTICATED, User
from apiserver.endpoints.http import Request
from apiserver.endpoints.state import State

_IMPERSONATE = b"impersonate-"

TokenCheck = Callable[[str], Awaitable[User | None]]


class Authenticator:
    """Asks the certificate first, then each of the token checks."""

    def __init__(self, checks: Sequence[TokenCheck] = ()) -> None:
        self._checks = tuple(checks)

    async def authenticate(self, request: Request) -> User:
        """Who asks, or whom an administrator asks as (`kubectl --as`). Raises Unauthorized, Forbidden."""
        user = await self._identify(request)
        shown = impersonated(user, request.scope["headers"])
        if shown is not user:
            request.impersonator = user
        return shown

    async def _identify(self, request: Request) -> User:
        user: User | None = request.scope.get(SCOPE_KEY)
        if user is not None:
            return user
        scheme, _, token = request.header(b"authorization").partition(" ")
        if scheme.lower() == "bearer" and (found := await self.user_of(token.strip())):
            return found
        raise Unauthorized

    async def user_of(self, token: str) -> User | None:
        """The user a token stands for, or None."""
        for check in self._checks:
            if token and (user := await check(token)):
                return user
        return None


def impersonated(user: User, headers: Iterable[tuple[bytes, bytes]]) -> User:
    """The user whom the Impersonate-* headers name, if `user` may act for others. Raises Forbidden, BadRequest."""
    wanted = [(name, value.decode("latin-1")) for name, value in headers if name.startswith(_IMPERSONATE)]
    if not wanted:
        return user
    name = next((value for header, value in wanted if header == b"impersonate-user"), "")
    groups = [value for header, value in wanted if header == b"impersonate-group"]
    if not name:
        raise BadRequest("impersonation headers are set, but Impersonate-User is not among them")
    authorize(user, Attempt("impersonate", "users", name=name))
    if AUTHENTICATED not in groups:
        groups.append(AUTHENTICATED)
    return User(name, tuple(groups))


def account_tokens(issuer: Issuer, state: State) -> TokenCheck:
    """Service account tokens. What one was made for may be newer than the cache: then etcd is asked how new that is."""

    async def check(token: str) -> User | None:
        user = issuer.user_of(token, state.uid_of)
        if user is None and issuer.is_ours(token):
            await state.feed.fresh()
            user = issuer.user_of(token, state.uid_of)
        return user

    return check


def static_tokens(path: Path) -> TokenCheck:
    """Tokens from a file of lines `token,user,uid,"group1,group2"`. Raises ValueError for a line that is none."""
    users = _read_tokens(path)

    async def check(token: str) -> User | None:
        return users.get(token)

    return check


def _read_tokens(path: Path) -> Mapping[str, User]:
    import csv

    users: dict[str, User] = {}
    with path.open(newline="") as lines:
        for number, row in enumerate(csv.reader(lines), start=1):
            if not row or row[0].startswith("#"):
                continue
            if len(row) < 3 or not row[0] or not row[1]:
                raise ValueError(f"{path}, line {number}: want token,user,uid and optionally groups")
            groups = tuple(group.strip() for group in row[3].split(",") if group.strip()) if len(row) > 3 else ()
            users[row[0]] = User(row[1], (*groups, AUTHENTICATED), row[2])
    return users
