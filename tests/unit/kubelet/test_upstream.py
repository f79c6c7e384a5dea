"""How statuses travel: coalesced, urgent ones at once, retried until the API server has them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from api import errors
from api.types import core_v1
from client.rest import Unreachable
from kubelet import upstream
from kubelet.upstream import Upstream

POD = msgspec.convert({"metadata": {"name": "web", "namespace": "shop", "uid": "u-1"}}, core_v1.Pod)


class Server:
    """Takes patches; fails with what is put into `troubles` first."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.taken: list[dict[str, Any]] = []
        self.uid = "u-1"
        self.gate = asyncio.Event()
        self.gate.set()

    async def patch(self, cls: type, name: str, patch: dict[str, Any], namespace: str, **rest: Any) -> None:
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        assert (name, namespace, rest["subresource"]) == ("web", "shop", "status")
        assert patch["metadata"] == {"uid": "u-1"}
        self.taken.append(patch["status"])

    async def get(self, cls: type, name: str, namespace: str) -> core_v1.Pod:
        return msgspec.convert({"metadata": {"name": name, "namespace": namespace, "uid": self.uid}}, core_v1.Pod)


def made(server: Server) -> Upstream:
    return Upstream(server, None)  # type: ignore[arg-type]


def status(phase: str, ip: str | None = None, ready: str = "False") -> core_v1.PodStatus:
    return core_v1.PodStatus(phase=phase, podIP=ip, conditions=[core_v1.PodCondition(ready, "Ready")])


@pytest.fixture(autouse=True)
def no_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "COMPANY", 0.05)


async def test_a_starting_pods_words_wait_and_the_ready_one_does_not() -> None:
    server = Server()
    channel = made(server)
    channel.report(POD, status("Pending"))
    channel.report(POD, status("Pending", "10.0.0.9"))
    await asyncio.sleep(0)
    assert server.taken == []
    channel.report(POD, status("Running", "10.0.0.9", "True"))
    await channel.flush(POD, status("Running", "10.0.0.9", "True"))
    assert [each["phase"] for each in server.taken] == ["Running"]
    assert channel.sent("u-1") == status("Running", "10.0.0.9", "True")


async def test_an_unhurried_status_is_told_too() -> None:
    server = Server()
    channel = made(server)
    channel.report(POD, status("Pending"))
    await asyncio.sleep(0.2)
    assert [each["phase"] for each in server.taken] == ["Pending"]
    assert server.taken[0]["podIP"] is None  # a merge patch takes away what is no longer said


async def test_while_one_is_under_way_the_others_replace_each_other() -> None:
    server = Server()
    channel = made(server)
    server.gate.clear()
    channel.report(POD, status("Running", "1"))
    await asyncio.sleep(0.1)
    for number in range(2, 9):
        channel.report(POD, status("Running", str(number), "True" if number % 2 else "False"))
    server.gate.set()
    await channel.flush(POD, status("Running", "9", "True"))
    assert [each["podIP"] for each in server.taken] == ["1", "9"]


async def test_equal_statuses_are_told_once() -> None:
    server = Server()
    channel = made(server)
    for _ in range(3):
        await channel.flush(POD, status("Running", "1"))
    assert len(server.taken) == 1


async def test_a_status_that_somebody_overruled_is_told_again() -> None:
    server = Server()
    channel = made(server)
    said = status("Running", "1", "True")
    await channel.flush(POD, said)
    channel.seen(msgspec.structs.replace(POD, status=said))
    await channel.flush(POD, said)
    assert len(server.taken) == 1
    lost = msgspec.structs.replace(said, conditions=[core_v1.PodCondition("False", "Ready")])
    channel.seen(msgspec.structs.replace(POD, status=lost))
    await channel.flush(POD, said)
    assert len(server.taken) == 2


@pytest.mark.parametrize(
    "trouble",
    [Unreachable("away"), errors.TooManyRequests("busy"), errors.InternalError("oops"), errors.Conflict("pods", "web")],
)
async def test_trouble_is_outlived(trouble: Exception) -> None:
    server = Server(trouble)
    channel = made(server)
    await channel.flush(POD, status("Running", "1"))
    assert len(server.taken) == 1


async def test_a_pod_that_is_gone_ends_the_matter() -> None:
    server = Server(errors.NotFound("pods", "web"))
    await made(server).flush(POD, status("Running", "1"))
    assert server.taken == []


async def test_a_pod_of_the_same_name_gets_nothing_of_the_old_ones() -> None:
    server = Server(errors.Conflict("pods", "web"))
    server.uid = "u-2"
    await made(server).flush(POD, status("Running", "1"))
    assert server.taken == []
