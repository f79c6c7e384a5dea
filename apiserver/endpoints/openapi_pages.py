"""The OpenAPI documents as pages: made in a thread when first asked for, and kept while they are true.

A document's address in the index ends in the hash of its content, so that whoever has it may keep it for good; under an
old hash one is sent to the new one.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
from fastapi import Header, Query
from fastapi.responses import Response

from api.codec import JSON
from api.errors import NoSuchResource, NotAcceptable, StatusError
from apiserver.aggregation.schemas import Foreign, Schemas
from apiserver.endpoints import compression, openapi_protobuf
from apiserver.endpoints.catalog import Catalog
from apiserver.endpoints.negotiate import by_preference
from apiserver.endpoints.openapi import Api, Document, index

_KEEP = timedelta(days=365)
_V2 = dict.fromkeys((openapi_protobuf.ASKED_AS, openapi_protobuf.CONTENT_TYPE), openapi_protobuf.CONTENT_TYPE)
_JSON = {JSON: JSON, "application/*": JSON, "*/*": JSON}


@dataclass(frozen=True)
class Page:
    """A document's bytes, as they are and compressed."""

    body: bytes
    packed: bytes
    tag: str
    media_type: str = JSON

    @classmethod
    def of(cls, body: bytes, tag: str = "", media_type: str = JSON) -> Page:
        packed = gzip.compress(body, 1, mtime=0) if len(body) > compression.THRESHOLD else b""
        return cls(body, packed, tag or hashlib.sha512(body).hexdigest().upper(), media_type)


class Pages:
    """The pages of a catalog, whatever it has become."""

    def __init__(self, catalog: Catalog, elsewhere: Schemas) -> None:
        self._catalog = catalog
        self._elsewhere = elsewhere
        self._generation = (-1, -1)
        self._api = Api((), ())
        self._documents: dict[str, Document | Foreign] = {}
        self._made: dict[object, Page] = {}
        self._making = asyncio.Lock()

    async def index(self, accept_encoding: str = Header(""), if_none_match: str = Header("")) -> Response:
        self._current()
        documents = self._documents
        page = await self._page("index", lambda: Page.of(orjson.dumps(index(documents))))
        return _answer(page, accept_encoding, if_none_match)

    async def v2(
        self, accept: str = Header(""), accept_encoding: str = Header(""), if_none_match: str = Header("")
    ) -> Response:
        api, media_type = self._current(), _media_type(accept, {**_JSON, **_V2})
        if not media_type:
            return refusal(NotAcceptable((JSON, openapi_protobuf.CONTENT_TYPE)))
        encode = orjson.dumps if media_type == JSON else openapi_protobuf.encode
        page = await self._page(media_type, lambda: Page.of(encode(api.v2()), media_type=media_type))
        return _answer(page, accept_encoding, if_none_match)

    async def v3(
        self,
        path: str,
        accept: str = Header(""),
        accept_encoding: str = Header(""),
        if_none_match: str = Header(""),
        asked: str = Query("", alias="hash"),
    ) -> Response:
        self._current()
        if not path:
            return await self.index(accept_encoding, if_none_match)
        document = self._documents.get(path)
        if document is None:
            return refusal(NoSuchResource())
        if not _media_type(accept, _JSON):
            return refusal(NotAcceptable((JSON,)))
        page = await self._page(document, lambda: Page.of(document.write(), document.hash))
        if asked and asked != page.tag:
            return Response(status_code=301, headers={"location": document.url})
        return _answer(page, accept_encoding, if_none_match, lasting=bool(asked))

    def paths(self) -> list[str]:
        """The paths of discovery, which the documents are called by."""
        self._current()
        return [f"/{path}" for path in self._documents]

    def _current(self) -> Api:
        """What is served now. Documents of groups in which nothing has changed stay, with their pages."""
        generation = (self._catalog.generation, self._elsewhere.generation)
        if self._generation != generation:
            self._generation, self._api = generation, Api(self._catalog.kinds)
            known = self._documents
            self._documents = {
                path: old if isinstance(old := known.get(path), Document) and old.same(document) else document
                for path, document in self._api.documents.items()
            }
            self._documents |= {each.path: each for each in self._elsewhere.documents.values()}
            kept = set(self._documents.values())
            self._made = {name: page for name, page in self._made.items() if name in kept}
        return self._api

    async def _page(self, name: object, make: Callable[[], Page]) -> Page:
        async with self._making:
            page = self._made.get(name)
            if page is None:
                generation = self._generation
                page = await asyncio.to_thread(make)
                if generation == self._generation:
                    self._made[name] = page
            return page


def refusal(error: StatusError) -> Response:
    """A Status."""
    return Response(orjson.dumps(error.status()), error.code, media_type=JSON)


def _media_type(accept: str, served: dict[str, str]) -> str:
    """The first of the served types that the client takes; empty if there is none."""
    if not accept:
        return JSON
    return next((served[name] for name, _ in by_preference(accept) if name in served), "")


def _answer(page: Page, accept_encoding: str, if_none_match: str, *, lasting: bool = False) -> Response:
    headers = {"etag": f'"{page.tag}"', "vary": "Accept"}
    if lasting:
        headers["cache-control"] = "public, immutable"
        headers["expires"] = format_datetime(datetime.now(UTC) + _KEEP, usegmt=True)
    else:
        headers["cache-control"] = "no-cache, private"
    if if_none_match in ("*", headers["etag"]):
        return Response(status_code=304, headers=headers)
    if page.packed and compression.takes_gzip(accept_encoding):
        headers |= {"content-encoding": "gzip", "vary": "Accept, Accept-Encoding"}
        return Response(page.packed, media_type=page.media_type, headers=headers)
    return Response(page.body, media_type=page.media_type, headers=headers)
