"""Brings an object into the form the API stores: what its typed decoder and encoder would have made of it.

Unknown fields go, and so do nulls, which mean "not set"; a null inside a list or map becomes the type's empty value.
Quantities become canonical, and times lose their offset and surplus digits. Of a custom resource only unknown fields
and nulls go, and a null stays where the schema lets it be a value. An object that is in that form already
costs one quick check.
"""

from __future__ import annotations

from typing import Any

from api.metadata import micro_time, parse_time, rfc3339
from api.quantity import canonical
from api.schema.check import exact, is_whole
from api.schema.node import Form, Schema

_EMPTY: dict[Form, Any] = {
    Form.STRING: "",
    Form.BYTES: "",
    Form.BOOL: False,
    Form.INT32: 0,
    Form.INT64: 0,
    Form.FLOAT: 0,
    Form.QUANTITY: "0",
    Form.INT_OR_STRING: 0,
}


def prune(schema: Schema, obj: dict[str, Any]) -> dict[str, Any]:
    """Change `obj` in place, and return it. It must have passed `type_error`."""
    if not exact(schema, obj):
        _clean(schema, obj)
    return obj


def _clean(schema: Schema, value: Any) -> Any:
    """The value in stored form; containers are changed in place. Values of a wrong type are left alone."""
    match schema.form:
        case Form.STRUCT if isinstance(value, dict):
            _clean_struct(schema, value)
        case Form.MAP if isinstance(value, dict):
            for key, item in value.items():
                value[key] = _element(schema.values, item)
        case Form.LIST if isinstance(value, list):
            value[:] = [_element(schema.items, item) for item in value]
        case Form.INT64 if schema.custom and isinstance(value, float) and is_whole(value):
            return int(value)  # as Go writes it: typed clients cannot read 1.0 as an integer
        case Form.QUANTITY if isinstance(value, (str, int, float)):
            return canonical(value)
        case Form.TIME if isinstance(value, str):
            return rfc3339(parse_time(value))
        case Form.MICRO_TIME if isinstance(value, str):
            return micro_time(parse_time(value))
        case Form.BYTES if isinstance(value, str):
            return value.replace("\n", "").replace("\r", "")
    return value


def _element(schema: Schema, value: Any) -> Any:
    if value is not None or schema.custom:
        return _clean(schema, value)
    if schema.form in (Form.STRUCT, Form.MAP):
        return {}
    return _EMPTY.get(schema.form)


def _clean_struct(schema: Schema, value: dict[str, Any]) -> None:
    fields = schema.properties
    for name in list(value):
        field, item = fields.get(name), value[name]
        if field is None:
            if not schema.embedded:
                del value[name]
        elif item is None:
            if not (field.nullable if field.custom else field.embedded):
                del value[name]
        elif not exact(field, item):
            value[name] = _clean(field, item)
