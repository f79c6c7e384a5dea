"""Definitions of custom kinds for tests, each in a group of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.integration.apiserver.api import Answer, Api, Object

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def obj(**properties: Any) -> Object:
    """The schema of an object with these fields."""
    return {"type": "object", "properties": properties}


def version(name: str = "v1", schema: Object | None = None, *, storage: bool = True, **fields: Any) -> Object:
    whole = obj(spec=schema or obj(size=INTEGER, colour=STRING))
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": whole}, **fields}


@dataclass
class Custom:
    """A custom kind that is served: Thing, in a group of its own."""

    api: Api
    group: str
    definition: str

    def path(self, name: str = "", sub: str = "", version: str = "v1") -> str:
        return self.api.path("things", name, sub, group=self.group, version=version)

    def thing(self, name: str, spec: Any = None, version: str = "v1", **fields: Any) -> Object:
        head = {"apiVersion": f"{self.group}/{version}", "kind": "Thing", "metadata": {"name": name}}
        return {**head, "spec": {} if spec is None else spec, **fields}

    async def create(self, name: str, spec: Any = None, version: str = "v1", query: str = "", **fields: Any) -> Answer:
        return await self.api.send(
            "POST", self.path(version=version) + query, self.thing(name, spec, version, **fields)
        )

    async def get(self, name: str, version: str = "v1") -> Object:
        answer = await self.api.get(self.path(name, version=version))
        assert answer.code == 200, answer.message
        found: Object = answer.body
        return found

    async def redefine(self, *versions: Object, **spec: Any) -> Answer:
        """Change the definition's versions, and wait until they are served: then watches of the old ones end."""
        async with self.api.watch(self.path()) as events:
            answer = await self.api.patch(self.definition, {"spec": {"versions": list(versions), **spec}})
            if answer.code == 200:
                await events.rest()
        return answer


def definition(group: str, *versions: Object, scope: str = "Namespaced", **spec: Any) -> Object:
    names = {"plural": "things", "kind": "Thing", "shortNames": ["th"], "categories": ["all"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{spec.get('names', names)['plural']}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": list(versions or (version(),)), **spec},
    }


def fresh_group() -> str:
    return f"g{uuid.uuid4().hex[:8]}.example.com"


def conditions(crd: Object) -> dict[str, tuple[str, str]]:
    """Type → (status, reason)."""
    return {each["type"]: (each["status"], each["reason"]) for each in crd["status"].get("conditions") or ()}


async def until(api: Api, crd: Object, type_: str, status: str = "True") -> Object:
    """Wait until the definition has a condition; the definition then."""
    name = crd["metadata"]["name"]
    async with api.watch(DEFINITIONS, f"&fieldSelector=metadata.name={name}") as events:
        while True:
            event = await events.next()
            assert event["type"] != "DELETED"
            if conditions(event["object"]).get(type_, ("", ""))[0] == status:
                found: Object = event["object"]
                return found


async def established(api: Api, crd: Object) -> Object:
    made = await api.send("POST", DEFINITIONS, crd)
    assert made.code == 201, made.message
    return await until(api, crd, "Established")


async def gone(api: Api, crd: Object) -> None:
    """Wait until the definition is not there any more."""
    selector = f"fieldSelector=metadata.name={crd['metadata']['name']}"
    there = await api.get(f"{DEFINITIONS}?{selector}")
    if not there.names:
        return
    async with api.watch(DEFINITIONS, f"&{selector}&resourceVersion={there.version}") as events:
        while (await events.next())["type"] != "DELETED":
            continue


@asynccontextmanager
async def custom(api: Api, *versions: Object, **spec: Any) -> AsyncIterator[Custom]:
    """Things, served until the end of the block."""
    group = fresh_group()
    crd = definition(group, *versions, **spec)
    await established(api, crd)
    path = f"{DEFINITIONS}/{crd['metadata']['name']}"
    yield Custom(api, group, path)
    await api.delete(path)
