"""systemd-logind's side: it is asked to wait a while before it shuts the machine down, and tells when it is about to.

It waits as long as somebody holds one of its locks open, but no longer than its own configuration says; where that is
too short, a drop-in file makes it longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.log import logger

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

log = logger(__name__)

SERVICE, PATH, MANAGER = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
SYSTEMD, SYSTEMD_PATH = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
DROP_IN = Path("/etc/systemd/logind.conf.d/99-kubelet.conf")
DEADLINE = 10.0


class LogindError(Exception):
    """logind can't be asked, or does not do what it is asked."""


class Logind:
    """One connection. `news` gives True as a shutdown begins, False as one is called off, None at the end of the
    connection."""

    def __init__(self, bus: MessageBus, drop_in: Path) -> None:
        self._bus, self._drop_in = bus, drop_in
        self.news: asyncio.Queue[bool | None] = asyncio.Queue()
        self._lock = -1

    async def prepare(self, seconds: int) -> None:
        """Hear of shutdowns, and be granted so many seconds. Raises LogindError."""
        self._bus.add_message_handler(self._hear)
        rule = f"type='signal',sender='{SERVICE}',interface='{MANAGER}',member='PrepareForShutdown'"
        await self._call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s", rule)
        if await self._longest() < seconds:
            await self._lengthen(seconds)
        await self.inhibit()

    async def inhibit(self) -> None:
        """Hold shutdowns up from now on. Raises LogindError."""
        words = ("shutdown", "kubelet", "Kubelet needs time to handle node shutdown", "delay")
        answer = await self._call(SERVICE, PATH, MANAGER, "Inhibit", "ssss", *words)
        self.release()
        self._lock = answer.unix_fds[answer.body[0]]

    def release(self) -> None:
        """Let the shutdown go on."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    async def _longest(self) -> float:
        """Seconds that logind waits at most."""
        properties = "org.freedesktop.DBus.Properties"
        answer = await self._call(SERVICE, PATH, properties, "Get", "ss", MANAGER, "InhibitDelayMaxUSec")
        return float(answer.body[0].value) / 1e6

    async def _lengthen(self, seconds: int) -> None:
        try:
            self._drop_in.parent.mkdir(parents=True, exist_ok=True)
            self._drop_in.write_text(f"# Kubelet logind override\n[Login]\nInhibitDelayMaxSec={seconds}\n")
        except OSError as error:
            raise LogindError(f"unable to override inhibit delay by shutdown manager: {error}") from error
        unit = ("systemd-logind.service", "all", int(signal.SIGHUP))
        await self._call(SYSTEMD, SYSTEMD_PATH, f"{SYSTEMD}.Manager", "KillUnit", "ssi", *unit)
        longest = await self._longest()
        if longest < seconds:
            raise LogindError(
                f"node shutdown manager was unable to update logind InhibitDelayMaxSec to {seconds}s "
                f"(ShutdownGracePeriod), current value of InhibitDelayMaxSec ({longest:g}s) is less than requested"
            )

    def _hear(self, message: Message) -> None:
        if message.member == "PrepareForShutdown" and message.interface == MANAGER:
            self.news.put_nowait(bool(message.body[0]))

    async def _call(self, service: str, path: str, interface: str, member: str, signature: str, *body: Any) -> Message:
        from dbus_fast import Message, MessageType

        asked = Message(
            destination=service, path=path, interface=interface, member=member, signature=signature, body=[*body]
        )
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await self._bus.call(asked)
        except (OSError, EOFError, TimeoutError) as error:
            raise LogindError(f"{member}: {error or 'timed out'}") from error
        if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
            raise LogindError(f"{member}: {answer.error_name if answer else 'no answer'}")
        return answer


@asynccontextmanager
async def connected(drop_in: Path = DROP_IN) -> AsyncIterator[Logind]:
    """A connection to the machine's logind. Raises LogindError."""
    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus

    try:
        async with asyncio.timeout(DEADLINE):
            bus = await MessageBus(bus_type=BusType.SYSTEM, negotiate_unix_fd=True).connect()
    except (OSError, ValueError, TimeoutError) as error:
        raise LogindError(f"the system's message bus can't be reached: {error or 'timed out'}") from error
    logind = Logind(bus, drop_in)
    watching = asyncio.create_task(_tell_end(bus, logind))
    try:
        yield logind
    finally:
        watching.cancel()
        logind.release()
        bus.disconnect()


async def _tell_end(bus: MessageBus, logind: Logind) -> None:
    with contextlib.suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    logind.news.put_nowait(None)
