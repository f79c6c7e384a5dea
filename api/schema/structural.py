"""The schema of a custom resource, as the program walks it: an OpenAPI v3 schema that says the whole structure.

What differs from a built-in type: a value of a wrong type is found by validation and not by the decoder, null may be a
value (`nullable`), and an object that is a resource itself, at the root or embedded, has the fields of one without the
schema saying so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.schema.node import Form, Schema

_METADATA = {"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
_TEXT = {"type": "string"}

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"


class Structural(Schema):
    """One node. `resource`: whether it is an object with apiVersion, kind and metadata."""

    __slots__ = ("resource",)

    custom = True

    def __init__(self, raw: Mapping[str, Any], name: str = "", resource: bool = False) -> None:
        self.resource = resource or bool(raw.get(EMBEDDED))
        super().__init__(raw, name)

    @property
    def nullable(self) -> bool:  # type: ignore[override]
        return bool(self._raw.get("nullable"))

    def _find_form(self) -> Form:
        raw = self._raw
        if raw.get("x-kubernetes-int-or-string"):
            return Form.INT_OR_STRING
        match raw.get("type"):
            case "string":
                return Form.STRING
            case "boolean":
                return Form.BOOL
            case "integer":
                return Form.INT64
            case "number":
                return Form.FLOAT
            case "array":
                return Form.LIST
            case None | "" if raw.get(PRESERVE) and "properties" not in raw:
                return Form.ANY
        return self._object_form()

    def _object_form(self) -> Form:
        raw = self._raw
        if self.resource or raw.get("properties"):
            return Form.STRUCT
        if raw.get("additionalProperties"):
            return Form.MAP
        return Form.OBJECT if raw.get(PRESERVE) else Form.STRUCT

    def _child(self, raw: Mapping[str, Any]) -> Schema:
        return Structural(raw)

    @property
    def values(self) -> Schema:
        """What a map holds: with `additionalProperties: true` anything but fields of objects, which nobody names."""
        if self._values is None:
            given = self._raw.get("additionalProperties")
            self._values = Structural(given if isinstance(given, dict) else {})
        return self._values

    def _find_properties(self) -> dict[str, Schema]:
        found = super()._find_properties()
        if self.resource:
            found |= {"apiVersion": Structural(_TEXT), "kind": Structural(_TEXT), "metadata": Schema(_METADATA)}
        return found


def structural(raw: Mapping[str, Any]) -> Structural:
    """The schema in a CustomResourceDefinition's version (`openAPIV3Schema`)."""
    return Structural(raw, resource=True)
