"""One leads at a time; another takes over when it stops, soon when it stops cleanly."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from client.kubeconfig import Config
from client.leader import LeaderElector
from client.rest import Client
from tests.unit.client.fake_api import FakeApi, serve

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
FAST = {"lease_duration": 3.0, "renew_deadline": 1.0, "retry_period": 0.05}


class Candidate:
    def __init__(self, client: Client, name: str, **times: float) -> None:
        self.elector = LeaderElector(client, "test", name, **(FAST | times))
        self.leading = asyncio.Event()
        self.stopped = asyncio.Event()
        self.task = asyncio.create_task(self.elector.run(self.lead))

    async def lead(self) -> None:
        self.leading.set()
        self.stopped.clear()
        try:
            await asyncio.Event().wait()
        finally:
            self.leading.clear()
            self.stopped.set()

    async def stop(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


def spec(api: FakeApi) -> dict[str, Any]:
    found: dict[str, Any] = api.objects[LEASES, "test"]["spec"]
    return found


async def test_one_leads_and_a_clean_stop_hands_over_at_once() -> None:
    async with serve() as api, Client(Config(api.url)) as client, asyncio.timeout(10):
        first = Candidate(client, "first", lease_duration=60.0)
        await first.leading.wait()
        second = Candidate(client, "second", lease_duration=60.0)
        await asyncio.sleep(0.3)
        assert not second.leading.is_set()
        assert spec(api)["holderIdentity"] == "first"
        await first.stop()
        assert first.stopped.is_set()
        await second.leading.wait()  # although the first one's lease was for a minute
        assert spec(api)["holderIdentity"] == "second"
        assert spec(api)["leaseTransitions"] == 1
        assert second.elector.is_leader
        await second.stop()
        assert spec(api)["holderIdentity"] == ""


async def test_a_dead_leader_is_followed_after_its_lease_ran_out() -> None:
    async with serve() as api, Client(Config(api.url)) as client, asyncio.timeout(10):
        holder = {"holderIdentity": "dead", "leaseDurationSeconds": 1, "renewTime": "2001-01-01T00:00:00.000000Z"}
        await api.put(LEASES, "test", spec=holder)
        started = asyncio.get_running_loop().time()
        second = Candidate(client, "second")
        await second.leading.wait()
        # Its time stamp is old, but clocks differ: only what we see counts.
        assert asyncio.get_running_loop().time() - started >= 1.0
        await second.stop()


async def test_who_cannot_renew_stops_leading_before_another_may_start() -> None:
    async with serve() as api, Client(Config(api.url)) as client, asyncio.timeout(10):
        first = Candidate(client, "first")
        await first.leading.wait()
        api.fail = [web.Response(status=500) for _ in range(1000)]
        cut_off = asyncio.get_running_loop().time()
        await first.stopped.wait()
        assert asyncio.get_running_loop().time() - cut_off < 3.0  # the lease's duration
        api.fail = []
        await first.leading.wait()
        await first.stop()


async def test_a_stolen_lease_ends_the_lead() -> None:
    async with serve() as api, Client(Config(api.url)) as client, asyncio.timeout(10):
        first = Candidate(client, "first")
        await first.leading.wait()
        thief = {"holderIdentity": "thief", "leaseDurationSeconds": 1, "renewTime": "2026-01-01T00:00:00.000000Z"}
        await api.put(LEASES, "test", spec=thief)
        await first.stopped.wait()
        assert spec(api)["holderIdentity"] == "thief"
        await first.stop()


async def test_an_error_of_the_work_ends_the_run_and_frees_the_lease() -> None:
    async with serve() as api, Client(Config(api.url)) as client, asyncio.timeout(10):
        elector = LeaderElector(client, "test", "me", **FAST)

        async def work() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await elector.run(work)
        assert spec(api)["holderIdentity"] == ""
        assert not elector.is_leader


async def test_a_server_that_is_about_to_come_up_is_not_waited_for_long() -> None:
    async with serve() as api, Client(Config(api.url)) as client, asyncio.timeout(4):
        api.fail = [web.json_response({"kind": "Status", "code": 500}, status=500) for _ in range(4)]
        candidate = Candidate(client, "early", lease_duration=15.0, renew_deadline=10.0, retry_period=8.0)
        await candidate.leading.wait()
        await candidate.stop()
