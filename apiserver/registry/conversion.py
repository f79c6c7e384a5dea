"""One resource in several versions: only one version is kept in etcd, the others are made of it and into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Object = dict[str, Any]

Convert = Callable[[list[Object], str], Awaitable[list[Object]]]
"""Makes objects of another version of them: those given (to be left alone) and the apiVersion wanted."""


def between(kept: str, from_kept: Callable[[Object], Object], to_kept: Callable[[Object], Object]) -> Convert:
    """The conversion of a built-in kind: `kept` is the apiVersion in etcd, the functions return fresh objects."""

    async def convert(objects: list[Object], api_version: str) -> list[Object]:
        change = to_kept if api_version == kept else from_kept
        return [change(obj) for obj in objects]

    return convert
