"""Schemas as the program walks them: one node for each type, field, list element and map value.

Nodes come from the data files of the built-in kinds (`load`) or from a custom resource's schema (`Structural`, in
a file of its own). A file is read when a type in it is first asked for, and a type's node is made when it is first
reached, so a process pays only for what it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import orjson

DATA = Path(__file__).with_name("data")


class Form(Enum):
    """What JSON may stand at a node, as the API's decoder sees it."""

    STRUCT = "struct"
    MAP = "map"
    LIST = "list"
    OBJECT = "object"  # any object: preserved unknown fields
    ANY = "any"
    STRING = "string"
    BOOL = "bool"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT = "float64"
    BYTES = "bytes"
    TIME = "time"
    MICRO_TIME = "micro_time"
    QUANTITY = "quantity"
    INT_OR_STRING = "int_or_string"


_BY_NAME = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": Form.QUANTITY,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": Form.INT_OR_STRING,
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": Form.TIME,
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": Form.MICRO_TIME,
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": Form.ANY,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": Form.ANY,
}
_STRINGS = {"byte": Form.BYTES, "date-time": Form.TIME}


_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
_JSON_SCHEMA = f"{_EXTENSIONS}.JSONSchemaProps"
_ALTERNATIVES: dict[str, type] = {
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": list,
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": bool,
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": list,
}
"""Types that the published definitions say nothing of: a schema, or something else."""


class UnknownDefinition(KeyError):
    """No data file has a type of this name."""


