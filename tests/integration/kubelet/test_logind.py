"""The kubelet's talk with systemd-logind, over a real message bus, with a logind that only plays the part."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from kubelet.shutdown import logind
from kubelet.shutdown.logind import LogindError, connected

_CONFIG = """
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


class Stage:
    """Plays logind, and as much of systemd as restarts it."""

    def __init__(self, bus: MessageBus, drop_in: Path) -> None:
        self.bus, self.drop_in = bus, drop_in
        self.longest = 5_000_000
        self.obeys = True
        self.asked: list[list[object]] = []
        self.held: list[int] = []
        self.given: list[int] = []
        bus.add_message_handler(self._answer)

    def _answer(self, asked: Message) -> Message | None:
        if asked.message_type is not MessageType.METHOD_CALL:
            return None
        if asked.member == "Inhibit":
            ours, theirs = os.pipe()
            self.asked.append(asked.body)
            os.set_blocking(ours, False)
            self.held.append(ours)
            self.given.append(theirs)
            return Message.new_method_return(asked, "h", [0], unix_fds=[theirs])
        if asked.member == "Get":
            return Message.new_method_return(asked, "v", [Variant("t", self.longest)])
        if asked.member == "KillUnit":
            if self.obeys:
                text = self.drop_in.read_text()
                self.longest = int(text.rpartition("=")[2]) * 1_000_000
            return Message.new_method_return(asked)
        return None

    async def tell(self, begins: bool) -> None:
        await self.bus.send(Message.new_signal(logind.PATH, logind.MANAGER, "PrepareForShutdown", "b", [begins]))

    async def let_go(self) -> None:
        """Returns once the last lock has been released."""
        if self.is_held():
            ended = asyncio.Event()
            asyncio.get_running_loop().add_reader(self.held[-1], ended.set)
            await asyncio.wait_for(ended.wait(), 5)
            asyncio.get_running_loop().remove_reader(self.held[-1])
        assert not self.is_held()

    def is_held(self) -> bool:
        """Whether the kubelet has the other end of the last pipe open. Our own copy was only there to be sent."""
        while self.given:
            os.close(self.given.pop())
        try:
            return os.read(self.held[-1], 1) != b""
        except BlockingIOError:
            return True


@pytest.fixture
def message_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    socket, config = tmp_path / "bus", tmp_path / "bus.conf"
    config.write_text(_CONFIG.format(socket=socket))
    argv = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={socket}")
        yield
        daemon.terminate()


@pytest.fixture
async def stage(message_bus: None, tmp_path: Path) -> AsyncIterator[Stage]:
    bus = await MessageBus(bus_type=BusType.SYSTEM, negotiate_unix_fd=True).connect()
    await bus.request_name(logind.SERVICE)
    await bus.request_name(logind.SYSTEMD)
    made = Stage(bus, tmp_path / "conf.d" / "99-kubelet.conf")
    yield made
    bus.disconnect()
    for each in [*made.held, *made.given]:
        os.close(each)


async def test_a_shutdown_is_held_up_until_the_lock_is_released(stage: Stage) -> None:
    async with connected(stage.drop_in) as found:
        await found.prepare(4)
        assert stage.asked == [["shutdown", "kubelet", "Kubelet needs time to handle node shutdown", "delay"]]
        assert not stage.drop_in.exists(), "what logind grants is enough"
        assert stage.is_held()
        await stage.tell(True)
        assert await asyncio.wait_for(found.news.get(), 5) is True
        assert stage.is_held()
        found.release()
        await stage.let_go()
        await stage.tell(False)
        assert await asyncio.wait_for(found.news.get(), 5) is False
        await found.inhibit()
        assert len(stage.asked) == 2
    await stage.let_go()


async def test_logind_is_told_to_wait_longer(stage: Stage) -> None:
    async with connected(stage.drop_in) as found:
        await found.prepare(60)
        assert stage.drop_in.read_text().endswith("[Login]\nInhibitDelayMaxSec=60\n")
        assert stage.longest == 60_000_000


async def test_a_logind_that_does_not_wait_longer_is_an_error(stage: Stage) -> None:
    stage.obeys = False
    async with connected(stage.drop_in) as found:
        with pytest.raises(LogindError, match=r"current value of InhibitDelayMaxSec \(5s\) is less than requested"):
            await found.prepare(60)


async def test_the_end_of_the_connection_is_told(stage: Stage) -> None:
    async with connected(stage.drop_in) as found:
        found._bus.disconnect()
        assert await asyncio.wait_for(found.news.get(), 5) is None


async def test_no_bus_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(LogindError, match="message bus can't be reached"):
        async with connected():
            pass
