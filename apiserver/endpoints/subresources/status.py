"""status: what the controllers say of an object, written apart from what its users want."""

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
    await mutate.update(state, request, resource, target.namespace, target.name, Part.STATUS, "status")


async def _patch(state: State, request: Request, resource: Resource, target: Target) -> None:
    await mutate.patch(state, request, resource, target.namespace, target.name, Part.STATUS, "status")


STATUS = Subresource("status", {"get": _get, "update": _update, "patch": _patch})
