"""Why another server could not be asked, in the words of Kubernetes' own client: people search for them."""

from __future__ import annotations

import os
import ssl

from apiserver.remote.address import Address

_UNTRUSTED = "x509: certificate signed by unknown authority"
_VERIFY = {
    10: "x509: certificate has expired or is not yet valid",
    18: _UNTRUSTED,
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    21: _UNTRUSTED,
}
"""By OpenSSL's codes."""


def describe(error: Exception, name: str) -> str:
    """What went wrong with a request of aiohttp's to a server that should be `name`."""
    from aiohttp import ClientConnectorDNSError, ClientConnectorError, ClientSSLError, ServerDisconnectedError

    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error.__cause__
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, name)
    if isinstance(error, ClientSSLError):
        return f"tls: {error}"
    if isinstance(error, ServerDisconnectedError):
        return "EOF"
    if isinstance(error, ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, ClientConnectorError):
        address = Address(error.host, error.port or 443)
        return f"dial tcp {address}: connect: {_system(error.os_error)}"
    return str(error) or type(error).__name__


def describe_dial(error: Exception, address: Address, name: str = "") -> str:
    """What went wrong with a connection of our own to `address`, or on it."""
    if isinstance(error, ssl.SSLError):
        return _tls(error, name or address.host)
    if isinstance(error, TimeoutError):
        return f"dial tcp {address}: i/o timeout"
    if isinstance(error, ConnectionRefusedError) or (isinstance(error, OSError) and error.errno):
        return f"dial tcp {address}: connect: {_system(error)}"
    return str(error) or type(error).__name__


def _system(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _tls(error: ssl.SSLError, name: str) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"remote error: tls: {error.reason or error}"
    reason = _VERIFY.get(error.verify_code)
    if reason is None:
        reason = f"x509: certificate is not valid for {name}: {error.verify_message}"
    return f"tls: failed to verify certificate: {reason}"
