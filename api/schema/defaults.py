"""A custom resource's defaults, filled in as its schema says them: on every write, and on reading what was written
before the schema had them.

A schema is compiled once into closures that go only where there is something to fill in; most schemas have no defaults
and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from api.schema.node import Form, Schema

Fill = Callable[[Any], None]
"""Changes the value it is given in place."""
_Make = Callable[[], Any]


def defaulter(schema: Schema) -> Fill | None:
    """What fills in the defaults below a node; None if there are none. Nulls that stand for nothing are filled, too."""
    if not schema.custom:
        return None
    match schema.form:
        case Form.STRUCT:
            return _struct(schema)
        case Form.MAP:
            return _map(schema.values)
        case Form.LIST:
            return _list(schema.items)
    return None


def _maker(schema: Schema) -> _Make | None:
    default = schema.raw.get("default")
    if default is None or not schema.custom:
        return None
    if isinstance(default, (dict, list)):
        written = orjson.dumps(default)
        return lambda: orjson.loads(written)
    return lambda: default


def _struct(schema: Schema) -> Fill | None:
    own = [(name, make, field.nullable) for name, field in schema.properties.items() if (make := _maker(field))]
    nested = [(name, fill) for name, field in schema.properties.items() if (fill := defaulter(field))]
    if not own and not nested:
        return None

    def fill_struct(value: Any) -> None:
        if type(value) is not dict:
            return
        for name, make, nullable in own:
            if name not in value or (value[name] is None and not nullable):
                value[name] = make()
        for name, fill in nested:
            if (item := value.get(name)) is not None:
                fill(item)

    return fill_struct


def _map(values: Schema) -> Fill | None:
    make, fill = _of_element(values)
    if make is None and fill is None:
        return None

    def fill_map(value: Any) -> None:
        if type(value) is not dict:
            return
        for name, item in value.items():
            if item is None and make is not None:
                item = value[name] = make()
            if item is not None and fill is not None:
                fill(item)

    return fill_map


def _list(items: Schema) -> Fill | None:
    make, fill = _of_element(items)
    if make is None and fill is None:
        return None

    def fill_list(value: Any) -> None:
        if type(value) is not list:
            return
        for index, item in enumerate(value):
            if item is None and make is not None:
                item = value[index] = make()
            if item is not None and fill is not None:
                fill(item)

    return fill_list


def _of_element(schema: Schema) -> tuple[_Make | None, Fill | None]:
    return (None if schema.nullable else _maker(schema)), defaulter(schema)
