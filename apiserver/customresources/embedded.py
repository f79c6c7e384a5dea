"""Objects inside of a custom resource (`x-kubernetes-embedded-resource`) have what every object has, in good order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from api import names
from api.field import FieldError, invalid, required
from api.schema import Form, Schema, Structural
from apiserver.registry.definitions.names import MIXED_CASE
from apiserver.registry.metadata import validate_common

_EMPTY = "must not be empty"


def embedded_problems(schema: Schema, obj: dict[str, Any]) -> list[FieldError]:
    """What is wrong with the objects below `obj`."""
    return list(_below(schema, obj, ""))


def _below(schema: Schema, value: Any, path: str) -> Iterator[FieldError]:
    if not schema.custom:
        return
    if isinstance(value, dict) and schema.form in (Form.STRUCT, Form.MAP):
        if path and isinstance(schema, Structural) and schema.resource:
            yield from _object(value, path)
        for name, item in value.items():
            child = schema.child(name)
            if child is not None:
                yield from _below(child, item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and schema.form is Form.LIST:
        for index, item in enumerate(value):
            yield from _below(schema.items, item, f"{path}[{index}]")


def _object(value: dict[str, Any], path: str) -> Iterator[FieldError]:
    for name in ("apiVersion", "kind"):
        given = value.get(name)
        if given is None:
            yield required(f"{path}.{name}", _EMPTY)
        elif given == "":
            yield invalid(f"{path}.{name}", "", _EMPTY)
    version, kind, metadata = value.get("apiVersion"), value.get("kind"), value.get("metadata")
    if isinstance(version, str) and version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    if isinstance(kind, str) and kind and (wrong := names.dns1035_label(kind.lower())):
        yield invalid(f"{path}.kind", kind, MIXED_CASE + ",".join(wrong))
    if isinstance(metadata, dict):
        yield from _metadata(metadata, path)


def _metadata(metadata: dict[str, Any], path: str) -> Iterator[FieldError]:
    for why in names.path_segment(metadata.get("name") or ""):
        yield invalid(f"{path}.metadata.name", metadata["name"], why)
    if namespace := metadata.get("namespace"):
        for why in names.dns1123_label(namespace):
            yield invalid(f"{path}.metadata.namespace", namespace, why)
    for error in validate_common(metadata, any_finalizers=True):
        yield replace(error, field=f"{path}.{error.field}")
