"""The quick check: is this object exactly what its schema says, with nothing to drop, convert or complain about?

Nearly every object is, and the check runs on every write, so each type is compiled once into nested closures that
stop at the first doubt. What the doubt is, in the API's words, is for the slow walkers beside this file to find out.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from typing import Any

from api.quantity import QuantityError, canonical
from api.schema.node import Form, Schema, load

Check = Callable[[Any], bool]

_STR = frozenset({str})
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z", re.ASCII)
_TIME = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\Z", re.ASCII)
_MICRO = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z\Z", re.ASCII
)

_MOST = 2**53 - 1


def is_whole(number: float) -> bool:
    """Whether a number written as a float passes for an integer, as JSON's readers agree about it."""
    return number.is_integer() and -_MOST <= number <= _MOST


def exact(schema: Schema, obj: Any) -> bool:
    """Whether `obj` has no unknown field, no null, no value of a wrong type and none that is not in canonical form."""
    return _check_of(schema)(obj)


def _check_of(schema: Schema) -> Check:
    """A node's compiled check, made when first needed; every reference to a type shares the type's."""
    check: Check | None = schema.checks
    if check is None:
        check = _check_of(load(schema.name)) if schema.referenced else _compile(schema)
        if schema.alternative is not None:
            check = _or_of_type(schema.alternative, check)
        schema.checks = check
    return check


def _or_of_type(alternative: type, check: Check) -> Check:
    return lambda value: type(value) is alternative or check(value)


def _string(value: Any) -> bool:
    return type(value) is str


def _bool(value: Any) -> bool:
    return type(value) is bool


def _int32(value: Any) -> bool:
    return type(value) is int and -0x80000000 <= value <= 0x7FFFFFFF


def _int64(value: Any) -> bool:
    return type(value) is int and -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF


def _float(value: Any) -> bool:
    return type(value) in (int, float)


def _bytes(value: Any) -> bool:
    return type(value) is str and _BASE64.match(value) is not None


def _time(value: Any) -> bool:
    return type(value) is str and _TIME.match(value) is not None and _day_exists(value)


def _micro_time(value: Any) -> bool:
    return type(value) is str and _MICRO.match(value) is not None and _day_exists(value)


def _day_exists(value: str) -> bool:
    year, day = value[:4], value[8:10]
    return year != "0000" and (day <= "28" or int(day) <= monthrange(int(year), int(value[5:7]))[1])


def _quantity(value: Any) -> bool:
    try:
        return type(value) is str and canonical(value) == value
    except QuantityError:
        return False


def _int_or_string(value: Any) -> bool:
    return type(value) is str or _int32(value)


def _object(value: Any) -> bool:
    return type(value) is dict


def _any(value: Any) -> bool:
    return True


_PLAIN: dict[Form, type] = {Form.STRING: str, Form.BOOL: bool}
_SCALARS: dict[Form, Check] = {
    Form.STRING: _string,
    Form.BOOL: _bool,
    Form.INT32: _int32,
    Form.INT64: _int64,
    Form.FLOAT: _float,
    Form.BYTES: _bytes,
    Form.TIME: _time,
    Form.MICRO_TIME: _micro_time,
    Form.QUANTITY: _quantity,
    Form.INT_OR_STRING: _int_or_string,
    Form.OBJECT: _object,
    Form.ANY: _any,
}


def _compile(schema: Schema) -> Check:
    check = _of_form(schema)
    if schema.nullable:
        return lambda value: value is None or check(value)
    return _not_null if schema.custom and schema.form is Form.ANY else check


def _not_null(value: Any) -> bool:
    return value is not None


def _of_form(schema: Schema) -> Check:
    match schema.form:
        case Form.STRUCT:
            return _struct(schema)
        case Form.MAP:
            return _string_map if _plain(schema.values) is str else _map(schema.values)
        case Form.LIST:
            return _strings if _plain(schema.items) is str else _list(schema.items)
        case scalar:
            return _SCALARS[scalar]


def _plain(schema: Schema) -> type | None:
    """The Python type that is all there is to check, if it is."""
    return None if schema.nullable else _PLAIN.get(schema.form)


def _strings(value: Any) -> bool:
    return type(value) is list and _STR.issuperset(map(type, value))


def _string_map(value: Any) -> bool:
    return type(value) is dict and _STR.issuperset(map(type, value.values()))


def _list(items: Schema) -> Check:
    def check(value: Any) -> bool:
        return type(value) is list and all(map(items.checks or _check_of(items), value))

    return check


def _map(values: Schema) -> Check:
    def check(value: Any) -> bool:
        return type(value) is dict and all(map(values.checks or _check_of(values), value.values()))

    return check


def _struct(schema: Schema) -> Check:
    """Strings and booleans, most of all fields, are told by their type alone; the others have a check of their own.

    A field's check is compiled when it is first met: types may be recursive, and most fields are never used.
    """
    fields = schema.properties
    plain = {name: kind for name, field in fields.items() if (kind := _plain(field)) is not None}
    others: dict[str, Check] = {}
    type_of, check_of = plain.get, others.get
    keeps_unknown = schema.embedded

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for name, item in value.items():
            if type_of(name) is type(item):
                continue
            verify = check_of(name)
            if verify is None:
                field = fields.get(name)
                if field is None:
                    if keeps_unknown:
                        continue
                    return False
                verify = others[name] = _check_of(field)
            if not verify(item):
                return False
        return True

    return check
