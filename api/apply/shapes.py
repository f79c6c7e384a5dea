"""Which shape a schema's node has. Shapes are made when first reached and kept, as schemas are."""

from __future__ import annotations

from functools import lru_cache

from api.apply.lists import Keyed, SetOf
from api.apply.typed import Deduced, Map, Shape, Struct
from api.schema import Form, Schema, load


@lru_cache(maxsize=8192)
def shape_of(schema: Schema) -> Shape:
    """A node's shape. References to a type of its own share the type's, unless the place has a say."""
    if schema.atomic_map:
        return Shape(schema)
    match schema.form:
        case Form.STRUCT if schema.referenced and not schema.custom:
            return _type_shape(schema.name)
        case Form.STRUCT:
            return Struct(schema, shape_of)
        case Form.MAP:
            return Map(schema, shape_of)
        case Form.LIST if schema.list_type == "map" and schema.list_keys:
            return Keyed(schema, shape_of)
        case Form.LIST if schema.list_type == "set":
            return SetOf(schema, shape_of)
        case Form.ANY | Form.OBJECT if schema.custom:
            return Deduced(schema)
    return Shape(schema)


@lru_cache(maxsize=1024)
def _type_shape(name: str) -> Shape:
    return Struct(load(name), shape_of)
