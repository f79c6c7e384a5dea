"""TLS towards other servers: one context for each authority that they are trusted by."""

from __future__ import annotations

import base64
import binascii
import ssl
from functools import lru_cache
from pathlib import Path

_KEPT = 256


@lru_cache(_KEPT)
def trusting(bundle: str, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """A context that trusts a `caBundle` (base64 of PEM), or without one what the machine trusts.

    The same context comes back for the same bundle: connections are pooled by it. Raises ValueError.
    """
    try:
        context = ssl.create_default_context(cadata=base64.b64decode(bundle).decode("ascii") if bundle else None)
    except (ssl.SSLError, binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("unable to load root certificates: unable to parse bytes as PEM block") from error
    return _showing(context, certificate, key)


@lru_cache(_KEPT)
def unverified(certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """A context for a server whose owner asked not to verify it (`insecureSkipTLSVerify`)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _showing(context, certificate, key)


def _showing(context: ssl.SSLContext, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    if certificate is not None:
        context.load_cert_chain(str(certificate), str(key) if key else None)
    return context
