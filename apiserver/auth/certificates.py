"""Identity by client certificate: the common name is the user, the organisations are the groups.

ASGI says nothing about client certificates and uvicorn offers no extension for them, so the protocol class that reads
requests from a connection looks at the TLS session once, when the connection is made, and marks each request's scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apiserver.auth.user import AUTHENTICATED, User

if TYPE_CHECKING:
    import asyncio

SCOPE_KEY = "pytheas.certificate"


def user_of(certificate: dict[str, Any] | None) -> User | None:
    """The identity in a verified certificate, in the form `ssl` gives it; None without a common name."""
    names: dict[str, list[str]] = {}
    for part in (certificate or {}).get("subject", ()):
        for key, value in part:
            names.setdefault(key, []).append(value)
    common = names.get("commonName")
    if not common:
        return None
    return User(common[0], (*names.get("organizationName", ()), AUTHENTICATED))


class CertificateProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol that puts the client certificate's `User` into the scope."""

    certificate_user: User | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        self.certificate_user = user_of(session.getpeercert()) if session is not None else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[SCOPE_KEY] = self.certificate_user  # type: ignore[literal-required]
