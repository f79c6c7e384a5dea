"""Which kinds the API server serves, asked of itself: what may own others, and what a namespace may hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api import errors
from client.resources import Resource
from client.rest import Client


@dataclass(frozen=True)
class Served:
    resource: Resource
    verbs: frozenset[str]

    def can(self, *verbs: str) -> bool:
        return self.verbs.issuperset(verbs)


@dataclass(frozen=True)
class Discovered:
    kinds: tuple[Served, ...]
    failures: tuple[str, ...] = ()
    """Of a group that could not be asked, why: such a group is not known to be empty."""

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The resource an owner reference means. Any served version of its group will do."""
        group = api_version.rpartition("/")[0]
        named = [each.resource for each in self.kinds if (each.resource.group, each.resource.kind) == (group, kind)]
        return next((each for each in named if each.api_version == api_version), named[0] if named else None)


async def discover(client: Client) -> Discovered:
    """The preferred version of every group. Raises when not even the list of groups can be had."""
    versions, groups = await asyncio.gather(_get(client, "/api"), _get(client, "/apis"))
    paths = [f"/api/{version}" for version in (versions.get("versions") or ())[:1]]
    paths += [f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups.get("groups") or ()]
    answers = await asyncio.gather(*(_get(client, path) for path in paths), return_exceptions=True)
    kinds: list[Served] = []
    failures: list[str] = []
    for path, answer in zip(paths, answers, strict=True):
        if isinstance(answer, errors.StatusError):
            failures.append(f"{path}: {answer.message}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            kinds.extend(_kinds(answer))
    return Discovered(tuple(kinds), tuple(failures))


async def _get(client: Client, path: str) -> dict[str, Any]:
    answer = (await client.request("GET", path)).json()
    if not isinstance(answer, dict):
        raise errors.InternalError(f"{path} is not an object")
    return answer


def _kinds(listed: dict[str, Any]) -> Iterable[Served]:
    """From an APIResourceList; subresources are no kinds of their own."""
    group, _, version = str(listed.get("groupVersion", "")).rpartition("/")
    for item in listed.get("resources") or ():
        if "/" not in item["name"]:
            resource = Resource(
                item.get("group") or group,
                item.get("version") or version,
                item["kind"],
                item["name"],
                bool(item.get("namespaced")),
            )
            yield Served(resource, frozenset(item.get("verbs") or ()))