@cache
def package(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The definitions of one group and version (`io.k8s.api.apps.v1`), by type name. Raises UnknownDefinition."""
    path = DATA / f"{name}.json"
    if not path.is_file():
        raise UnknownDefinition(name)
    definitions: dict[str, dict[str, Any]] = orjson.loads(path.read_bytes())
    return definitions


def definition(name: str) -> Mapping[str, Any]:
    """One definition as it stands in the data (`$ref` is a bare definition name). Raises UnknownDefinition."""
    where, _, type_name = name.rpartition(".")
    try:
        return package(where)[type_name]
    except KeyError:
        raise UnknownDefinition(name) from None


@cache
def load(name: str) -> Schema:
    """The schema of a built-in type by definition name (`io.k8s.api.apps.v1.Deployment`). Raises UnknownDefinition."""
    return Schema(definition(name), name)


class Schema:
    """One node. Children are made when first reached, and shared by every reference to the same type.

    `name` is the definition's name, empty for a node without one. The merge facts belong to the place (a field), not to
    the type, and so does the node.
    """

    __slots__ = ("_items", "_merge", "_properties", "_raw", "_values", "alternative", "checks", "form", "name")

    custom = False
    """Whether this is of a custom resource's schema: then a value of a wrong type is a matter of validation."""
    nullable = False
    """Whether null is a value of its own here, and not the same as nothing."""

    def __init__(self, raw: Mapping[str, Any], name: str = "") -> None:
        self.alternative = _ALTERNATIVES.get(raw.get("$ref", ""))
        """A JSON type that may stand here instead, of which nothing more is known."""
        self._raw = raw = raw if self.alternative is None else {**raw, "$ref": _JSON_SCHEMA}
        self.name = name or raw.get("$ref", "")
        self._properties: Mapping[str, Schema] | None = None
        self._items: Schema | None = None
        self._merge: tuple[str, frozenset[str]] | None = None
        self._values: Schema | None = None
        self.checks: Any = None
        """The compiled checks of this node, see `check.py`."""
        self.form = self._find_form()

    @property
    def raw(self) -> Mapping[str, Any]:
        """The schema as it was written, of this place: perhaps only a reference."""
        return self._raw

    @property
    def _type(self) -> Mapping[str, Any]:
        """Where the type's own facts stand: here, or in the definition that `$ref` names."""
        return definition(self._raw["$ref"]) if self.referenced else self._raw

    @property
    def referenced(self) -> bool:
        """Whether this is a reference to a type of its own, with what is special to this place."""
        return "$ref" in self._raw

    def _find_form(self) -> Form:
        if self.name in _BY_NAME:
            return _BY_NAME[self.name]
        facts = self._type
        if facts.get("x-kubernetes-int-or-string"):
            return Form.INT_OR_STRING
        match facts.get("type"):
            case "object":
                return _object_form(facts)
            case "array":
                return Form.LIST
            case "string":
                return _STRINGS.get(facts.get("format", ""), Form.STRING)
            case "boolean":
                return Form.BOOL
            case "integer":
                return Form.INT32 if facts.get("format") == "int32" else Form.INT64
            case "number":
                return Form.FLOAT
            case _:
                return Form.STRUCT if "properties" in facts else Form.ANY

    @property
    def properties(self) -> Mapping[str, Schema]:
        """The fields of a struct, by name; empty for everything else."""
        if self._properties is None:
            if self.referenced:
                self._properties = load(self.name).properties
            else:
                self._properties = self._find_properties()
        return self._properties

    def _find_properties(self) -> dict[str, Schema]:
        return {name: self._child(raw) for name, raw in self._raw.get("properties", {}).items()}

    def _child(self, raw: Mapping[str, Any]) -> Schema:
        return Schema(raw)

    @property
    def items(self) -> Schema:
        """What a list holds."""
        if self._items is None:
            items = self._type.get("items")
            self._items = self._child(items) if isinstance(items, Mapping) else ANY
        return self._items

    @property
    def values(self) -> Schema:
        """What a map holds."""
        if self._values is None:
            values = self._type.get("additionalProperties")
            self._values = self._child(values) if isinstance(values, Mapping) else ANY
        return self._values

    def child(self, name: str) -> Schema | None:
        """The node of a field or map entry, or None if there can be none."""
        if self.form is Form.STRUCT:
            return self.properties.get(name)
        if self.form is Form.MAP:
            return self.values
        return ANY if self.form in (Form.ANY, Form.OBJECT) else None

    def _fact(self, name: str, default: Any) -> Any:
        return self._raw.get(name, default) if name in self._raw else self._type.get(name, default)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self._fact("required", ()))

    @property
    def merge_key(self) -> str:
        """The field by which strategic merge pairs the elements of this list, or nothing."""
        return self._merging()[0]

    @property
    def strategies(self) -> frozenset[str]:
        """How strategic merge treats this field: `merge`, `replace`, `retainKeys`."""
        return self._merging()[1]

    def _merging(self) -> tuple[str, frozenset[str]]:
        if self._merge is None:
            strategies = str(self._fact("x-kubernetes-patch-strategy", "")).split(",")
            key = str(self._fact("x-kubernetes-patch-merge-key", ""))
            self._merge = (key, frozenset(filter(None, strategies)))
        return self._merge

    @property
    def list_type(self) -> str:
        """`map`, `set` or `atomic`, for server-side apply."""
        return str(self._fact("x-kubernetes-list-type", ""))

    @property
    def list_keys(self) -> tuple[str, ...]:
        return tuple(self._fact("x-kubernetes-list-map-keys", ()))

    @property
    def atomic_map(self) -> bool:
        return bool(self._fact("x-kubernetes-map-type", "") == "atomic")

    @property
    def embedded(self) -> bool:
        """Whether unknown fields are kept."""
        return self.form in (Form.ANY, Form.OBJECT) or bool(self._fact("x-kubernetes-preserve-unknown-fields", False))

    @property
    def kinds(self) -> tuple[Mapping[str, str], ...]:
        """The group, version and kind of a top-level type."""
        return tuple(self._fact("x-kubernetes-group-version-kind", ()))

    def __repr__(self) -> str:
        return f"Schema({self.name or self.form.value})"


def _object_form(facts: Mapping[str, Any]) -> Form:
    if facts.get("x-kubernetes-preserve-unknown-fields") and "properties" not in facts:
        return Form.OBJECT
    if "properties" in facts:
        return Form.STRUCT
    return Form.MAP if isinstance(facts.get("additionalProperties"), Mapping) else Form.OBJECT


ANY = Schema({})
"""A node where anything may stand."""
