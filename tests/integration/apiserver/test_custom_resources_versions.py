"""Custom kinds in several versions, converted by name or by a real webhook, and seen alike by two API servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import web

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import Api, Object, connect
from tests.integration.apiserver.behind import serving
from tests.integration.apiserver.custom import (
    DEFINITIONS,
    INTEGER,
    STRING,
    custom,
    definition,
    fresh_group,
    gone,
    obj,
    until,
    version,
)


class Converter:
    """A conversion webhook: v1 has `size`, v2 calls it `spec.dimensions.size`."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.failure = ""

    async def handle(self, request: web.Request) -> web.Response:
        review = await request.json()
        asked = review.pop("request")
        self.asked.append(len(asked["objects"]))
        converted = [self.convert(each, asked["desiredAPIVersion"]) for each in asked["objects"]]
        result = {"status": "Failed", "message": self.failure} if self.failure else {"status": "Success"}
        return web.json_response(
            {**review, "response": {"uid": asked["uid"], "convertedObjects": converted, "result": result}}
        )

    def convert(self, each: Object, wanted: str) -> Object:
        spec = each.get("spec") or {}
        size = spec["dimensions"]["size"] if "dimensions" in spec else spec.get("size", 0)
        spec = {"size": size} if wanted.endswith("/v1") else {"dimensions": {"size": size}}
        return {**each, "apiVersion": wanted, "spec": spec}


@pytest.fixture
async def converter(tmp_path: Path) -> AsyncIterator[tuple[Converter, Object]]:
    """The webhook, and the `spec.conversion` that points to it."""
    converter = Converter()
    async with serving(tmp_path, converter.handle, "localhost") as (port, bundle):
        client = {"url": f"https://localhost:{port}/convert", "caBundle": bundle}
        webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
        yield converter, {"strategy": "Webhook", "webhook": webhook}


V1 = version("v1", obj(size=INTEGER))
V2 = version("v2", obj(dimensions=obj(size=INTEGER)), storage=False)


async def test_a_webhook_between_versions(api: Api, converter: tuple[Converter, Object]) -> None:
    hook, conversion = converter
    async with custom(api, V1, V2, conversion=conversion) as things:
        assert (await things.create("a", {"size": 1})).body["spec"] == {"size": 1}
        made = await things.create("b", {"dimensions": {"size": 2}}, version="v2")
        assert (made.code, made.body["spec"]) == (201, {"dimensions": {"size": 2}}), made.message
        assert (await things.get("b"))["spec"] == {"size": 2}
        hook.asked.clear()
        listed = (await api.get(things.path(version="v2"))).body
        assert listed["apiVersion"] == f"{things.group}/v2"
        assert [(each["apiVersion"], each["spec"]["dimensions"]["size"]) for each in listed["items"]] == [
            (f"{things.group}/v2", 1),
            (f"{things.group}/v2", 2),
        ]
        assert hook.asked == [2]  # all of a list at once
        changed = await api.patch(things.path("a", version="v2"), {"spec": {"dimensions": {"size": 5}}})
        assert (changed.code, changed.body["metadata"]["generation"]) == (200, 2)
        assert (await things.get("a"))["spec"] == {"size": 5}
        async with api.watch(things.path(version="v2")) as events:
            await events.take(2)
            await api.patch(things.path("a"), {"spec": {"size": 6}})
            assert (await events.next())["object"]["spec"] == {"dimensions": {"size": 6}}


async def test_a_webhook_that_fails_is_quoted(api: Api, converter: tuple[Converter, Object]) -> None:
    hook, conversion = converter
    async with custom(api, V1, V2, conversion=conversion) as things:
        await things.create("a", {"size": 1})
        hook.failure = "cannot do it"
        answer = await api.get(things.path("a", version="v2"))
        what = f"conversion webhook for {things.group}/v1, Kind=Thing failed: cannot do it"
        assert (answer.code, answer.message) == (500, what)
        assert (await api.get(things.path("a"))).code == 200
        hook.failure = ""


