"""Where others learn how to check the tokens of service accounts (OpenID Connect Discovery)."""

from __future__ import annotations

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.errors import NoSuchResource
from apiserver.auth.serviceaccounts import Issuer
from apiserver.endpoints.openapi_pages import refusal

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"
_HEADERS = {"cache-control": "public, max-age=3600"}


class OpenId:
    """The two pages; without an issuer there is nothing to tell."""

    def __init__(self, issuer: Issuer | None) -> None:
        self._issuer = issuer

    async def configuration(self, request: Request) -> Response:
        if self._issuer is None:
            return refusal(NoSuchResource())
        document = {
            "issuer": self._issuer.issuer,
            "jwks_uri": f"https://{request.url.netloc}{KEYS}",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self._issuer.jwk["alg"]],
        }
        return Response(orjson.dumps(document), media_type="application/json", headers=_HEADERS)

    async def keys(self) -> Response:
        if self._issuer is None:
            return refusal(NoSuchResource())
        keys = {"keys": [self._issuer.jwk]}
        return Response(orjson.dumps(keys), media_type="application/jwk-set+json", headers=_HEADERS)
