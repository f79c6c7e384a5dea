"""Of several schedulers or controller managers one works; the others wait for its Lease to run out.

The Lease's times are written by one machine's clock and never compared with another's: a candidate measures with its
own clock how long the record has stayed the same. So clocks may differ; they must only run equally fast.
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from api import errors
from api.metadata import now
from api.types import coordination_v1, meta_v1
from client.backoff import Backoff
from client.codec import Unreadable
from client.rest import Client, Unreachable
from daemon.log import logger

log = logger(__name__)

NAMESPACE = "kube-system"


def identity(port: int) -> str:
    """Who holds the Lease: this boot of this kernel, this network namespace, this port.

    Only one process at a time can be that, as it holds the port. So the process that follows a killed one takes the
    Lease up again at once, and need not wait for it to run out.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{platform.node()}_{boot[:8]}_{os.stat('/proc/self/ns/net').st_ino}_{port}"


class LeaderElector:
    """`run(lead)` runs `lead()` while the Lease is ours. Times in seconds."""

    def __init__(
        self,
        client: Client,
        name: str,
        identity: str,
        lease_duration: float = 15,
        renew_deadline: float = 10,
        retry_period: float = 2,
    ) -> None:
        self._client, self._name, self.identity = client, name, identity
        self._duration, self._deadline, self._period = lease_duration, renew_deadline, retry_period
        self._observed: coordination_v1.Lease | None = None
        self._observed_at = 0.0
        self._certain = False
        """Whether `_observed` is our own last write."""
        self._failing = False
        self.is_leader = False

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the Lease, lead until it is lost, wait again. Ends when `lead()` ends by itself, or cancelled."""
        while True:
            await self._acquire()
            self.is_leader = True
            log.info("leading", lease=self._name, identity=self.identity)
            try:
                if await self._lead(lead):
                    return
            finally:
                self.is_leader = False
                await self._release()
            log.warning("lost the lease", lease=self._name, identity=self.identity)

    async def _lead(self, lead: Callable[[], Awaitable[None]]) -> bool:
        """True when `lead()` is done, False when the Lease was lost."""
        working: asyncio.Task[None] = asyncio.ensure_future(_as_coroutine(lead()))
        renewing = asyncio.create_task(self._renew(), name="renew-lease")
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working  # raises what it raised
                return True
            return False
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)

    async def _acquire(self) -> None:
        # Daemons that start together with the API server should not sleep through its first seconds.
        unanswered = Backoff(0.05, self._period)
        while True:
            if await self._try():
                return
            if self._failing:
                await self._client.pause(unanswered.next())
            else:
                unanswered.reset()
                await asyncio.sleep(self._period * random.uniform(1.0, 1.2))

    async def _renew(self) -> None:
        """Returns when the Lease could not be renewed in time."""
        renewed = time.monotonic()
        while time.monotonic() - renewed < self._deadline:
            await asyncio.sleep(self._period)
            started = time.monotonic()
            if await self._try(timeout=max(0.1, renewed + self._deadline - started)):
                renewed = started
            elif self._observed is not None and not self._is_ours(self._observed):
                return

    async def _try(self, timeout: float | None = None) -> bool:
        try:
            async with asyncio.timeout(timeout or self._deadline):
                got = await self._take_or_renew()
            self._failing = False
            return got
        except errors.Conflict:
            return False
        except (errors.StatusError, Unreachable, Unreadable, TimeoutError) as error:
            tell = log.debug if self._failing else log.warning
            tell("the lease could not be written", lease=self._name, reason=str(error) or "no answer in time")
            self._failing = True
            return False

    async def _take_or_renew(self) -> bool:
        known, certain = self._observed, self._certain
        self._certain = False
        if certain and known is not None and self._is_ours(known):
            await self._renew_known(known)  # nobody else should have written it: spare the read
            return True
        try:
            lease = await self._client.get(coordination_v1.Lease, self._name, NAMESPACE)
        except errors.NotFound:
            created = coordination_v1.Lease(
                metadata=meta_v1.ObjectMeta(name=self._name, namespace=NAMESPACE), spec=self._spec(None)
            )
            try:
                self._observe(await self._client.create(created))
                self._certain = True
            except errors.AlreadyExists:
                return False
            return True
        self._observe(lease)
        spec = lease.spec
        if spec is not None and spec.holderIdentity and not self._is_ours(lease) and not self._expired(spec):
            return False
        await self._renew_known(lease)
        return True

    async def _renew_known(self, lease: coordination_v1.Lease) -> None:
        self._observe(await self._client.update(msgspec.structs.replace(lease, spec=self._spec(lease.spec))))
        self._certain = True

    def _observe(self, lease: coordination_v1.Lease) -> None:
        if self._observed is None or self._observed.spec != lease.spec:
            self._observed_at = time.monotonic()
        self._observed = lease

    def _is_ours(self, lease: coordination_v1.Lease) -> bool:
        return lease.spec is not None and lease.spec.holderIdentity == self.identity

    def _expired(self, spec: coordination_v1.LeaseSpec) -> bool:
        return time.monotonic() - self._observed_at >= float(spec.leaseDurationSeconds or self._duration)

    def _spec(self, old: coordination_v1.LeaseSpec | None) -> coordination_v1.LeaseSpec:
        moment = now()
        ours = old is not None and old.holderIdentity == self.identity
        transitions = (old.leaseTransitions or 0) if old is not None else 0
        return coordination_v1.LeaseSpec(
            holderIdentity=self.identity,
            leaseDurationSeconds=max(1, round(self._duration)),
            acquireTime=old.acquireTime if ours and old is not None and old.acquireTime else moment,
            renewTime=moment,
            leaseTransitions=transitions if ours or old is None else transitions + 1,
        )

    async def _release(self) -> None:
        """Give the Lease up, so that the next leader need not wait for it to run out."""
        self._certain = False
        try:
            async with asyncio.timeout(2.0):
                lease = await self._client.get(coordination_v1.Lease, self._name, NAMESPACE)
                if lease.spec is None or not self._is_ours(lease):
                    return
                spec = msgspec.structs.replace(lease.spec, holderIdentity="", leaseDurationSeconds=1, renewTime=now())
                self._observe(await self._client.update(msgspec.structs.replace(lease, spec=spec)))
        except (errors.StatusError, Unreachable, TimeoutError) as error:
            log.info("the lease could not be given up", lease=self._name, reason=str(error) or "no answer in time")


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
