"""Identity by client certificate: the common name is the user, the organisations are the groups."""

from __future__ import annotations

from typing import Any

from apiserver.auth.user import AUTHENTICATED, User

SCOPE_KEY = "pytheas.certificate"
"""Where a request's scope has the identity in the certificate of its connection, or None."""


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
