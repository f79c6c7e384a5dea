"""The OpenAPI documents: what `kubectl explain`, `apply` and `diff`, and client generators, learn the API from.

Everything follows from the registered kinds and the schema data. The functions are pure, and not cheap (a document with
all its prose is a megabyte): the caller keeps what they return, and nothing is made before somebody asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import orjson

from api.schema.document import Writer, closure
from api.schema.node import UnknownDefinition, definition
from apiserver.endpoints import openapi_custom
from apiserver.endpoints.openapi_operations import DELETE_OPTIONS, META, PATCH, STATUS, WATCH_EVENT, Group, Operation
from apiserver.endpoints.openapi_operations import Paths as _Paths
from apiserver.endpoints.openapi_paths import KindPaths, resources_path, virtual_path
from apiserver.endpoints.virtual import VIRTUAL, Virtual
from apiserver.registry.kind import Kind

Json = dict[str, Any]

TITLE = "Kubernetes"
VERSION = "v1.36.0"

_SHARED = (DELETE_OPTIONS, STATUS, PATCH, WATCH_EVENT, f"{META}.APIResourceList")
_INFO = {"title": TITLE, "version": VERSION}
_WORDLESS = Group("", "v1")


@dataclass(frozen=True)
class Api:
    """What the documents tell of."""

    kinds: tuple[Kind, ...]
    virtual: tuple[Virtual, ...] = VIRTUAL

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The documents of version 3 by their paths (`api/v1`, `apis/apps/v1`, `apis/apps`)."""
        found: dict[str, Document] = {"api": _named("api", "getCoreAPIVersions", "APIVersions")}
        found["apis"] = _named("apis", "getAPIVersions", "APIGroupList")
        found["version"] = Document("version", operations=(_read("version", "getCodeVersion", _VERSION_INFO),))
        for group in self._groups():
            found[group.path[1:]] = self._of(group)
            if group.name:
                camel = Group(group.name, "").camel
                found[f"apis/{group.name}"] = _named(f"apis/{group.name}", f"get{camel}APIGroup", "APIGroup")
        return dict(sorted(found.items()))

    def _groups(self) -> Iterable[Group]:
        custom = {(kind.group, kind.version) for kind in self.kinds if kind.own_schema is not None}
        here = {(kind.group, kind.version) for kind in self.kinds}
        here |= {(each.group, each.version) for each in self.virtual}
        return (Group(group, version, (group, version) not in custom) for group, version in here)

    def _of(self, group: Group) -> Document:
        here = (group.name, group.version)
        kinds = tuple(kind for kind in self.kinds if (kind.group, kind.version) == here)
        virtual = tuple(each for each in self.virtual if (each.group, each.version) == here)
        return Document(group.path[1:], group, kinds, virtual)

    def v2(self) -> Json:
        """What `/openapi/v2` answers."""
        own = openapi_custom.definitions(self.kinds, 2)
        writer, paths, names = Writer(2, own), dict[str, Json](), set[str]()
        for document in self.documents.values():
            paths.update(document.paths(writer))
            names |= document.names(own)
        info = {"swagger": "2.0", "info": _INFO}
        return {**info, "paths": paths, "definitions": writer.schemas(sorted(names))}


@dataclass(frozen=True, eq=False)
class Document:
    """One document of version 3: a group and version's, or that of a few pages (`operations`, by path)."""

    path: str
    group: Group = _WORDLESS
    kinds: tuple[Kind, ...] = ()
    virtual: tuple[Virtual, ...] = ()
    operations: tuple[tuple[str, Operation], ...] = ()

    def same(self, other: Document) -> bool:
        """Whether the other one is made of the very same kinds."""
        ours, theirs = (*self.kinds, *self.virtual), (*other.kinds, *other.virtual)
        return len(ours) == len(theirs) and all(one is two for one, two in zip(ours, theirs, strict=True))

    @property
    def url(self) -> str:
        return f"/openapi/v3/{self.path}?hash={self.hash}"

    @cached_property
    def _own(self) -> dict[str, Json]:
        return openapi_custom.definitions(self.kinds, 3)

    @cached_property
    def hash(self) -> str:
        """Names the content without making it all: it changes when the operations or the schemas do."""
        digest = hashlib.sha512(VERSION.encode())
        digest.update(orjson.dumps(self.paths(Writer(3, self._own))))
        for name in closure(self.names(self._own), self._own):
            digest.update(orjson.dumps({name: self._own.get(name) or definition(name)}))
        return digest.hexdigest().upper()

    def write(self) -> bytes:
        """The document, as JSON."""
        writer = Writer(3, self._own)
        written = {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": self.paths(writer),
            "components": {"schemas": writer.schemas(sorted(self.names(self._own)))},
        }
        return orjson.dumps(written)

    def paths(self, writer: Writer) -> dict[str, Json]:
        """The path items."""
        paths = _Paths(self.group, writer)
        for path, operation in self.operations:
            paths.add(path, [operation])
        if self.kinds or self.virtual:
            paths.add(*resources_path(self.group))
        for each in self.virtual:
            paths.add(*virtual_path(each, self.group))
        for kind in self.kinds:
            for path, operations in KindPaths(kind, self.group).all():
                paths.add(path, operations)
        return paths.items

    def names(self, own: Mapping[str, Json]) -> set[str]:
        """Every type that the operations take or give; `own` are those that are in no data file."""
        names: set[str] = {STATUS}
        if self.kinds or self.virtual:
            names.update(_SHARED)
        names.update(operation.answer for _, operation in self.operations if operation.answer)
        for each in self.virtual:
            names.add(each.definition)
        for kind in self.kinds:
            names.update((kind.definition, f"{kind.definition}List"))
            for _, operations in KindPaths(kind, self.group).all():
                names.update(name for each in operations for name in (each.body, each.answer, each.also) if name)
        return {name for name in names if name in own or _exists(name)}


class Placed(Protocol):
    """A document with an address."""

    @property
    def url(self) -> str: ...


def index(documents: Mapping[str, Placed]) -> Json:
    """What `/openapi/v3` answers: each document's place, with the hash by which clients cache it."""
    return {"paths": {path: {"serverRelativeURL": each.url} for path, each in documents.items()}}


_VERSION_INFO = "io.k8s.apimachinery.pkg.version.Info"


def _read(path: str, name: str, answer: str) -> tuple[str, Operation]:
    return f"/{path}/", Operation("get", "", None, name, answer=answer)


def _named(path: str, name: str, answer: str) -> Document:
    return Document(path, operations=(_read(path, name, f"{META}.{answer}"),))


def _exists(name: str) -> bool:
    try:
        definition(name)
    except UnknownDefinition:
        return False
    return True
