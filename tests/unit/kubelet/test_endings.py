"""Hooks and signals beside a pod's worker: what runs, what is given up, what is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.probes.answer import Answer
from kubelet.runtime.container import CONTAINER_NAME, Container, State
from kubelet.worker.chores import Chores
from kubelet.worker.endings import Endings
from kubelet.worker.failures import Failures

MAIN = Container("c1", {CONTAINER_NAME: "main"}, State.RUNNING)


class Hands:
    """A pod's steps that answer from memory; exec hooks end when they are told to."""

    def __init__(self, **lifecycle: Any) -> None:
        self.spec = msgspec.convert({"name": "main", "lifecycle": lifecycle}, core_v1.Container)
        self.said: list[tuple[str, str]] = []
        self.signalled: list[str] = []
        self.killed: list[str] = []
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.node = self
        self.asker = self
        self.host_ips = ("192.0.2.1",)

    def ips(self, sandbox_id: str) -> tuple[str, ...]:
        return ("10.0.0.9",)

    def spec_or_none(self, name: str) -> core_v1.Container:
        return self.spec

    def say_of(self, name: str, kind: str, reason: str, message: str) -> None:
        self.said.append((reason, message))

    async def execute(self, action: core_v1.ExecAction, target: Any, timeout: float | None) -> Answer:
        self.asked.put_nowait(" ".join(action.command or []))
        return await asyncio.shield(self.answer)

    async def signal(self, container: Container) -> None:
        self.signalled.append(container.id)

    async def kill(self, ids: tuple[str, ...]) -> None:
        self.killed += ids


@pytest.fixture
def made() -> Callable[..., tuple[Endings, Hands, Failures, asyncio.Event]]:
    def make(**lifecycle: Any) -> tuple[Endings, Hands, Failures, asyncio.Event]:
        hands, failures, changed = Hands(**lifecycle), Failures("u-1"), asyncio.Event()
        return Endings(hands, Chores("u-1"), failures, changed.set), hands, failures, changed  # type: ignore[arg-type]

    return make


Made = Callable[..., tuple[Endings, Hands, Failures, asyncio.Event]]
HOOK = {"exec": {"command": ["drain"]}}


async def test_a_container_without_a_hook_is_ready_for_its_signal(made: Made) -> None:
    endings, hands, _, _ = made()
    endings.stop([MAIN], 30.0, "Stopping container {name}")
    assert endings.stops["c1"].hooked
    assert hands.said == [("Killing", "Stopping container main")]
    endings.signal([MAIN])
    await asyncio.sleep(0)
    assert hands.signalled == ["c1"]
    assert endings.stops["c1"].signalled_at is not None
    await endings.kill(("c1",))
    assert (hands.killed, endings.stops["c1"].killed_at is not None) == (["c1"], True)
    endings.ended("c1")
    assert endings.stops == {}


async def test_the_signal_waits_for_the_hook(made: Made) -> None:
    endings, hands, _, changed = made(preStop=HOOK)
    endings.stop([MAIN], 30.0, "")
    assert await asyncio.wait_for(hands.asked.get(), 1) == "drain"
    assert not endings.stops["c1"].hooked
    hands.answer.set_result(Answer(False, "secret words"))
    await asyncio.wait_for(changed.wait(), 30)
    assert endings.stops["c1"].hooked
    assert ("FailedPreStopHook", "PreStopHook failed") in hands.said


async def test_a_hook_is_given_up_when_its_time_is_over_and_run_anew_for_a_shorter_one(made: Made) -> None:
    endings, hands, _, changed = made(preStop=HOOK)
    endings.stop([MAIN], 30.0, "")
    await asyncio.wait_for(hands.asked.get(), 30)
    endings.stop([MAIN], 0.05, "")
    await asyncio.wait_for(hands.asked.get(), 30)
    await asyncio.wait_for(changed.wait(), 30)
    assert endings.stops["c1"].hooked
    assert endings.stops["c1"].grace == 0.05


async def test_no_grace_means_no_hook(made: Made) -> None:
    endings, hands, _, _ = made(preStop=HOOK)
    endings.stop([MAIN], 0.0, "")
    assert endings.stops["c1"].hooked
    assert hands.asked.empty()


async def test_post_start(made: Made) -> None:
    endings, hands, failures, changed = made(postStart=HOOK)
    endings.started(hands.spec, "c1", ("10.0.0.9",))
    assert endings.hooks == {"c1": ""}
    hands.answer.set_result(Answer(False, "no way"))
    await asyncio.wait_for(changed.wait(), 30)
    assert endings.hooks == {"c1": "no way"}
    assert hands.said == [("FailedPostStartHook", "PostStartHook failed")]
    failure = failures.get("main")
    assert failure is not None
    assert (failure.reason, failure.message) == ("PostStartHookError", "no way")
    assert failure.retry_at <= time.time()


async def test_a_container_that_ends_takes_its_hooks_with_it(made: Made) -> None:
    endings, hands, _, changed = made(postStart=HOOK)
    endings.started(hands.spec, "c1", ())
    await asyncio.wait_for(hands.asked.get(), 30)
    endings.ended("c1")
    hands.answer.cancel()
    await asyncio.sleep(0)
    assert endings.hooks == {}
    assert not changed.is_set()


async def test_a_clock_that_is_set_shifts_what_is_under_way(made: Made) -> None:
    endings, _, failures, _ = made()
    endings.stop([MAIN], 30.0, "")
    endings.signal([MAIN])
    failures.note("network", "", "no")
    before, failed = endings.stops["c1"], failures.get("network")
    endings.shift(3600.0)
    failures.shift(3600.0)
    after, shifted = endings.stops["c1"], failures.get("network")
    assert after.kill_at == before.kill_at + 3600.0
    assert failed is not None
    assert shifted is not None
    assert shifted.retry_at == failed.retry_at + 3600.0
