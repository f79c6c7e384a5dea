"""What the proxy needs to know of Services and EndpointSlices, and nothing else.

The rule builder works on these small values, so that it stays pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from proxy import objects

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
HEADLESS_LABEL = "service.kubernetes.io/headless"
OTHER_PROXY_LABEL = "service.kubernetes.io/service-proxy-name"
"""A Service or slice with this label is somebody else's to serve."""

DEFAULT_AFFINITY_SECONDS = 10800

FamilyName = Literal["IPv4", "IPv6"]


@dataclass(frozen=True, slots=True)
class Family:
    """One address family: a rule set is built per family."""

    name: FamilyName
    bits: int
    loopback: str
    multicast: str

    def owns(self, address: str) -> bool:
        """Whether `address` (or network) is one of this family's; a text that is no address belongs to none."""
        try:
            return ipaddress.ip_network(address, strict=False).max_prefixlen == self.bits
        except ValueError:
            return False

    def host(self, address: str) -> str:
        return f"{address}/{self.bits}"

    def socket(self, address: str, port: int) -> str:
        return f"{address}:{port}" if self.bits == 32 else f"[{address}]:{port}"


IPV4 = Family("IPv4", 32, "127.0.0.0/8", "224.0.0.0/4")


@dataclass(frozen=True, slots=True)
class NodeView:
    """The node that the rules are for."""

    name: str
    cluster_cidr: str = ""
    """The pods' addresses of the whole cluster; when empty, no source counts as off-cluster."""
    ip: str = ""
    family: Family = IPV4


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of one Service, in one address family."""

    namespace: str
    name: str
    port_name: str
    protocol: str
    """Lower case: tcp, udp, sctp."""
    cluster_ip: str
    port: int
    node_port: int = 0
    external_ips: tuple[str, ...] = ()
    load_balancer_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    affinity_seconds: int = 0
    """How long a client stays with its endpoint; 0 is not at all."""
    internal_local: bool = False
    external_local: bool = False

    @property
    def title(self) -> str:
        """`namespace/name:port`, or `namespace/name` for the nameless port: the name in chains' hashes and comments."""
        return f"{self.namespace}/{self.name}" + (f":{self.port_name}" if self.port_name else "")

    @property
    def external(self) -> bool:
        return bool(self.node_port or self.external_ips or self.load_balancer_ips)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service port's traffic may go."""

    ip: str
    port: int
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    local: bool = False
    """On this node."""


def service_key(service: objects.Service) -> str:
    meta = service.metadata
    return f"{meta.namespace}/{meta.name}" if meta else ""


def slice_service_key(piece: objects.EndpointSlice) -> str:
    """The key of the Service that a slice belongs to, or an empty text."""
    meta = piece.metadata
    name = (meta.labels or {}).get(SERVICE_NAME_LABEL) if meta else None
    return f"{meta.namespace}/{name}" if meta and name else ""


def service_ports(service: objects.Service, family: Family = IPV4) -> list[ServicePort]:
    """The ports that the proxy serves for `service`: none if it is headless, an external name or another proxy's."""
    spec, meta = service.spec, service.metadata
    if spec is None or meta is None or spec.type == "ExternalName" or OTHER_PROXY_LABEL in (meta.labels or {}):
        return []
    candidates = spec.clusterIPs or ([spec.clusterIP] if spec.clusterIP else [])
    cluster_ip = next((ip for ip in candidates if family.owns(ip)), "")
    if not cluster_ip:
        return []
    external_ips = tuple(sorted(ip for ip in spec.externalIPs or () if family.owns(ip)))
    balanced = _load_balancer_ips(service, family)
    ranges = tuple(sorted(r.strip() for r in spec.loadBalancerSourceRanges or () if family.owns(r.strip())))
    return [
        ServicePort(
            namespace=meta.namespace or "",
            name=meta.name or "",
            port_name=port.name or "",
            protocol=(port.protocol or "TCP").lower(),
            cluster_ip=cluster_ip,
            port=port.port,
            node_port=port.nodePort or 0,
            external_ips=external_ips,
            load_balancer_ips=balanced,
            source_ranges=ranges if balanced else (),
            affinity_seconds=_affinity_seconds(spec),
            internal_local=spec.internalTrafficPolicy == "Local",
            external_local=spec.externalTrafficPolicy == "Local",
        )
        for port in spec.ports or ()
    ]


def _load_balancer_ips(service: objects.Service, family: Family) -> tuple[str, ...]:
    balancer = service.status.loadBalancer if service.status else None
    ingress = (balancer.ingress if balancer else None) or ()
    return tuple(sorted(i.ip for i in ingress if i.ip and family.owns(i.ip) and (i.ipMode or "VIP") == "VIP"))


def _affinity_seconds(spec: objects.ServiceSpec) -> int:
    if spec.sessionAffinity != "ClientIP":
        return 0
    client_ip = spec.sessionAffinityConfig.clientIP if spec.sessionAffinityConfig else None
    return (client_ip.timeoutSeconds if client_ip else None) or DEFAULT_AFFINITY_SECONDS


def endpoints_by_port(
    slices: Iterable[objects.EndpointSlice], node: NodeView
) -> dict[tuple[str, str], tuple[Endpoint, ...]]:
    """(port name, protocol in lower case) → the endpoints of all `slices` of one Service, sorted, each address once.

    An address may stand in two slices while the endpoints move between them: the more able entry counts.
    """
    found: dict[tuple[str, str], dict[tuple[str, int], Endpoint]] = {}
    for piece in slices:
        labels = (piece.metadata.labels if piece.metadata else None) or {}
        if piece.addressType != node.family.name or OTHER_PROXY_LABEL in labels:
            continue
        entries = [entry for entry in piece.endpoints or () if entry.addresses]
        for port in piece.ports or ():
            if not port.port:
                continue
            here = found.setdefault((port.name or "", (port.protocol or "TCP").lower()), {})
            for entry in entries:
                endpoint = _endpoint(entry, port.port, node)
                known = here.get((endpoint.ip, endpoint.port))
                if known is None or _ability(endpoint) > _ability(known):
                    here[endpoint.ip, endpoint.port] = endpoint
    return {key: tuple(by_address[address] for address in sorted(by_address)) for key, by_address in found.items()}


def _endpoint(entry: objects.Endpoint, port: int, node: NodeView) -> Endpoint:
    conditions = entry.conditions
    ready = conditions is None or conditions.ready is None or conditions.ready
    serving = conditions.serving if conditions is not None and conditions.serving is not None else ready
    return Endpoint(
        ip=entry.addresses[0],
        port=port,
        ready=ready,
        serving=serving,
        terminating=bool(conditions and conditions.terminating),
        local=bool(node.name) and entry.nodeName == node.name,
    )


def _ability(endpoint: Endpoint) -> tuple[bool, bool]:
    return endpoint.ready, endpoint.serving
