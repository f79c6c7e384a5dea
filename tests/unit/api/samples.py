"""Objects of any type, made of its schema: with all of its fields, or with some by chance."""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random
from typing import Any

from api.schema.node import Form, Schema

DEPTH = 9
"""Levels after which what may be left out is: schemas of schemas never end."""

_SCALARS: dict[Form, Callable[[Random], Any]] = {
    Form.STRING: lambda random: random.choice(["a", "näh", "x" * 200, "true", "7"]),
    Form.BOOL: lambda random: True,
    Form.INT32: lambda random: random.choice([1, -1, 127, 128, 16384, 2**31 - 1, -(2**31)]),
    Form.INT64: lambda random: random.choice([1, -1, 300, 2**63 - 1, -(2**63)]),
    Form.FLOAT: lambda random: random.choice([0.5, -1.25, 1e300]),
    Form.BYTES: lambda random: base64.b64encode(random.randbytes(random.randrange(200))).decode(),
    Form.TIME: lambda random: random.choice(["2026-11-22T11:00:00Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"]),
    Form.MICRO_TIME: lambda random: f"2026-11-22T11:00:00.{random.randrange(1_000_000):06}Z",
    Form.QUANTITY: lambda random: random.choice(["1", "500m", "1.5Gi", "-3e6"]),
    Form.INT_OR_STRING: lambda random: random.choice([80, -1, "http", "50%"]),
    Form.ANY: lambda random: random.choice([{"a": [1, None, "x"]}, {"f:spec": {".": {}}}]),
    Form.OBJECT: lambda random: {"deep": {"er": [1.5, None]}},
}
_BY_NAME: dict[str, Callable[[Random], Any]] = {
    "JSON": lambda random: random.choice([7, "x", [1], {"a": None}, False]),
    "CustomResourceSubresourceStatus": lambda random: {},
    "JSONSchemaPropsOrBool": lambda random: random.choice([True, False, {"type": "string"}]),
    "JSONSchemaPropsOrArray": lambda random: random.choice(
        [{"type": "string"}, [{"type": "string"}, {"maximum": 1.5}]]
    ),
    "JSONSchemaPropsOrStringArray": lambda random: random.choice([["a", "b"], {"required": ["c"]}]),
}


def sample(schema: Schema, random: Random, share: float = 1.0, depth: int = 0) -> Any:
    """A value for `schema` without anything empty in it. `share` of the fields that may be left out are there.

    Objects do not say of what kind they are: inside another object protobuf has no place for it.
    """
    special = _BY_NAME.get(schema.name.rpartition(".")[2]) if schema.name else None
    if special:
        return special(random)
    match schema.form:
        case Form.STRUCT:
            return _struct(schema, random, share, depth)
        case Form.LIST:
            return [sample(schema.items, random, share, depth + 1) for _ in range(1 + (random.random() > share))]
        case Form.MAP:
            return {key: sample(schema.values, random, share, depth + 1) for key in ("b", "a")}
    return _SCALARS[schema.form](random)


def _struct(schema: Schema, random: Random, share: float, depth: int) -> dict[str, Any]:
    chosen = {}
    for name, child in schema.properties.items():
        if schema.kinds and name in ("apiVersion", "kind"):
            continue
        leaf = child.form not in (Form.STRUCT, Form.LIST, Form.MAP)
        if name in schema.required or (random.random() <= share and (leaf or depth < DEPTH)):
            chosen[name] = sample(child, random, share, depth + 1)
    return chosen
