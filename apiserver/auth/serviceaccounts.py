"""Service account tokens: JSON Web Tokens (RFC 7519) that this server signs and later recognises.

A token is good while its account, and the pod it was made for if it names one, are still the very objects (by uid) that
it was made for.
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from apiserver.auth import keyset
from apiserver.auth.user import AUTHENTICATED, User

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    SigningKey = EllipticCurvePrivateKey | RSAPrivateKey

Claims = dict[str, Any]
Uid = Callable[[str, str, str], str | None]
"""The uid of an object by plural, namespace and name; None if there is none."""

GROUP = "system:serviceaccounts"
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is made for: `plural` is `pods`, `secrets` or `nodes`."""

    plural: str
    kind: str
    name: str
    uid: str


class Issuer:
    """Makes and checks tokens. The key is read, and the cryptography loaded, when the first token comes by."""

    def __init__(self, key_file: Path, issuer: str, now: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self._key_file = key_file
        self._now = now
        self._verified: dict[str, Claims] = {}

    @cached_property
    def _key(self) -> SigningKey:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self._key_file.read_bytes(), password=None)
        if not isinstance(key, (EllipticCurvePrivateKey, RSAPrivateKey)):
            raise ValueError(f"{self._key_file}: the key must be an RSA or an elliptic curve key")
        return key

    def issue(
        self, namespace: str, account: str, uid: str, audiences: list[str], seconds: int, bound: Bound | None = None
    ) -> tuple[str, float]:
        """A new token, and when it expires (Unix time)."""
        now = int(self._now())
        about: Claims = {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}}
        if bound is not None:
            about[bound.kind.lower()] = {"name": bound.name, "uid": bound.uid}
        claims: Claims = {
            "aud": audiences or [self.issuer],
            "exp": now + seconds,
            "iat": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": about,
            "nbf": now,
            "sub": subject(namespace, account),
        }
        signed = f"{_encode(orjson.dumps(self._header()))}.{_encode(orjson.dumps(claims))}".encode()
        return f"{signed.decode()}.{_encode(_sign(self._key, signed))}", float(now + seconds)

    def user_of(self, token: str, uid: Uid, audience: str = "") -> User | None:
        """The user a token stands for: None if it is not ours, not valid now, or what it was made for has gone.

        `audience` is whom it must have been made for, if not for this server.
        """
        claims = self._claims(token)
        if claims is None or not claims["nbf"] <= self._now() < claims["exp"]:
            return None
        if (audience or self.issuer) not in claims["aud"]:
            return None
        about: Claims = claims["kubernetes.io"]
        namespace, account = about["namespace"], about["serviceaccount"]
        if uid("serviceaccounts", namespace, account["name"]) != account["uid"]:
            return None
        extra = {"authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",)}
        for kind, plural in (("pod", "pods"), ("secret", "secrets")):
            if bound := about.get(kind):
                if uid(plural, namespace, bound["name"]) != bound["uid"]:
                    return None
                extra[f"authentication.kubernetes.io/{kind}-name"] = (bound["name"],)
                extra[f"authentication.kubernetes.io/{kind}-uid"] = (bound["uid"],)
        groups = (GROUP, f"{GROUP}:{namespace}", AUTHENTICATED)
        return User(claims["sub"], groups, account["uid"], extra)

    def is_ours(self, token: str) -> bool:
        """Whether our key signed the token, valid or not."""
        return self._claims(token) is not None

    def audiences(self, token: str) -> list[str]:
        """Whom a token of ours was made for."""
        return list((self._claims(token) or {}).get("aud", ()))

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The key's public half, for others to check tokens by."""
        return keyset.jwk(self._key.public_key(), _algorithm(self._key))

    def _header(self) -> Claims:
        return {"alg": self.jwk["alg"], "kid": self.jwk["kid"], "typ": "JWT"}

    def _claims(self, token: str) -> Claims | None:
        """What a token says, if our key signed it. Signatures are checked once a token."""
        found = self._verified.get(token)
        if found is not None:
            return found
        signed, _, signature = token.rpartition(".")
        try:
            header, _, payload = signed.partition(".")
            if orjson.loads(_decode(header)).get("alg") != _algorithm(self._key):
                return None
            if not _verify(self._key, _decode(signature), signed.encode()):
                return None
            claims: Claims = orjson.loads(_decode(payload))
        except (ValueError, binascii.Error, AttributeError):
            return None
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = claims
        return claims


def subject(namespace: str, account: str) -> str:
    """The user name of an account."""
    return f"system:serviceaccount:{namespace}:{account}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_CURVES = {"secp256r1": ("ES256", 32), "secp384r1": ("ES384", 48), "secp521r1": ("ES512", 66)}


def _algorithm(key: SigningKey) -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    return "RS256" if isinstance(key, RSAPrivateKey) else _CURVES[key.curve.name][0]


def _hash(algorithm: str) -> Any:
    from cryptography.hazmat.primitives import hashes

    made: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
    return made[algorithm[2:]]


def _sign(key: SigningKey, data: bytes) -> bytes:
    """A signature in JOSE's form (RFC 7518): for a curve the two numbers side by side, not in DER."""
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    digest = _hash(_algorithm(key))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    size = _CURVES[key.curve.name][1]
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _verify(key: SigningKey, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    digest = _hash(_algorithm(key))
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            key.public_key().verify(signature, data, padding.PKCS1v15(), digest)
            return True
        size = _CURVES[key.curve.name][1]
        if len(signature) != 2 * size:
            return False
        numbers = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        key.public_key().verify(encode_dss_signature(*numbers), data, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True
