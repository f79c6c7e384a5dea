"""A way to write one part of an object, by the rules that its kind has for it (`Kind.parts`)."""

from __future__ import annotations

from apiserver.endpoints import mutate, read
from apiserver.endpoints.http import Request
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.write import Part


async def _get(state: State, request: Request, resource: Resource, target: Target) -> None:
    await read.get(state, request, resource, target.namespace, target.name)


async def _update(state: State, request: Request, resource: Resource, target: Target) -> None:
    where = target.namespace, target.name
    await mutate.update(state, request, resource, *where, Part.MAIN, target.subresource)


async def _patch(state: State, request: Request, resource: Resource, target: Target) -> None:
    where = target.namespace, target.name
    await mutate.patch(state, request, resource, *where, Part.MAIN, target.subresource)


def part(name: str) -> Subresource:
    """What is sent and answered is the object itself."""
    return Subresource(name, {"get": _get, "update": _update, "patch": _patch})
