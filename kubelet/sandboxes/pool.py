"""A few network namespaces that are wired already, so that a pod's start waits neither for Docker's nor for CNI.

What is ready lies on the disk: a namespace's file, and CNI's record under the namespace's name. A restarted kubelet
takes up what it finds there. A sandbox in such a namespace carries its name as a label (`NETWORK`), so whatever
neither a sandbox nor the pool knows is left over, and `sweep` gives it back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.types import core_v1
from daemon.log import logger
from kubelet.network.cni import Attachment, Cni, CniError
from kubelet.network.namespaces import Namespaces
from kubelet.pod import sysctls

log = logger(__name__)

QUIET = 1.0
"""Seconds without a pod's start before the pool is filled up: its work must not slow a rollout down."""
RETRY = 10.0
JOIN_DEADLINE = 10.0


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace lent to one pod. One that is `plain` can be wired without knowing the pod."""

    name: str
    path: Path
    plain: bool = False


class JoinError(Exception):
    """A sandbox is not in the namespace that it was to join."""


class Pool:
    """`size` wired namespaces. `off` says why none is used, or nothing."""

    def __init__(self, folder: Path, cni: Cni, size: int) -> None:
        self._spaces = Namespaces(folder)
        self._cni = cni
        self._size = size
        self._ready: list[str] = []
        self._lent: set[str] = set()
        self._stirred = asyncio.Event()
        self._adopted = False
        self.off = "not started"

    @property
    def ready(self) -> int:
        """How many are wired and waiting."""
        return len(self._ready)

    async def take(self, spec: core_v1.PodSpec) -> Space | None:
        """A namespace for a pod, wired if there is one and it suits. None if Docker is to make the pod's.

        Raises OSError when the kernel can't make one.
        """
        if self.off or not suits(spec):
            return None
        self.nudge()
        if has_host_ports(spec):
            return Space(*await self._make())
        while self._ready:
            name = self._ready.pop(0)
            if self._is_wired(name):
                self._lent.add(name)
                return Space(name, self._spaces.path(name))
            await self._give_back(name)
        return Space(*await self._make(), plain=self._cni.generated)

    async def start_in(self, space: Space, start: Awaitable[object]) -> None:
        """Start a sandbox, and wire its namespace meanwhile if that isn't done and doesn't depend on the pod.

        What the start raises is passed on, and the namespace given back.
        """
        wiring = asyncio.create_task(self._wire(space), name=f"wire {space.name}") if space.plain else None
        try:
            await start
        except BaseException:
            if wiring is not None:
                await wiring
            await self._give_back(space.name)
            raise
        if wiring is not None:
            await wiring

    async def _wire(self, space: Space) -> tuple[str, ...]:
        """Give a namespace what every pod gets. What fails here is tried again, and told, when the pod needs it."""
        try:
            return await self._cni.add(Attachment(space.name, str(space.path)))
        except CniError as error:
            log.warning("a namespace could not be wired", error=str(error))
            return ()

    async def wait_joined(self, name: str, process: str) -> None:
        """Return once a process (the path of its namespace's file) is in the namespace. Raises JoinError.

        Until then a container that joins the sandbox would be in the host's network. The program needs a millisecond
        for it and tells nobody, so it is watched.
        """
        deadline = asyncio.get_running_loop().time() + JOIN_DEADLINE
        while not self._spaces.is_that_of(name, process):
            if not self._spaces.is_alive(process) or asyncio.get_running_loop().time() > deadline:
                self._give_up("a sandbox could not join its namespace by itself")
                raise JoinError("the sandbox is not in its network namespace")
            await asyncio.sleep(0.002)

    def _give_up(self, why: str) -> None:
        """Let Docker make every namespace from now on."""
        log.warning("network namespaces are left to Docker", why=why)
        self.off = why

    async def release(self, name: str) -> None:
        """A pod's namespace is no longer needed. Its network must have been given back."""
        self._lent.discard(name)
        await asyncio.to_thread(self._spaces.remove, name)

    def netns(self, name: str) -> str:
        """The path of a namespace, or nothing if it is gone."""
        return str(self._spaces.path(name)) if self._spaces.exists(name) else ""

    def nudge(self) -> None:
        """Something has changed: a pod has come, or the node has a network now."""
        self._stirred.set()

    async def keep(self, used: Callable[[], set[str]]) -> None:
        """Keep the pool full, from when the node has a network on. For ever. `used` tells the networks that sandboxes
        have; all of them must be known by now."""
        while self._cni.problem():
            self._stirred.clear()
            await self._stirred.wait()
        self._adopt(used())
        await self.sweep(used())
        while True:
            self._stirred.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), QUIET)
                continue
            if not self._wants_more():
                await self._stirred.wait()
                continue
            try:
                await self._add_one()
            except (CniError, OSError) as error:
                log.warning("no namespace could be made ready", error=str(error))
                await asyncio.sleep(RETRY)

    def _wants_more(self) -> bool:
        return not self.off and self._cni.generated and len(self._ready) < self._size

    async def _add_one(self) -> None:
        name, path = await self._make()
        try:
            await self._cni.add(Attachment(name, str(path)))
        except CniError:
            await self.release(name)
            raise
        self._lent.discard(name)
        self._ready.append(name)

    async def _make(self) -> tuple[str, Path]:
        name = f"ns-{secrets.token_hex(6)}"
        self._lent.add(name)
        try:
            await self._spaces.make(name)
        except OSError:
            self._lent.discard(name)
            raise
        return name, self._spaces.path(name)

    def _adopt(self, used: set[str]) -> None:
        """Take up what an earlier kubelet has made ready and no sandbox uses."""
        for name in sorted(self._spaces.names() - used - self._lent):
            if len(self._ready) < self._size and self._is_wired(name):
                self._ready.append(name)
        self._adopted = True

    def _is_wired(self, name: str) -> bool:
        return bool(self._cni.cached(name)) and self._spaces.exists(name) and self._cni.is_current(name)

    async def sweep(self, used: set[str]) -> None:
        """Give back every network that neither a sandbox (`used`: their networks' names) nor the pool has."""
        if not self._adopted:
            return
        self._lent -= used  # from here on the sandbox's label speaks for it
        kept = used | self._lent | set(self._ready)
        for name in {*self._cni.known(), *self._spaces.names()} - kept:
            await self._give_back(name)
        self.nudge()  # what kept the pool from being filled may have passed

    async def _give_back(self, name: str) -> None:
        try:
            await self._cni.delete(name, self.netns(name))
            await self.release(name)
        except (CniError, OSError) as error:
            log.warning("a lost sandbox's network stays", network=name[:16], error=str(error))


def suits(spec: core_v1.PodSpec) -> bool:
    """Whether a pod's sandbox may join a namespace by itself. It needs a capability for that, which nobody may get at
    who shares its process namespace; runc sets a network's sysctls only in a namespace that it made; and a runtime of
    another kind may have namespaces of its own."""
    if spec.hostNetwork or spec.hostPID or spec.shareProcessNamespace or spec.hostUsers is False:
        return False
    return not spec.runtimeClassName and not any(name.startswith("net.") for name in sysctls.values(spec))


def has_host_ports(spec: core_v1.PodSpec) -> bool:
    containers = [*spec.containers, *(spec.initContainers or ())]
    return any(port.hostPort for each in containers for port in each.ports or ())


def why_not(joins: bool, info: Mapping[str, Any]) -> str:
    """Why sandboxes can't join namespaces by themselves here, from Docker's `/info`; or nothing."""
    if not joins:
        return "the pause image has no program for it"
    if any(str(each).startswith(("name=userns", "name=rootless")) for each in info.get("SecurityOptions") or ()):
        return "Docker's containers have a user namespace of their own"
    return ""
