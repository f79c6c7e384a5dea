"""One operation of the OpenAPI documents: what a verb on a path takes and gives, in either version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.codec import JSON, PROTOBUF, YAML
from api.schema.document import Writer
from apiserver.endpoints import openapi_parameters as parameters
from apiserver.endpoints.negotiate import SERVED, STREAMED

Json = dict[str, Any]

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
STATUS, DELETE_OPTIONS, PATCH, WATCH_EVENT = (
    f"{META}.{name}" for name in ("Status", "DeleteOptions", "Patch", "WatchEvent")
)
CUSTOM_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
PATCHES = (*CUSTOM_PATCHES, "application/strategic-merge-patch+json")
TEXT = ("text/plain",)
_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized"}


_PROSE = {
    "connect": "Open a connection to the {}.",
    "delete": "Delete the {}.",
    "deletecollection": "Delete all objects of kind {} that the selectors match.",
    "get": "Read the {}.",
    "list": "List or watch objects of kind {}.",
    "patch": "Change parts of the {}.",
    "post": "Create an object of kind {}.",
    "put": "Replace the {}.",
}


@dataclass(frozen=True)
class Type:
    """A kind, and its definition's name."""

    definition: str
    group: str
    version: str
    kind: str

    @classmethod
    def built_in(cls, group: str, version: str, kind: str) -> Type:
        """The type of a built-in kind that is served nowhere by itself: a Scale, an Eviction."""
        return cls(f"io.k8s.api.{group.partition('.')[0] or 'core'}.{version}.{kind}", group, version, kind)


@dataclass(frozen=True)
class Group:
    """What the operations of a group and version have in common. `messages` is whether its kinds have protobuf ones."""

    name: str
    version: str
    messages: bool = True

    @property
    def words(self) -> str:
        """`rbac.authorization.k8s.io` → `rbacAuthorization`."""
        first, *rest = (self.name.removesuffix(".k8s.io") or "core").replace("-", ".").split(".")
        return first + "".join(word.capitalize() for word in rest)

    @property
    def tag(self) -> str:
        return f"{self.words}_{self.version}"

    @property
    def camel(self) -> str:
        return self.words[:1].upper() + self.words[1:] + self.version.capitalize()

    @property
    def path(self) -> str:
        return f"/apis/{self.name}/{self.version}" if self.name else f"/api/{self.version}"

    @property
    def bodies(self) -> tuple[str, ...]:
        return (JSON, YAML, PROTOBUF) if self.messages else (JSON, YAML)

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(each for each in SERVED if self.messages or each != PROTOBUF)

    @property
    def lists(self) -> tuple[str, ...]:
        """The media types of a list, which a watch answers in streams of."""
        streams = tuple(f"{each};stream=watch" for each in STREAMED if self.messages or each != PROTOBUF)
        return (*self.answers, *streams)


@dataclass(frozen=True)
class Operation:
    """`method` is the HTTP method, `action` the verb. `answer` is a definition's name, or empty for text."""

    method: str
    action: str
    type: Type | None
    name: str
    query: Sequence[str] = ()
    body: str = ""
    body_types: tuple[str, ...] = ()
    needs_body: bool = True
    answer: str = ""
    also: str = ""
    """Another definition that the answer may be of."""
    answer_types: tuple[str, ...] = ()
    codes: tuple[int, ...] = (200,)
    deprecated: str = ""

    def write(self, group: Group, writer: Writer) -> Json:
        """The operation, without its method."""
        written: Json = {
            "tags": [group.tag],
            "operationId": self.name,
            "description": self.deprecated or self._prose(),
            "parameters": parameters.query(self.query, writer.version),
            "responses": self._responses(group, writer),
        }
        if self.type is not None:
            of = {"group": self.type.group, "version": self.type.version, "kind": self.type.kind}
            written |= {"x-kubernetes-action": self.action, "x-kubernetes-group-version-kind": of}
        if writer.version == 2:
            written["produces"] = list(self.answer_types or group.answers)
        if self.body:
            self._add_body(written, group, writer)
        return written

    def _prose(self) -> str:
        return _PROSE[self.action].format(self.type.kind) if self.type is not None else "Tell what there is."

    def _add_body(self, written: Json, group: Group, writer: Writer) -> None:
        schema, types = writer.reference(self.body), self.body_types or group.bodies
        if writer.version == 3:
            written["requestBody"] = {"content": {name: {"schema": schema} for name in types}}
            if self.needs_body:
                written["requestBody"]["required"] = True
            return
        body: Json = {"name": "body", "in": "body", "schema": schema}
        written["parameters"].append(body | ({"required": True} if self.needs_body else {}))
        written["consumes"] = list(types)

    def _responses(self, group: Group, writer: Writer) -> Json:
        schema: Json = writer.reference(self.answer) if self.answer else {"type": "string"}
        if self.also and writer.version == 3:
            schema = {"anyOf": [schema, writer.reference(self.also)]}
        types = self.answer_types or group.answers
        codes = {str(code): _response(_REASONS[code], schema, types, writer) for code in self.codes}
        codes["401"] = {"description": _REASONS[401]}
        if writer.version == 3:
            codes["default"] = _response("What went wrong", writer.reference(STATUS), SERVED, writer)
        return codes


def _response(description: str, schema: Json, types: Iterable[str], writer: Writer) -> Json:
    if writer.version == 3:
        return {"description": description, "content": {name: {"schema": schema} for name in types}}
    return {"description": description, "schema": schema}


@dataclass
class Paths:
    """The path items of a document, as they come together."""

    group: Group
    writer: Writer
    items: dict[str, Json] = field(default_factory=dict)

    def add(self, path: str, operations: Iterable[Operation]) -> None:
        """Add operations of one path; names in braces become its parameters."""
        written: Json = {each.method: each.write(self.group, self.writer) for each in operations}
        if not written:
            return
        names = sorted(part[1:-1] for part in path.split("/") if part.startswith("{"))
        if names:
            written["parameters"] = parameters.path(names, self.writer.version)
        self.items[path] = written
