"""What is wrong with a request for a certificate: the request itself, signer, usages, conditions, and the answer."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, not_supported, required, too_long
from apiserver.registry.kind import Object

APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
LEGACY_SIGNER = "kubernetes.io/legacy-unknown"

_FINAL = (APPROVED, DENIED, FAILED)
_SHORTEST = 600
_DOMAIN = 253
_SIGNER = _DOMAIN + 1 + _DOMAIN + 1 + 63
_USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


def spec(value: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    if why := _bad_request(value.get("request") or ""):
        errors.append(invalid("spec.request", value.get("request") or "", why))
    usages = value.get("usages") or []
    if not usages:
        errors.append(required("spec.usages"))
    for index, usage in enumerate(usages):
        if usage not in _USAGES:
            errors.append(not_supported(f"spec.usages[{index}]", usage, _USAGES))
    errors += [duplicate(f"spec.usages[{n}]", usage) for n, usage in enumerate(usages) if usage in usages[:n]]
    errors += _signer(value.get("signerName") or "", "spec.signerName")
    seconds = value.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.append(invalid("spec.expirationSeconds", seconds, text))
    return errors


def decoded(text: str) -> bytes:
    """The bytes that stand in JSON as base64; none if they do not."""
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


def _bad_request(request: str) -> str:
    """Why it is no request for a certificate, signed by the key it is about."""
    from cryptography import x509  # large, and rarely needed
    from cryptography.exceptions import UnsupportedAlgorithm

    block = _BLOCK.search(decoded(request))
    if block is None or block[1] != b"CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        parsed = x509.load_pem_x509_csr(block[0])
        signed = parsed.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"x509: {error}"
    return "" if signed else "x509: the signature is not valid"


def _signer(name: str, at: str) -> list[FieldError]:
    if not name:
        return [required(at)]
    if name == LEGACY_SIGNER:
        return [invalid(at, name, "the legacy signerName is not allowed via this API version")]
    domain, slash, path = name.partition("/")
    if not slash or "/" in path:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [invalid(at, name, text)]
    errors = [too_long(at, "", _DOMAIN)] if len(domain) > _DOMAIN else []
    errors += _labels(domain, at, names.dns1123_label)
    if "." not in domain:
        errors.append(invalid(at, domain, "should be a domain with at least two segments separated by dots"))
    errors += _labels(path, at, names.dns1123_subdomain)
    return [*errors, too_long(at, "", _SIGNER)] if len(name) > _SIGNER else errors


def _labels(text: str, at: str, check: Callable[[str], list[str]]) -> list[FieldError]:
    """The first part between dots that is wrong."""
    for label in text.split("."):
        if wrong := check(label):
            return [invalid(at, text, f'validating label "{label}": {why}') for why in wrong]
    return []


def conditions(given: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, condition in enumerate(given):
        at, kind, status = f"status.conditions[{index}]", condition.get("type") or "", condition.get("status") or ""
        earlier = [each.get("type") for each in given[:index]]
        if not kind:
            errors.append(required(f"{at}.type"))
        allowed = ("True",) if kind in _FINAL else ("False", "True", "Unknown")
        if not status:
            errors.append(required(f"{at}.status"))
        elif status not in allowed:
            errors.append(not_supported(f"{at}.status", status, allowed))
        if kind in (APPROVED, DENIED) and {APPROVED, DENIED} <= {kind, *earlier}:
            text = "Approved and Denied conditions are mutually exclusive"
            errors.append(invalid("status.conditions", kind, text))
        if kind in earlier:
            errors.append(duplicate(f"{at}.type", kind))
    return errors


def kept_conditions(now: list[Object], before: list[Object], *, approves: bool) -> list[FieldError]:
    """What was decided stays decided. `approves`: through the approval subresource, where it is decided."""
    at = "status.conditions"
    errors: list[FieldError] = []
    for kind in _FINAL:
        new, old = _of(now, kind), _of(before, kind)
        if len(new) < len(old):
            errors.append(forbidden(at, f'updates may not remove a condition of type "{kind}"'))
        elif approves or kind == FAILED:
            continue
        elif len(new) > len(old):
            errors.append(forbidden(at, f'updates may not add a condition of type "{kind}"'))
        elif new != old:
            errors.append(forbidden(at, f'updates may not modify a condition of type "{kind}"'))
    return errors


def _of(given: list[Object], kind: str) -> list[Object]:
    return [each for each in given if each.get("type") == kind]


def kept_certificate(now: str, before: str, *, signs: bool) -> list[FieldError]:
    """A certificate is set once. `signs`: through the status subresource, where it is set."""
    if now == before or (signs and not before):
        return []
    text = "updates may not modify existing certificate content" if signs else "updates may not set certificate content"
    return [forbidden("status.certificate", text)]


def certificate(text: str) -> list[FieldError]:
    if not text:
        return []
    why = _bad_certificate(decoded(text))
    return [invalid("status.certificate", "<certificate data>", why)] if why else []


def _bad_certificate(data: bytes) -> str:
    from cryptography import x509  # large, and rarely needed

    blocks = list(_BLOCK.finditer(data))
    if not blocks:
        return "must contain at least one CERTIFICATE PEM block"
    for block in blocks:
        if block[1] != b"CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{block[1].decode()}"'
        if b":" in block[2]:
            return "no PEM block headers are permitted"
        try:
            x509.load_pem_x509_certificate(block[0])
        except ValueError as error:
            return f"x509: {error}"
    return ""
