"""The paths of the OpenAPI documents: those of each kind and its subresources, as the registry declares them.

Clients look here for more than documentation: `kubectl apply` sends `fieldValidation` only if the PATCH operation of
the kind names that parameter, `explain` finds a resource's type by the operations on its path, and generators name
their functions after the operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apiserver.endpoints import openapi_parameters as parameters
from apiserver.endpoints.openapi_operations import (
    CUSTOM_PATCHES,
    DELETE_OPTIONS,
    META,
    PATCH,
    PATCHES,
    STATUS,
    TEXT,
    WATCH_EVENT,
    Group,
    Operation,
    Type,
)
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.subresources.served import subresources_of
from apiserver.endpoints.virtual import Virtual
from apiserver.registry.kind import Kind

_METHODS = {"get": "get", "update": "put", "patch": "patch", "create": "post", "delete": "delete"}
_WORDS = {"get": "read", "update": "replace", "patch": "patch", "create": "create"}
_ACTIONS = {"get": "get", "update": "put", "patch": "patch", "create": "post"}
_VERBS = {"post": "create", "put": "update"}
_CONNECT = ("get", "post")
_ANY_METHOD = ("delete", "get", "head", "options", "patch", "post", "put")
_OLD_WATCH = "Deprecated: use the watch parameter of the list, for one object with a fieldSelector."


@dataclass(frozen=True)
class KindPaths:
    """The paths of one kind that is stored."""

    kind: Kind
    group: Group

    @property
    def type(self) -> Type:
        return Type(self.kind.definition, self.kind.group, self.kind.version, self.kind.kind)

    @property
    def scope(self) -> str:
        return "Namespaced" if self.kind.namespaced else ""

    @property
    def place(self) -> str:
        """The namespace's part of a path."""
        return "/namespaces/{namespace}" if self.kind.namespaced else ""

    def all(self) -> Iterator[tuple[str, list[Operation]]]:
        plural, root = self.kind.plural, self.group.path
        collection = f"{root}{self.place}/{plural}"
        yield collection, self._only(self._collection())
        yield f"{collection}/{{name}}", self._only(self._object())
        for name, sub in subresources_of(self.kind).items():
            yield f"{collection}/{{name}}/{name}", list(self._subresource(name, sub))
            if name == "proxy":
                below = self._connections(Type.built_in(sub.group, sub.version, sub.kind), "ProxyWithPath", name)
                yield f"{collection}/{{name}}/{name}/{{path}}", list(below)
        listing = [self._list(everywhere=self.kind.namespaced)] if self.kind.namespaced else []
        yield f"{root}/{plural}", self._only(listing)
        yield from self._old_watches(root, plural)

    def _only(self, operations: list[Operation]) -> list[Operation]:
        """Those whose verb the kind has."""
        return [each for each in operations if _VERBS.get(each.action, each.action) in self.kind.verbs]

    def _name(self, word: str, of: str = "", suffix: str = "") -> str:
        return f"{word}{self.group.camel}{of}{self.scope}{self.kind.kind}{suffix}"

    def _collection(self) -> list[Operation]:
        of, word = self.type, self._name("create")
        return [
            self._list(),
            Operation(
                "post", "post", of, word, parameters.WRITE, of.definition, answer=of.definition, codes=(200, 201, 202)
            ),
            Operation(
                "delete",
                "deletecollection",
                of,
                self._name("delete", "Collection"),
                parameters.DELETE_MANY,
                DELETE_OPTIONS,
                needs_body=False,
                answer=STATUS,
                also=f"{of.definition}List",
            ),
        ]

    def _list(self, *, everywhere: bool = False) -> Operation:
        of = self.type
        name = f"list{self.group.camel}{of.kind}ForAllNamespaces" if everywhere else self._name("list")
        answer, types = f"{of.definition}List", self.group.lists
        return Operation("get", "list", of, name, parameters.LIST, answer=answer, also=WATCH_EVENT, answer_types=types)

    def _object(self) -> list[Operation]:
        of = self.type
        return [
            *(self._on_object(verb, of, "") for verb in ("get", "update", "patch")),
            Operation(
                "delete",
                "delete",
                of,
                self._name("delete"),
                parameters.DELETE,
                DELETE_OPTIONS,
                needs_body=False,
                answer=of.definition if self.kind.strategy.returns_deleted else STATUS,
                also=STATUS if self.kind.strategy.returns_deleted else of.definition,
                codes=(200, 202),
            ),
        ]

    def _on_object(self, verb: str, of: Type, suffix: str) -> Operation:
        name = self._name(_WORDS[verb], suffix=suffix)
        head = (_METHODS[verb], _ACTIONS[verb], of, name)
        if verb == "get":
            return Operation(*head, parameters.READ, answer=of.definition)
        if verb == "patch":
            types = PATCHES if self.group.messages else CUSTOM_PATCHES
            return Operation(*head, parameters.PATCH, PATCH, types, answer=of.definition, codes=(200, 201))
        codes = (200, 201, 202) if verb == "create" else (200, 201)
        return Operation(*head, parameters.WRITE, of.definition, answer=of.definition, codes=codes)

    def _subresource(self, name: str, sub: Subresource) -> Iterator[Operation]:
        of = Type.built_in(sub.group, sub.version, sub.kind) if sub.kind else self.type
        suffix = name.capitalize()
        if sub.answers == "connection":
            yield from self._connections(of, suffix, name)
            return
        for verb in sub.verbs:
            if sub.answers == "text":
                word = self._name(_WORDS[verb], suffix=suffix)
                yield Operation(_METHODS[verb], "get", of, word, parameters.LOG, answer_types=TEXT)
            elif sub.answers == "status":
                word = self._name(_WORDS[verb], suffix=suffix)
                head = (_METHODS[verb], _ACTIONS[verb], of, word, parameters.WRITE)
                yield Operation(*head, of.definition, answer=STATUS, codes=(200, 201, 202))
            else:
                yield self._on_object(verb, of, suffix)

    def _connections(self, of: Type, suffix: str, name: str) -> Iterator[Operation]:
        for method in _ANY_METHOD if name == "proxy" else _CONNECT:
            word = f"connect{self.group.camel}{method.capitalize()}{self.scope}{self.kind.kind}{suffix}"
            yield Operation(method, "connect", of, word, parameters.CONNECT[name], answer_types=("*/*",))

    def _old_watches(self, root: str, plural: str) -> Iterator[tuple[str, list[Operation]]]:
        if "watch" not in self.kind.verbs:
            return
        kind, camel = self.kind.kind, self.group.camel
        yield f"{root}/watch{self.place}/{plural}/{{name}}", [self._old_watch("watch", self._name("watch"))]
        if self.kind.namespaced:
            own = [self._old_watch("watchlist", f"{self._name('watch')}List")]
            yield f"{root}/watch{self.place}/{plural}", own
            all_ = [self._old_watch("watchlist", f"watch{camel}{kind}ListForAllNamespaces")]
            yield f"{root}/watch/{plural}", all_
        else:
            yield f"{root}/watch/{plural}", [self._old_watch("watchlist", f"{self._name('watch')}List")]

    def _old_watch(self, action: str, name: str) -> Operation:
        types = self.group.lists
        return Operation(
            "get",
            action,
            self.type,
            name,
            parameters.LIST,
            answer=WATCH_EVENT,
            answer_types=types,
            deprecated=_OLD_WATCH,
        )


def virtual_path(virtual: Virtual, group: Group) -> tuple[str, list[Operation]]:
    """The path of a kind that can only be created."""
    place = "/namespaces/{namespace}" if virtual.namespaced else ""
    of = Type(virtual.definition, virtual.group, virtual.version, virtual.kind)
    name = f"create{group.camel}{'Namespaced' if virtual.namespaced else ''}{virtual.kind}"
    answer = of.definition if virtual.answers == "object" else STATUS
    head = ("post", "post", of, name, parameters.WRITE, of.definition)
    return f"{group.path}{place}/{virtual.plural}", [Operation(*head, answer=answer, codes=(200, 201, 202))]


def resources_path(group: Group) -> tuple[str, list[Operation]]:
    """The path of a group's list of resources."""
    name = f"get{group.camel}APIResources"
    return f"{group.path}/", [Operation("get", "", None, name, answer=f"{META}.APIResourceList")]
