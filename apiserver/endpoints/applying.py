"""Server-side apply on the write path: a configuration becomes a new object, or is merged into the one there is."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from api.apply import Apply, Writer
from api.codec import MalformedBody, media_type
from api.errors import AlreadyExists, BadRequest, Conflict, NotFound
from api.metadata import rfc3339
from api.yaml import decode_yaml
from apiserver.endpoints.body import check_name, conform
from apiserver.endpoints.http import Request
from apiserver.endpoints.objectmeta import check_namespace, metadata_of
from apiserver.endpoints.ownership import scope_of
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Part, Update, create
from apiserver.registry.kind import Object

APPLY = "application/apply-patch+yaml"


def is_apply(request: Request) -> bool:
    """Whether a PATCH is a server-side apply."""
    return media_type(request.header(b"content-type")) == APPLY


async def read_configuration(request: Request) -> Object:
    """The configuration in the body, YAML or JSON. Raises BadRequest, RequestEntityTooLarge."""
    body = await request.body()
    try:
        return decode_yaml(body)
    except MalformedBody as problem:
        raise BadRequest(f"error decoding YAML: {problem}") from problem


@dataclass(frozen=True, slots=True)
class Applying:
    """One apply under way."""

    state: State
    resource: Resource
    namespace: str
    name: str
    author: Author
    part: Part
    subresource: str

    async def run(self, config: Object) -> tuple[bytes, int]:
        """The object's wire bytes, and the answer's code: 201 for a new object. Raises StatusError, EtcdError."""
        self._check_type(config)

        def transform(old: Object) -> Object:
            return self._settled(self._apply(config).to(old))

        where = (self.state, self.resource, self.namespace, self.name)
        change = Update(*where, self.author, transform, self.part, self.subresource, applied=True, retry=True)
        try:
            return await change.run(), 200
        except NotFound:
            if self.part is not Part.MAIN:
                raise
        try:
            return await self._create(config), 201
        except AlreadyExists:  # somebody else was faster: then it is a merge after all
            return await change.run(), 200

    def _apply(self, config: Object) -> Apply:
        writer = Writer(self.author.manager, rfc3339(self.state.context(self.author.user).now))
        scope = scope_of(self.resource.kind, self.subresource)
        return Apply(config, scope, writer, self.author.options.force)

    async def _create(self, config: Object) -> bytes:
        if uid := (config.get("metadata") or {}).get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise Conflict(self.resource.kind.resource, self.name, why)
        obj = self._settled(self._apply(config).to(None))
        obj["metadata"].pop("resourceVersion", None)
        return await create(self.state, self.resource, self.namespace, obj, self.author, applied=True)

    def _settled(self, obj: Object) -> Object:
        """The result as an object of its kind: a fresh dict. Raises BadRequest."""
        new: Object = orjson.loads(orjson.dumps(obj))
        conform(new, self.resource.kind, "Ignore", [])
        metadata_of(new)
        check_name(new, self.name)
        check_namespace(new, self.resource, self.namespace)
        return new

    def _check_type(self, config: Object) -> None:
        """Raises BadRequest."""
        kind = self.resource.kind
        given = (config.get("apiVersion") or "", config.get("kind") or "")
        if given != (kind.api_version, kind.kind):
            raise BadRequest(f"invalid object type: {given[0]}, Kind={given[1]}")
