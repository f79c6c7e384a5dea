"""JSONPath templates whose errors are told as the command line tells its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from api import jsonpath
from api.jsonpath import Values, show
from kubectl.errors import CliError

__all__ = ["Template", "relaxed", "show"]


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except jsonpath.JsonPathError as problem:
        raise CliError(str(problem)) from problem


class Template(jsonpath.Template):
    """A parsed template. Raises CliError when it does not parse, and when a path leads outside of a list."""

    def __init__(self, text: str) -> None:
        with _told():
            super().__init__(text)

    def render(self, obj: Any) -> str:
        with _told():
            return super().render(obj)

    def values(self, obj: Any) -> Values:
        with _told():
            return super().values(obj)


def relaxed(text: str) -> str:
    """A path with or without braces and a leading dot, as a template."""
    with _told():
        return jsonpath.relaxed(text)
