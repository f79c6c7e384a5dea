"""The operations of the OpenAPI documents: which paths a kind has, and what each verb takes and gives.

Clients look here for more than documentation: `kubectl apply` sends `fieldValidation` only if the PATCH operation of
the kind names that parameter, and `explain` finds a resource's type by the operations on its path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api.schema.document import Writer
from apiserver.registry.kind import Kind

Json = dict[str, Any]

_CUSTOM_PATCH_TYPES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_PATCH_TYPES = (*_CUSTOM_PATCH_TYPES, "application/strategic-merge-patch+json")
_CUSTOM_BODY_TYPES = ("application/json", "application/yaml")
_BODY_TYPES = (*_CUSTOM_BODY_TYPES, "application/vnd.kubernetes.protobuf")
_ANSWER_TYPES = ("application/json",)

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_BODIES = {
    "binding": ("io.k8s.api.core.v1.Binding", "", "v1", "Binding"),
    "eviction": ("io.k8s.api.policy.v1.Eviction", "policy", "v1", "Eviction"),
    "token": ("io.k8s.api.authentication.v1.TokenRequest", "authentication.k8s.io", "v1", "TokenRequest"),
}
_CONNECTS = frozenset({"attach", "exec", "portforward", "proxy"})
_SCALE = ("io.k8s.api.autoscaling.v1.Scale", "autoscaling", "v1", "Scale")

_READ = ("pretty",)
_LIST = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "pretty",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_WRITE = ("dryRun", "fieldManager", "fieldValidation", "pretty")
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "pretty", "propagationPolicy")
_TYPES = {
    "allowWatchBookmarks": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "limit": "integer",
    "orphanDependents": "boolean",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}


def paths(kinds: Iterable[Kind], writer: Writer) -> dict[str, Json]:
    """Path (without its leading slash) → path item."""
    found: dict[str, Json] = {}
    for kind in kinds:
        for path, item in _Paths(kind, writer).all():
            found[path] = item
    return found


@dataclass(frozen=True)
class _Paths:
    kind: Kind
    writer: Writer

    @property
    def base(self) -> str:
        version = f"apis/{self.kind.group}/{self.kind.version}" if self.kind.group else f"api/{self.kind.version}"
        return f"{version}/namespaces/{{namespace}}" if self.kind.namespaced else version

    @property
    def own(self) -> tuple[str, str, str, str]:
        return (self.kind.definition, self.kind.group, self.kind.version, self.kind.kind)

    def all(self) -> Iterable[tuple[str, Json]]:
        kind, collection = self.kind, f"{self.base}/{self.kind.plural}"
        listing = self.verb("get", "list", _LIST, answer=f"{kind.definition}List")
        create = self.verb("post", "post", _WRITE, body=kind.definition)
        yield (
            collection,
            self.item(
                listing, create, self.verb("delete", "deletecollection", (*_LIST, *_DELETE), answer=f"{_META}.Status")
            ),
        )
        if kind.namespaced:
            everywhere = collection.replace("/namespaces/{namespace}", "")
            yield everywhere, self.item(listing, namespaced=False)
        one = f"{collection}/{{name}}"
        delete = self.verb("delete", "delete", _DELETE, body=f"{_META}.DeleteOptions", answer=f"{_META}.Status")
        yield one, self.item(*self.object_verbs(self.own), delete, named=True)
        if kind.status:
            yield f"{one}/status", self.item(*self.object_verbs(self.own), named=True)
        for name in kind.parts:
            yield f"{one}/{name}", self.item(*self.object_verbs(self.own), named=True)
        if kind.scale is not None:
            yield f"{one}/scale", self.item(*self.object_verbs(_SCALE), named=True)
        for name in kind.subresources:
            yield f"{one}/{name}", self.item(*self.subresource(name), named=True)

    def object_verbs(self, what: tuple[str, str, str, str]) -> tuple[Json, ...]:
        patch = (*_WRITE, "force")
        patch_types = _CUSTOM_PATCH_TYPES if self.kind.own_schema else _PATCH_TYPES
        return (
            self.verb("get", "get", _READ, what),
            self.verb("put", "put", _WRITE, what, body=what[0]),
            self.verb("patch", "patch", patch, what, body=f"{_META}.Patch", body_types=patch_types),
        )

    def subresource(self, name: str) -> tuple[Json, ...]:
        if name in _BODIES:
            what = _BODIES[name]
            return (self.verb("post", "post", _WRITE, what, body=what[0]),)
        if name in _CONNECTS:
            return tuple(self.verb(method, "connect", (), answer="string") for method in ("get", "post"))
        return (self.verb("get", "get", _READ, answer="string"),)

    def item(self, *verbs: Json, named: bool = False, namespaced: bool = True) -> Json:
        item: Json = {}
        for verb in verbs:
            item.update(verb)
        places = ["name"] if named else []
        if self.kind.namespaced and namespaced:
            places.append("namespace")
        if places:
            item["parameters"] = [self.parameter(name, "path") for name in places]
        return item

    def parameter(self, name: str, place: str) -> Json:
        parameter: Json = {"name": name, "in": place}
        if place == "path":
            parameter["required"] = True
        kind: Json = {"type": _TYPES.get(name, "string"), "uniqueItems": True}
        return parameter | ({"schema": kind} if self.writer.version == 3 else kind)

    def verb(
        self,
        method: str,
        action: str,
        query: Iterable[str],
        what: tuple[str, str, str, str] | None = None,
        *,
        body: str = "",
        answer: str = "",
        body_types: tuple[str, ...] = (),
    ) -> Json:
        """One operation under its HTTP method. `what` is the type acted upon, else the kind itself."""
        definition, group, version, kind = what or self.own
        operation: Json = {
            "tags": [f"{self.kind.group.partition('.')[0] or 'core'}_{self.kind.version}"],
            "parameters": [self.parameter(name, "query") for name in query],
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
        }
        if body:
            usual = _CUSTOM_BODY_TYPES if self.kind.own_schema else _BODY_TYPES
            self.add_body(operation, body, body_types or usual)
        schema = {"type": "string"} if answer == "string" else self.writer.reference(answer or definition)
        operation["responses"] = self.responses(schema, created=method in ("post", "put", "patch"))
        return {method: operation}

    def add_body(self, operation: Json, body: str, types: tuple[str, ...]) -> None:
        reference = self.writer.reference(body)
        if self.writer.version == 3:
            content = {name: {"schema": reference} for name in types}
            operation["requestBody"] = {"content": content, "required": True}
        else:
            operation["consumes"] = list(types)
            operation["parameters"].append({"name": "body", "in": "body", "required": True, "schema": reference})

    def responses(self, schema: Json, *, created: bool) -> Json:
        if self.writer.version == 3:
            good: Json = {"description": "OK", "content": {name: {"schema": schema} for name in _ANSWER_TYPES}}
        else:
            good = {"description": "OK", "schema": schema}
        codes: Json = {"200": good, "401": {"description": "Unauthorized"}}
        if created:
            codes["201"] = good | {"description": "Created"}
        return codes
