"""Ends UDP flows that the kernel still sends to an endpoint which left.

Address translation happens on a flow's first packet only. TCP ends by itself; a UDP client that keeps its port (a
resolver) would talk to a dead pod for as long as it keeps talking. So when a UDP endpoint goes, or the first one
comes, the kernel's flows are listed, and those that lead elsewhere than the Service now does are deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from daemon.log import logger
from proxy.iptables import IptablesError, run
from proxy.model import Endpoint, ServicePort
from proxy.services import choose

log = logger(__name__)

Front = tuple[str, int]
"""Where clients send to: address and port; the address is empty for a node port."""
Backs = frozenset[tuple[str, int]]
Fronts = Mapping[Front, Backs]

_FLOW = re.compile(
    r"src=(?P<src>\S+) dst=(?P<dst>\S+) sport=(?P<sport>\d+) dport=(?P<dport>\d+)"
    r".*? src=(?P<back>\S+) dst=\S+ sport=(?P<back_port>\d+) dport=\d+"
)


@dataclass(frozen=True, order=True)
class Flows:
    """All flows from a front to a back."""

    front: Front
    back: str


def fronts_of(
    ports: Iterable[ServicePort], endpoints: Mapping[tuple[str, str], Sequence[Endpoint]]
) -> dict[Front, Backs]:
    """The UDP fronts of one Service and the endpoints behind each."""
    fronts: dict[Front, Backs] = {}
    for port in ports:
        if port.protocol != "udp":
            continue
        choice = choose(endpoints.get((port.port_name, port.protocol), ()))
        backs = frozenset((endpoint.ip, endpoint.port) for endpoint in (*choice.cluster, *choice.local))
        for address in (port.cluster_ip, *port.external_ips, *port.load_balancer_ips):
            fronts[address, port.port] = backs
        if port.node_port:
            fronts["", port.node_port] = backs
    return fronts


def leaves_stale_flows(old: Fronts, new: Fronts) -> bool:
    """Whether a change may leave flows that lead to the wrong place, or (from before the first endpoint) nowhere."""
    return any(not backs or backs - new.get(front, frozenset()) for front, backs in old.items()) or any(
        front not in old for front in new
    )


def stale_flows(listing: str, fronts: Fronts, node_ip: str) -> set[Flows]:
    """Read `conntrack -L -p udp` and find the flows to a front that lead to none of its endpoints."""
    stale = set[Flows]()
    for line in listing.splitlines():
        match = _FLOW.search(line)
        if match is None:
            continue
        address, port, back = match["dst"], int(match["dport"]), match["back"]
        backs = fronts.get((address, port))
        if backs is None and (back != address or address == node_ip):
            # A node port's flow is known by its having been translated; others may use the same port of other hosts.
            backs = fronts.get(("", port))
        if backs is not None and (back, int(match["back_port"])) not in backs:
            stale.add(Flows((address, port), back))
    return stale


class Conntrack:
    """Keeps the fronts of all UDP Services, and cleans up after them."""

    def __init__(self, node_ip: str) -> None:
        self._node_ip = node_ip
        self._fronts: dict[str, dict[Front, Backs]] = {}
        self._gone: dict[Front, Backs] = {}
        self._due = True  # whatever happened while no proxy ran

    def update(self, key: str, fronts: dict[Front, Backs]) -> None:
        """Take the fronts of a Service as they are now."""
        old = self._fronts.pop(key, {})
        if fronts:
            self._fronts[key] = fronts
        if leaves_stale_flows(old, fronts):
            self._gone |= dict.fromkeys(old.keys() - fronts.keys(), frozenset())
            self._due = True

    async def clean(self) -> int:
        """Delete stale flows if there may be some; the rules must have changed before. Returns how many kinds went."""
        if not self._due:
            return 0
        self._due = False
        fronts, self._gone = self._gone, {}
        for known in self._fronts.values():
            fronts |= known
        if not fronts:
            return 0
        try:
            found = stale_flows(await run("conntrack", "-L", "-p", "udp"), fronts, self._node_ip)
            for flows in sorted(found):
                await _delete(flows)
        except (IptablesError, OSError) as error:
            log.warning("cannot clean up UDP flows", reason=str(error))
            return 0
        return len(found)


async def _delete(flows: Flows) -> None:
    address, port = flows.front
    try:
        await run("conntrack", "-D", "-p", "udp", "-d", address, "--dport", str(port), "--reply-src", flows.back)
    except IptablesError as error:
        if "0 flow entries" not in str(error):  # gone by itself meanwhile
            raise
