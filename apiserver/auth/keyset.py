"""The public half of the key that signs service account tokens, for others to check them by (RFC 7517)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey = EllipticCurvePublicKey | RSAPublicKey

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def key_id(key: PublicKey) -> str:
    """What tokens call the key: a hash of it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return _text(hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest())


def jwk(key: PublicKey, algorithm: str) -> dict[str, str]:
    """The key as a JSON Web Key."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    head = {"use": "sig", "kid": key_id(key), "alg": algorithm}
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        return {**head, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    point, size = key.public_numbers(), (key.curve.key_size + 7) // 8
    return {
        **head,
        "kty": "EC",
        "crv": _CURVES[key.curve.name],
        "x": _text(point.x.to_bytes(size, "big")),
        "y": _text(point.y.to_bytes(size, "big")),
    }


def _number(number: int) -> str:
    return _text(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
