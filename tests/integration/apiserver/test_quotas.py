"""Quotas at admission: never exceeded, whoever creates at the same time, and true again after deletions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import Answer, Api, Object, connect

HARD = {"pods": "7", "count/configmaps": "5", "requests.cpu": "2", "services.nodeports": "2"}


def pod(name: str, cpu: str = "100m", **spec: object) -> Object:
    container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


async def make_quota(api: Api, name: str = "q", **spec: object) -> None:
    made = await api.create("resourcequotas", {"metadata": {"name": name}, "spec": {"hard": HARD, **spec}})
    assert made.code == 201, made.message


async def used(api: Api, name: str = "q") -> dict[str, str]:
    found: dict[str, str] = (await api.get(api.path("resourcequotas", name))).body.get("status", {}).get("used", {})
    return found


async def until(api: Api, wanted: Callable[[dict[str, str]], bool], name: str = "q") -> None:
    """Follow the quota until its status says so."""
    async with (
        asyncio.timeout(10),
        api.watch(api.path("resourcequotas") + f"?fieldSelector=metadata.name={name}") as events,
    ):
        while True:
            event = await events.next()
            if wanted(event["object"].get("status", {}).get("used", {})):
                return


@pytest.fixture
async def other(plane: ControlPlane, tmp_path: Path, api: Api) -> AsyncIterator[Api]:
    """The same namespace through a second API server."""
    with ControlPlane(tmp_path, etcd_url=plane.etcd_url) as second:
        async with connect(second) as client:
            client.namespace = api.namespace
            yield client


def told(answers: list[Answer]) -> tuple[int, list[str]]:
    """How many were taken, and what the others were told."""
    return sum(answer.code == 201 for answer in answers), [each.message for each in answers if each.code != 201]


async def test_twenty_creators_at_two_servers(api: Api, other: Api) -> None:
    await make_quota(api)
    await until(api, lambda used: used.get("pods") == "0")
    servers = (api, other)
    pods = [servers[number % 2].create("pods", pod(f"p-{number}")) for number in range(20)]
    configs = [servers[number % 2].create("configmaps", {"metadata": {"name": f"c-{number}"}}) for number in range(20)]
    answers = await asyncio.gather(*pods, *configs)
    taken, messages = told(answers[:20])
    assert taken == 7
    assert all(": exceeded quota: q, requested: pods=1, used: pods=7, limited: pods=7" in each for each in messages)
    taken, messages = told(answers[20:])
    assert taken == 5
    assert all("requested: count/configmaps=1, used: count/configmaps=5, limited:" in each for each in messages)
    assert await used(api) == {"pods": "7", "count/configmaps": "5", "requests.cpu": "700m", "services.nodeports": "0"}


async def test_what_is_given_back(api: Api) -> None:
    await make_quota(api)
    for number in range(7):
        assert (await api.create("pods", pod(f"p-{number}"))).code == 201
    assert (await api.create("pods", pod("more"))).code == 403
    assert (await api.delete(api.path("pods", "p-0"))).code == 200
    assert (await api.create("pods", pod("more"))).code == 201  # at once
    await api.patch(api.path("pods", "p-1", "status"), {"status": {"phase": "Succeeded"}})
    await until(api, lambda used: used.get("pods") == "6" and used.get("requests.cpu") == "600m")
    assert (await api.delete(api.path("pods"))).code == 200
    await until(api, lambda used: used.get("pods") == "0")


async def test_nothing_is_charged_for_what_is_not_made(api: Api) -> None:
    await make_quota(api)
    assert (await api.create("configmaps", {"metadata": {"name": "one"}})).code == 201
    assert (await api.create("configmaps", {"metadata": {"name": "one"}})).reason == "AlreadyExists"
    assert (await api.create("configmaps", {"metadata": {"name": "two"}}, "?dryRun=All")).code == 201
    assert (await used(api))["count/configmaps"] == "1"


async def test_every_container_says_what_is_counted(api: Api) -> None:
    await make_quota(api)
    bare = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    answer = await api.create("pods", bare)
    assert answer.message == 'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: c'
    answer = await api.create("pods", pod("a", "3"), "?dryRun=All")
    assert answer.message == (
        'pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=3, used: requests.cpu=0, '
        "limited: requests.cpu=2"
    )


async def test_updates_are_charged_for_what_they_add(api: Api) -> None:
    await make_quota(api)
    service = {"metadata": {"name": "s"}, "spec": {"type": "ClusterIP", "ports": [{"port": n} for n in (1, 2, 3)]}}
    for port in service["spec"]["ports"]:  # type: ignore[index]
        port["name"] = f"p-{port['port']}"
    assert (await api.create("services", service)).code == 201
    answer = await api.patch(api.path("services", "s"), {"spec": {"type": "NodePort"}})
    assert answer.message == (
        'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=3, used: services.nodeports=0, '
        "limited: services.nodeports=2"
    )
    assert (await api.create("pods", pod("a", "1"))).code == 201
    resize = api.path("pods", "a", "resize")
    grown = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]}}
    assert (await api.patch(resize, grown, "application/strategic-merge-patch+json")).code == 200
    grown["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "2100m"}}
    answer = await api.patch(resize, grown, "application/strategic-merge-patch+json")
    assert "requested: requests.cpu=100m, used: requests.cpu=2, limited: requests.cpu=2" in answer.message


async def test_scopes(api: Api) -> None:
    await make_quota(api, "short", hard={"pods": "1"}, scopes=["Terminating"])
    for number in range(3):
        assert (await api.create("pods", pod(f"long-{number}"))).code == 201
    assert (await api.create("pods", pod("short-1", activeDeadlineSeconds=60))).code == 201
    assert (await api.create("pods", pod("short-2", activeDeadlineSeconds=60))).code == 403
    assert await used(api, "short") == {"pods": "1"}


async def test_a_new_quota_counts_what_is_there(api: Api) -> None:
    for number in range(3):
        assert (await api.create("configmaps", {"metadata": {"name": f"c-{number}"}})).code == 201
    await make_quota(api)
    await until(api, lambda used: used.get("count/configmaps") == "3")
    smaller = {"spec": {"hard": {"count/configmaps": "2"}}}
    assert (await api.patch(api.path("resourcequotas", "q"), smaller)).code == 200
    answer = await api.create("configmaps", {"metadata": {"name": "more"}})
    assert "requested: count/configmaps=1, used: count/configmaps=3, limited: count/configmaps=2" in answer.message
