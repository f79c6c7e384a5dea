"""A custom kind's table: a cell for each printer column, found by its JSONPath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from api.jsonpath import JsonPathError, Template, show
from apiserver.registry.columns import AGE, NAME, since
from apiserver.registry.kind import Column, Object

_DESCRIPTION = "Custom resource definition column (in JSONPath format): "


def columns_of(version: Mapping[str, Any]) -> tuple[Column, ...]:
    """The whole table of a definition's version: the name, and then what the version says, or else the age."""
    given = version.get("additionalPrinterColumns") or ()
    return (NAME, *_columns(given)) if given else (NAME, AGE)


def _columns(given: Iterable[Mapping[str, Any]]) -> Iterable[Column]:
    for column in given:
        path = column["jsonPath"]
        try:
            find = Template(f"{{{path}}}").values
        except JsonPathError:
            continue  # what cannot be read has no cells
        yield Column(
            column["name"],
            _cell(find, column["type"]),
            column["type"],
            column.get("format") or "",
            column.get("description") or f"{_DESCRIPTION}{path}",
            column.get("priority") or 0,
        )


def _cell(find: Callable[[Any], list[Any]], type_: str) -> Callable[[Object, datetime], Any]:
    def cell(obj: Object, now: datetime) -> Any:
        try:
            found = find(obj)
        except JsonPathError:
            return None
        return shown(found[0], type_, now) if found else None

    return cell


def shown(value: Any, type_: str, now: datetime) -> Any:
    """A value as a cell of a column's type; None if it is of another type."""
    if type_ == "string":
        return show(value)
    if type_ == "date":
        return _age(value, now) if isinstance(value, str) else None
    if isinstance(value, bool):
        return value if type_ == "boolean" else None
    if isinstance(value, int | float):
        if type_ == "integer":
            return int(value)
        return value if type_ == "number" else None
    return None


def _age(moment: str, now: datetime) -> str:
    try:
        return since(moment, now)
    except ValueError:
        return "<invalid>"