async def test_the_version_that_is_stored_changes(api: Api) -> None:
    async with custom(api, version("v1"), version("v2", storage=False)) as things:
        await things.create("a", {"size": 1})
        assert (await things.get("a", "v2"))["apiVersion"] == f"{things.group}/v2"
        answer = await things.redefine(version("v1", storage=False), version("v2"))
        assert answer.body["status"]["storedVersions"] == ["v1", "v2"]
        await things.create("b", {"size": 2})
        for name in ("v1", "v2"):
            listed = (await api.get(things.path(version=name))).body["items"]
            assert [each["apiVersion"] for each in listed] == [f"{things.group}/{name}"] * 2
        # v1 may go when nothing is stored in it any more, which somebody has to say.
        assert (await things.redefine(version("v2"))).code == 422
        await api.patch(things.path("a", version="v2"), {"metadata": {"labels": {"migrated": "yes"}}})
        stored = await api.patch(f"{things.definition}/status", {"status": {"storedVersions": ["v2"]}})
        assert stored.code == 200, stored.message
        assert (await things.redefine(version("v2"))).code == 200
        assert (await api.get(things.path(version="v1"))).code == 404
        assert (await things.get("a", "v2"))["metadata"]["labels"] == {"migrated": "yes"}


async def test_each_version_has_its_own_schema(api: Api) -> None:
    one = version("v1", obj(old=STRING, both=STRING), deprecated=True)
    two = version("v2", obj(new={"type": "string", "default": "n"}, both=STRING), storage=False)
    async with custom(api, one, two) as things:
        made = await things.create("a", {"old": "o", "both": "b"})
        assert made.headers["warning"] == (
            f'299 - "{things.group}/v1 Thing is deprecated; use {things.group}/v2 Thing"'
        )
        assert (await things.get("a", "v2"))["spec"] == {"new": "n", "both": "b"}
        assert (await things.get("a"))["spec"] == {"old": "o", "both": "b"}
        group = (await api.get(f"/apis/{things.group}")).body
        assert [each["version"] for each in group["versions"]] == ["v2", "v1"]


@pytest.fixture(scope="module")
def second(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("second"), etcd_url=plane.etcd_url) as running:
        yield running


async def test_two_servers_serve_it_at_once(api: Api, second: ControlPlane) -> None:
    async with connect(second) as other:
        for count in range(10):
            crd, begun = definition(fresh_group()), monotonic()
            assert (await api.send("POST", DEFINITIONS, crd)).code == 201
            await until(other, crd, "Established")
            path = f"/apis/{crd['spec']['group']}/v1/namespaces/{api.namespace}/things"
            for name, server in (("a", api), ("b", other)):
                thing = {"apiVersion": f"{crd['spec']['group']}/v1", "kind": "Thing", "metadata": {"name": name}}
                made = await server.send("POST", path, thing)
                assert made.code == 201, (count, name, made.message)
            assert monotonic() - begun < 1
            assert (await api.get(path)).names == (await other.get(path)).names == ["a", "b"]
            await other.delete(f"{DEFINITIONS}/{crd['metadata']['name']}")


async def test_a_server_that_starts_finishes_what_another_began(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    async with custom(api) as things:
        held = things.thing("a")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        assert (await api.send("POST", things.path(), held)).code == 201
        await api.delete(things.definition)
        with ControlPlane(tmp_path, etcd_url=plane.etcd_url) as third:
            async with connect(third) as fresh:
                crd = (await fresh.get(things.definition)).body
                assert (await fresh.get(things.path())).names == ["a"]
                assert (await fresh.get(f"/apis/{things.group}")).code == 200
                assert (await fresh.patch(things.path("a"), {"metadata": {"finalizers": None}})).code == 200
                await gone(fresh, crd)
                assert (await fresh.get(things.path())).code == 404


async def test_two_servers_give_no_name_twice(api: Api, second: ControlPlane) -> None:
    group = fresh_group()
    names = [{"plural": f"p{index}", "kind": f"K{index}", "shortNames": ["wanted"]} for index in range(6)]
    crds = [definition(group, names=each) for each in names]
    async with connect(second) as other:
        made = [server.send("POST", DEFINITIONS, crd) for crd, server in zip(crds, (api, other) * 3, strict=True)]
        assert {answer.code for answer in await asyncio.gather(*made)} == {201}
        settled = [await _settled(api, crd) for crd in crds]
    having = [crd for crd in settled if crd["status"]["acceptedNames"].get("shortNames") == ["wanted"]]
    assert len(having) == 1


async def _settled(api: Api, crd: Object) -> Object:
    """The definition once it has its names, or has been refused them."""
    async with api.watch(DEFINITIONS, f"&fieldSelector=metadata.name={crd['metadata']['name']}") as events:
        while True:
            found: Object = (await events.next())["object"]
            if found["status"]["conditions"]:
                return found
