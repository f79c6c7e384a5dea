"""The published key checks what the private one signs."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from apiserver.auth.keyset import jwk, key_id

DATA = b"header.claims"


def number(key: dict[str, str], name: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="))


def test_rsa() -> None:
    private = rsa.generate_private_key(65537, 2048)
    key = jwk(private.public_key(), "RS256")
    assert (key["kty"], key["alg"], key["use"], key["e"]) == ("RSA", "RS256", "sig", "AQAB")
    public = rsa.RSAPublicNumbers(number(key, "e"), number(key, "n")).public_key()
    public.verify(private.sign(DATA, padding.PKCS1v15(), hashes.SHA256()), DATA, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("curve", "name", "length"),
    [(ec.SECP256R1(), "P-256", 43), (ec.SECP384R1(), "P-384", 64), (ec.SECP521R1(), "P-521", 88)],
)
def test_curves(curve: Any, name: str, length: int) -> None:
    private = ec.generate_private_key(curve)
    key = jwk(private.public_key(), "ES256")
    assert (key["kty"], key["crv"], len(key["x"]), len(key["y"])) == ("EC", name, length, length)
    public = ec.EllipticCurvePublicNumbers(number(key, "x"), number(key, "y"), curve).public_key()
    assert key_id(public) == key["kid"] == key_id(private.public_key())
    public.verify(private.sign(DATA, ec.ECDSA(hashes.SHA256())), DATA, ec.ECDSA(hashes.SHA256()))
