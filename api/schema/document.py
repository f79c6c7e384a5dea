"""The schema data written out as OpenAPI: the components of version 3 documents, the definitions of version 2.

What clients need beyond types is in the extensions: group, version and kind, and how lists and maps merge. Prose comes
from the models' docstrings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.schema.describe import Prose
from api.schema.node import definition

Json = dict[str, Any]

_SPECIAL_V2: dict[str, Json] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string", "format": "int-or-string"},
}
_SPECIAL_V3: dict[str, Json] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "format": "int-or-string",
    },
}


_NONE: Mapping[str, Json] = {}


def references(raw: Any) -> Iterable[str]:
    """The definitions that a schema refers to, itself aside."""
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif isinstance(value, Mapping):
                yield from references(value)


def closure(names: Iterable[str], own: Mapping[str, Json] = _NONE) -> list[str]:
    """These definitions and all that they need, sorted. `own` are those that are in no data file."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(references(own.get(name) or definition(name)))
    return sorted(found)


_TIMES = tuple(f"io.k8s.apimachinery.pkg.apis.meta.v1.{name}" for name in ("Time", "MicroTime"))


def _say_null(name: str, written: Json) -> None:
    """Times and lists are null where there is none and the field is written all the same."""
    if name in _TIMES:
        written["nullable"] = True
    for node in written.get("properties", {}).values():
        if node.get("type") == "array":
            node["nullable"] = True


@dataclass
class Writer:
    """Writes definitions in one version of OpenAPI (2 or 3). `own` are those that are in no data file."""

    version: int
    own: Mapping[str, Json] = field(default_factory=dict)
    prose: Prose = field(default_factory=Prose)

    @property
    def prefix(self) -> str:
        return "#/components/schemas/" if self.version == 3 else "#/definitions/"

    def reference(self, name: str) -> Json:
        return {"$ref": self.prefix + name}

    def schemas(self, names: Iterable[str]) -> dict[str, Json]:
        """The closure of these definitions, by name."""
        return {name: self.schema(name) for name in closure(names, self.own)}

    def schema(self, name: str) -> Json:
        """One definition with its prose."""
        if name in self.own:
            return self._node(self.own[name])
        text, fields = self.prose.of(name)
        special = (_SPECIAL_V3 if self.version == 3 else _SPECIAL_V2).get(name)
        written: Json = dict(special) if special is not None else self._node(definition(name))
        if text:
            written["description"] = text
        if self.version == 3:
            _say_null(name, written)
        for field_name, node in written.get("properties", {}).items():
            if fields.get(field_name):
                written["properties"][field_name] = self._described(node, fields[field_name])
        return written

    def _described(self, node: Json, text: str) -> Json:
        """A reference cannot have a description beside it in version 3: it is wrapped."""
        if self.version == 3 and "$ref" in node:
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return {"description": text, "allOf": [{"$ref": node["$ref"]}], **rest}
        return {"description": text, **node}

    def _node(self, raw: Mapping[str, Any]) -> Json:
        written: Json = {}
        for key, value in raw.items():
            if key == "$ref":
                written["$ref"] = self.prefix + value
            elif key in ("items", "additionalProperties"):
                written[key] = self._node(value) if isinstance(value, Mapping) else value
            elif key == "properties":
                written[key] = {name: self._node(child) for name, child in value.items()}
            else:
                written[key] = value
        if self.version == 3 and "$ref" in written and len(written) > 1:
            written["allOf"] = [{"$ref": written.pop("$ref")}]
        return written
