"""How Services get their addresses and node ports: chosen at random among the free ones, held as reservations.

The lower part of each range is left to people who choose for themselves, and only used when the rest is full; so a
fixed choice (the cluster's DNS address, say) seldom meets one that was drawn.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from api.errors import InternalError
from apiserver.registry.kind import Context, Object

CLUSTER_IPS = "clusterips/"
NODE_PORTS = "nodeports/"

_DRAWS = 32
_MIN_BAND, _MAX_IP_BAND, _MAX_PORT_BAND = 16, 256, 128

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class PortRange:
    low: int
    high: int

    def __contains__(self, port: int) -> bool:
        return self.low <= port <= self.high

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"


@lru_cache(maxsize=8)
def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))


@lru_cache(maxsize=8)
def _port_range(text: str) -> PortRange:
    low, _, high = text.partition("-")
    return PortRange(int(low), int(high))


def networks(ctx: Context) -> tuple[Network, ...]:
    """The ranges of cluster addresses, the primary one first."""
    return _networks(str(ctx.settings.get("service_cluster_ip_range") or "10.96.0.0/16"))


def port_range(ctx: Context) -> PortRange:
    return _port_range(str(ctx.settings.get("service_node_port_range") or "30000-32767"))


def family(network: Network) -> str:
    return f"IPv{network.version}"


def cluster_ips(obj: Object) -> list[str]:
    """The real addresses of a Service (a headless one has none)."""
    return [each for each in (obj.get("spec") or {}).get("clusterIPs") or () if each and each != "None"]


def node_ports(obj: Object) -> Iterator[tuple[str, int]]:
    """(protocol, port) of all the node ports of a Service, each once."""
    spec = obj.get("spec") or {}
    seen: set[tuple[str, int]] = set()
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            seen.add((port.get("protocol") or "TCP", port["nodePort"]))
    if spec.get("healthCheckNodePort"):
        seen.add(("TCP", spec["healthCheckNodePort"]))
    yield from sorted(seen)


def reservations(obj: Object) -> Iterable[str]:
    for address in cluster_ips(obj):
        yield f"{CLUSTER_IPS}{address}"
    for protocol, port in node_ports(obj):
        yield f"{NODE_PORTS}{protocol}/{port}"


def held(ctx: Context, prefix: str) -> Collection[str]:
    return ctx.reserved(prefix)


def free_ip(network: Network, ctx: Context) -> str:
    """An address nobody holds. Raises InternalError when the range is full."""
    taken = held(ctx, CLUSTER_IPS)
    size = network.num_addresses
    last = size - 2 if network.version == 4 else size - 1  # the broadcast address is nobody's
    band = min(max(_MIN_BAND, size // 16), _MAX_IP_BAND)
    # The first address is the API server's own Service.
    for number in _candidates(2, last, band):
        address = str(network[number])
        if f"{CLUSTER_IPS}{address}" not in taken:
            return address
    raise InternalError(f"failed to allocate a serviceIP: range is full ({network})")


def free_port(ctx: Context, avoid: Collection[int] = ()) -> int:
    """A node port nobody holds for any protocol. Raises InternalError when there is none."""
    ports = port_range(ctx)
    taken = {int(name.rpartition("/")[2]) for name in held(ctx, NODE_PORTS)}
    band = min(max(_MIN_BAND, (ports.high - ports.low + 1) // 32), _MAX_PORT_BAND)
    for number in _candidates(0, ports.high - ports.low, band):
        port = ports.low + number
        if port not in taken and port not in avoid:
            return port
    raise InternalError("failed to allocate a nodePort: range is full")


def _candidates(first: int, last: int, band: int) -> Iterator[int]:
    """Numbers from `first` to `last`: some drawn from above the band, then all from there, then the band."""
    start = band if band < last else first
    for _ in range(_DRAWS):
        yield random.randint(start, last)
    yield from range(start, last + 1)
    yield from range(first, start)
