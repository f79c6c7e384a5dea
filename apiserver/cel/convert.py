"""JSON values as CEL sees them, where a schema says that they are more than JSON: times, bytes, doubles, sets.

Most schemas say no such thing, and their values are passed as they are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from apiserver.cel.conversions import parse_duration, parse_timestamp
from apiserver.cel.listtypes import KeyedList, SetList
from apiserver.cel.messages import form_of
from apiserver.cel.values import CelError, Duration, Timestamp, type_name

Convert = Callable[[Any], Any]
Raw = Mapping[str, Any]


def converter(raw: Raw) -> Convert | None:
    """What makes CEL values of a schema's JSON values, or None if they need no making. Raises CelError when called."""
    match form_of(raw):
        case "array":
            return _array(raw)
        case "map":
            return _map(raw)
        case "object":
            return _object(raw)
        case "number":
            return _number
        case "string":
            return _FORMATS.get(raw.get("format", ""))
        case _:
            return None


def _number(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except binascii.Error as error:
        raise CelError(f"illegal base64 data: {error}") from error


def _time(value: Any) -> Any:
    return parse_timestamp(value) if isinstance(value, str) else value


def _date(value: Any) -> Any:
    return parse_timestamp(f"{value}T00:00:00Z") if isinstance(value, str) else value


def _span(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


_FORMATS: dict[str, Convert] = {"byte": _bytes, "date": _date, "date-time": _time, "duration": _span}


def _array(raw: Raw) -> Convert | None:
    item, kind = converter(raw.get("items") or {}), raw.get("x-kubernetes-list-type")
    keys = tuple(raw.get("x-kubernetes-list-map-keys") or ())
    if item is None and kind not in ("set", "map"):
        return None

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        items = [item(each) for each in value] if item is not None else value
        if kind == "set":
            return SetList(items)
        return KeyedList(items, keys) if kind == "map" else items

    return convert


def _map(raw: Raw) -> Convert | None:
    content = converter(raw["additionalProperties"])
    if content is None:
        return None
    convert = content
    return lambda value: {key: convert(each) for key, each in value.items()} if isinstance(value, dict) else value


def _object(raw: Raw) -> Convert | None:
    made = ((name, converter(child)) for name, child in (raw.get("properties") or {}).items())
    fields = {name: convert for name, convert in made if convert is not None}
    if not fields:
        return None

    def convert_fields(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: fields[key](each) if key in fields else each for key, each in value.items()}

    return convert_fields


def to_json(value: Any) -> Any:
    """What an expression made, as JSON. Raises CelError for a value that has no such form."""
    match value:
        case None | bool() | str() | float():
            return value
        case int():
            return int(value)
        case list():
            return [to_json(item) for item in value]
        case dict():
            return {str(key): to_json(item) for key, item in value.items()}
        case bytes():
            return base64.b64encode(value).decode()
        case Timestamp() | Duration():
            return str(value)
        case _:
            raise CelError(f"a value of type {type_name(value)} has no JSON form")
