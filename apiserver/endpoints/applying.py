"""Server-side apply on the write path: a configuration becomes a new object, or is merged into the one there is."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from api.apply import Apply, Writer, type_of
from api.codec import MalformedBody
from api.errors import AlreadyExists, BadRequest, Conflict, NotFound
from api.metadata import rfc3339
from api.yaml import decode_yaml, duplicate_keys
from apiserver.auth.authorize import Attempt, authorize
from apiserver.endpoints.body import check_name, conform
from apiserver.endpoints.http import Request
from apiserver.endpoints.objectmeta import check_namespace, metadata_of
from apiserver.endpoints.ownership import scope_of, versions_of
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Part, Update, create
from apiserver.registry.kind import Kind, Object

APPLY = "application/apply-patch+yaml"


async def read_configuration(request: Request, kind: Kind) -> Object:
    """The configuration of a `kind` in the body, YAML or JSON. Raises BadRequest, RequestEntityTooLarge."""
    body = await request.body()
    try:
        config = decode_yaml(body)
    except MalformedBody as problem:
        raise BadRequest(f"error decoding YAML: {problem}") from problem
    given = type_of(str(config.get("apiVersion") or ""), str(config.get("kind") or ""))
    if given != type_of(kind.api_version, kind.kind):
        raise BadRequest(f"invalid object type: {given}")
    validation = request.query.get("fieldValidation", "Warn")
    if validation != "Ignore" and (duplicates := duplicate_keys(body)):
        text = "error converting YAML to JSON: yaml: unmarshal errors:\n" + "\n".join(
            f"  {each}" for each in duplicates
        )
        if validation == "Strict":
            raise BadRequest(f"error strict decoding YAML: {text}")
        request.warnings.append(text)
    return config


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
            return await self.create(config), 201
        except AlreadyExists:  # somebody else was faster: then it is a merge after all
            return await change.run(), 200

    def _apply(self, config: Object) -> Apply:
        writer = Writer(self.author.manager, rfc3339(self.state.context(self.author.user).now))
        scope = scope_of(self.resource.kind, self.subresource)
        served = versions_of(self.state.catalog, self.resource.kind)
        return Apply(config, scope, writer, self.author.options.force, served)

    async def create(self, config: Object) -> bytes:
        """Make the object, which the author must be allowed to create, too. Raises StatusError, EtcdError."""
        kind = self.resource.kind
        authorize(self.author.user, Attempt("create", kind.plural, kind.group, self.namespace, self.name))
        if uid := (config.get("metadata") or {}).get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise Conflict(kind.resource, self.name, why)
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
