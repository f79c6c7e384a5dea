"""Optional values: `a.?b`, `a[?0]`, `optional.of(x)`, `orValue`, and what the macros `optMap` and `optFlatMap` use."""

from __future__ import annotations

from typing import Any

from apiserver.cel.functions import TABLE, standard
from apiserver.cel.values import NONE, Budget, CelError, Optional, is_key


@standard("optional.of", object)
def of(value: Any) -> Optional:
    return Optional(True, value)


@standard("optional.none")
def none() -> Optional:
    return NONE


@standard("optional.ofNonZeroValue", object)
def of_non_zero(value: Any) -> Optional:
    return Optional(True, value) if value or getattr(value, "nanos", 0) else NONE


@standard("hasValue", Optional)
def has_value(optional: Optional) -> bool:
    return optional.present


@standard("value", Optional)
def value(optional: Optional) -> Any:
    if optional.present:
        return optional.value
    raise CelError("optional.none() dereference")


@standard("_[?_]", list, int, spends=True)
def element(_: Budget, items: list[Any], at: int) -> Optional:
    return Optional(True, items[at]) if 0 <= at < len(items) else NONE


@standard("_[?_]", dict, object, spends=True)
def entry(_: Budget, entries: dict[Any, Any], key: Any) -> Optional:
    return Optional(True, entries[key]) if is_key(key) and key in entries else NONE


@standard("_[?_]", Optional, object, spends=True)
@standard("_[_]", Optional, object, spends=True)
def of_optional(budget: Budget, optional: Optional, key: Any) -> Optional:
    if not optional.present:
        return NONE
    found: Optional = TABLE["_[?_]"].find((type(optional.value), type(key)))(budget, optional.value, key)
    return found


@standard("first", list)
def first(items: list[Any]) -> Optional:
    return Optional(True, items[0]) if items else NONE


@standard("last", list)
def last(items: list[Any]) -> Optional:
    return Optional(True, items[-1]) if items else NONE


@standard("optional.unwrap", list)
@standard("unwrapOpt", list)
def unwrap(items: list[Any]) -> list[Any]:
    return [item.value for item in items if type(item) is Optional and item.present]
