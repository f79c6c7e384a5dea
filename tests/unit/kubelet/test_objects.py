"""How a kubelet follows the objects that its pods use: one watch each, none for what can't change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from api.types import core_v1
from client.kubeconfig import Config
from client.rest import Client
from kubelet.objects import PodObjects
from tests.unit.client.fake_api import FakeApi, serve

MAPS = "/api/v1/namespaces/shop/configmaps"


def pod(uid: str, *names: str) -> core_v1.Pod:
    volumes = [{"name": name, "configMap": {"name": name}} for name in names]
    metadata = {"name": uid, "namespace": "shop", "uid": uid}
    return msgspec.convert({"metadata": metadata, "spec": {"containers": [], "volumes": volumes}}, core_v1.Pod)


class Told:
    def __init__(self) -> None:
        self.uids: set[str] = set()
        self.news = asyncio.Event()

    def __call__(self, uids: Iterable[str]) -> None:
        self.uids |= set(uids)
        self.news.set()


def asked(api: FakeApi) -> tuple[int, int]:
    """How many lists and watches were asked for."""
    paths = [path for method, path in api.requests if method == "GET"]
    watches = sum("watch=" in path for path in paths)
    return len(paths) - watches, watches


async def test_users_of_an_object_are_told_of_its_changes() -> None:
    told = Told()
    async with serve() as api, Client(Config(api.url)) as client:
        await api.put(MAPS, "a", data={"color": "red"})
        objects = PodObjects(client, told)
        try:
            first, _ = await asyncio.gather(objects.fetch(pod("u-1", "a")), objects.fetch(pod("u-2", "a", "none")))
            assert first.configmaps == {"a": {"color": b"red"}}
            assert not told.uids  # they have just read it
            await api.put(MAPS, "a", data={"color": "blue"})
            await asyncio.wait_for(told.news.wait(), 5)
            assert "u-1" in told.uids
            assert (await objects.fetch(pod("u-1", "a"))).configmaps == {"a": {"color": b"blue"}}
            assert asked(api) == (2, 2)
        finally:
            await objects.close()


async def test_an_immutable_object_is_read_once() -> None:
    told = Told()
    async with serve() as api, Client(Config(api.url)) as client:
        await api.put(MAPS, "a", data={"color": "red"}, immutable=True)
        objects = PodObjects(client, told)
        try:
            for uid in ("u-1", "u-2"):
                assert (await objects.fetch(pod(uid, "a"))).configmaps == {"a": {"color": b"red"}}
            assert asked(api)[0] == 1
            async with asyncio.timeout(5):
                while api.watching:  # noqa: ASYNC110 - the server sees the client go a moment later
                    await asyncio.sleep(0.01)
            objects.release("u-1")
            objects.release("u-2")
            await api.put(MAPS, "a", data={"color": "blue"}, immutable=True)
            assert (await objects.fetch(pod("u-3", "a"))).configmaps == {"a": {"color": b"blue"}}
        finally:
            await objects.close()
