"""Ties the informers to the kernel: collects which Services changed, and brings their rules up to date.

A change is applied at once. While changes keep coming for long they gather, so that a busy cluster costs the node a
bounded share of a core (`budget`). A round that fails is followed by a round that writes everything, with growing
pauses; so is the discovery that somebody flushed the tables.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from prometheus_client import Counter, Gauge, Histogram

from client.backoff import Backoff
from client.informer import Informer
from daemon.log import logger
from proxy import objects
from proxy.applier import Applier
from proxy.budget import Budget
from proxy.conntrack import Conntrack, fronts_of
from proxy.iptables import IptablesError
from proxy.model import NodeView, endpoints_by_port, service_ports, slice_service_key
from proxy.ruleset import Desired
from proxy.services import ServiceRules, compile_service

log = logger(__name__)

BY_SERVICE = "service"
"""The index of the slices by the key of their Service."""

ROUND_SECONDS = Histogram(
    "kubeproxy_sync_proxy_rules_duration_seconds",
    "How long a round took from the first change to the kernel.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
FAILED_ROUNDS = Counter("pytheas_proxy_failed_rounds", "Rounds that the kernel or iptables refused.")
REPAIRS = Counter("pytheas_proxy_repairs", "How often the jumps into the proxy's chains were gone.")
SERVICES = Gauge("pytheas_proxy_services", "Services that have rules.")

_PAUSE = 0.01
"""Seconds after each round, in which changes that belong together gather."""
_TROUBLE_AFTER = 30.0


@dataclass(frozen=True)
class Periods:
    """Seconds."""

    audit: float = 30.0
    """Between looks at whether our jumps are still there."""
    whole: float = 3600.0
    """Between rounds that write everything, changed or not."""


class Syncer:
    def __init__(
        self,
        services: Informer[objects.Service],
        slices: Informer[objects.EndpointSlice],
        node: NodeView,
        applier: Applier,
        periods: Periods = Periods(),
    ) -> None:
        self._services, self._slices, self._node, self._applier = services, slices, node, applier
        self._periods = periods
        self._desired = Desired(node)
        self._conntrack = Conntrack(node.ip)
        self._budget = Budget()
        self._dirty: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._whole_due = True
        self._failing: tuple[float, str] | None = None
        self._synced = False
        services.on_change(lambda key, old, new: self.mark(key))
        slices.on_change(lambda key, old, new: self._slice_changed(old, new))

    def mark(self, *keys: str) -> None:
        """These Services (by key) may need other rules than they have."""
        now = time.monotonic()
        for key in keys:
            self._dirty.setdefault(key, now)
        self._wake.set()

    def _slice_changed(self, *versions: objects.EndpointSlice | None) -> None:
        self.mark(*(key for version in versions if version is not None and (key := slice_service_key(version))))

    def trouble(self) -> str | None:
        """For the health check."""
        if self._failing and time.monotonic() - self._failing[0] > _TROUBLE_AFTER:
            return f"the rules could not be applied for {time.monotonic() - self._failing[0]:.0f} s: {self._failing[1]}"
        return self._services.trouble() or self._slices.trouble()

    def unready(self) -> str | None:
        return None if self._synced else "the rules have not been written yet"

    async def run(self) -> NoReturn:
        await self._services.synced()
        await self._slices.synced()
        backoff = Backoff(0.5, 30.0)
        whole_at = audit_at = 0.0
        while True:
            started = time.monotonic()
            wrote_all = self._whole_due = self._whole_due or started >= whole_at
            try:
                if self._whole_due:
                    await self._write_everything()
                    whole_at, audit_at = started + self._periods.whole, started + self._periods.audit
                elif self._dirty:
                    await self._write_changes()
                if started >= audit_at:
                    audit_at = started + self._periods.audit
                    await self._audit()
                await self._conntrack.clean()
            except IptablesError as error:
                await self._failed(error, backoff)
                continue
            self._failing, self._synced = None, True
            backoff.reset()
            await self._rest(0.0 if wrote_all else time.monotonic() - started, audit_at)

    async def _rest(self, busy: float, until: float) -> None:
        await asyncio.sleep(max(_PAUSE, self._budget.spend(busy, time.monotonic())))
        if self._dirty or self._whole_due:
            return
        self._wake.clear()
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _failed(self, error: IptablesError, backoff: Backoff) -> None:
        FAILED_ROUNDS.inc()
        self._whole_due = True  # a refused change leaves us without knowledge of what the kernel has
        if self._failing is None:
            self._failing = (time.monotonic(), str(error))
        delay = backoff.next()
        log.warning("the rules could not be applied", reason=str(error), retry_in=delay)
        await asyncio.sleep(delay)

    async def _write_everything(self) -> None:
        started = time.monotonic()
        self._dirty.clear()
        rules = self._desired.whole(self._compile(self._services.keys()))
        await self._applier.replace_all(rules)
        self._whole_due = False
        seconds = time.monotonic() - started
        ROUND_SECONDS.observe(seconds)
        SERVICES.set(len(self._desired))
        log.info("all rules written", services=len(self._desired), chains=len(rules.chains), seconds=seconds)

    async def _write_changes(self) -> None:
        dirty, self._dirty = self._dirty, {}
        change = self._desired.update(self._compile(dirty))
        if not change:
            return
        await self._applier.apply(change)
        seconds = time.monotonic() - min(dirty.values())
        ROUND_SECONDS.observe(seconds)
        SERVICES.set(len(self._desired))
        log.debug(
            "rules changed", services=len(dirty), written=len(change.write), gone=len(change.remove), seconds=seconds
        )

    def _compile(self, keys: Iterable[str]) -> dict[str, ServiceRules]:
        """The rules of these Services as the informers have them now."""
        compiled = {}
        for key in keys:
            service = self._services.get(key)
            ports = service_ports(service, self._node.family) if service is not None else []
            endpoints = endpoints_by_port(self._slices.by_index(BY_SERVICE, key), self._node) if ports else {}
            self._conntrack.update(key, fronts_of(ports, endpoints))
            compiled[key] = compile_service(ports, endpoints, self._node)
        return compiled

    async def _audit(self) -> None:
        if await self._applier.intact():
            return
        REPAIRS.inc()
        log.warning("the jumps into the proxy's chains are gone, writing all rules again")
        await self._write_everything()
