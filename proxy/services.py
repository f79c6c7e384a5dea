"""From one Service to its rules: a pure function, called again only for the Services that changed.

The way of a packet: KUBE-SERVICES (or KUBE-NODEPORTS, through its last rule) knows the addresses and ports. Those of
the cluster lead to KUBE-SVC-…, or to KUBE-SVL-… where only this node's endpoints may answer; those of the outside world
lead to KUBE-EXT-… first, which decides on masquerading and on the traffic policy. From there one KUBE-SEP-… is drawn by
lot, or found again for a client that stays, and it rewrites the destination. Addresses that lead nowhere are refused by
the filter table: it still sees them, since nothing rewrote them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from proxy.chains import (
    EXTERNAL_SERVICES,
    FILTER_SERVICES,
    MARK_MASQ,
    NAT_NODEPORTS,
    NAT_SERVICES,
    PROXY_FIREWALL,
    ChainId,
    comment,
    service_chain,
)
from proxy.model import Endpoint, NodeView, ServicePort

Rules = tuple[str, ...]


@dataclass
class ServiceRules:
    """What one Service brings: chains of its own, and rules for the shared chains."""

    own: dict[ChainId, Rules] = field(default_factory=dict)
    shared: dict[ChainId, Rules] = field(default_factory=dict)

    def share(self, chain: ChainId, rule: str) -> None:
        self.shared[chain] = (*self.shared.get(chain, ()), rule)


@dataclass(frozen=True)
class Choice:
    """The endpoints that may get traffic."""

    cluster: Sequence[Endpoint]
    """Wherever they run."""
    local: Sequence[Endpoint]
    """On this node."""


def choose(endpoints: Sequence[Endpoint]) -> Choice:
    """The ready ones; where there is none, those that still serve while they terminate (KEP-1669)."""
    return Choice(_usable(endpoints), _usable([e for e in endpoints if e.local]))


def _usable(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    ready = [e for e in endpoints if e.ready]
    return ready or [e for e in endpoints if e.serving and e.terminating]


def compile_service(
    ports: Iterable[ServicePort], endpoints: Mapping[tuple[str, str], Sequence[Endpoint]], node: NodeView
) -> ServiceRules:
    """The rules of all ports of one Service; `endpoints` as `endpoints_by_port` gives them."""
    rules = ServiceRules()
    for port in ports:
        _PortCompiler(port, choose(endpoints.get((port.port_name, port.protocol), ())), node, rules).run()
    return rules


class _PortCompiler:
    """Writes the rules of one port into `out`."""

    def __init__(self, port: ServicePort, choice: Choice, node: NodeView, out: ServiceRules) -> None:
        self.port, self.choice, self.node, self.out = port, choice, node, out
        self.proto = f"-p {port.protocol} -m {port.protocol}"
        self.svc = service_chain("SVC", port.title, port.protocol)
        self.svl = service_chain("SVL", port.title, port.protocol)
        self.ext = service_chain("EXT", port.title, port.protocol)

    def run(self) -> None:
        if not self.choice.cluster:
            # With a Local policy too: endpoints on this node are endpoints of the cluster.
            self._refuse_cluster_ip("no endpoints", self._refusal())
            self._refuse_external("no endpoints", self._refusal())
            return
        self._cluster_ip()
        if self.port.external:
            self._external()
        self._balance()

    # -- the cluster's own address

    def _cluster_ip(self) -> None:
        if self.port.internal_local and not self.choice.local:
            self._refuse_cluster_ip("no endpoints on this node", "DROP")
            return
        chain = self.svl if self.port.internal_local else self.svc
        self.out.share(NAT_SERVICES, f"{self._to(self.port.cluster_ip, 'cluster IP')} -j {chain.name}")

    def _refuse_cluster_ip(self, why: str, verdict: str) -> None:
        self.out.share(FILTER_SERVICES, f"{self._to(self.port.cluster_ip, why)} -j {verdict}")

    # -- addresses that the outside world uses

    def _external(self) -> None:
        for address in self.port.external_ips:
            self.out.share(NAT_SERVICES, f"{self._to(address, 'external IP')} -j {self.ext.name}")
        self._load_balancer()
        if self.port.node_port:
            note = comment(self.port.title)
            self.out.share(NAT_NODEPORTS, f"{note} {self.proto} --dport {self.port.node_port} -j {self.ext.name}")
        if self.port.external_local and not self.choice.local:
            # Silence, not a refusal: a balancer in front takes it for a node to skip, and its health check says so too.
            self._refuse_external("no endpoints on this node", "DROP")
        self._external_chain()

    def _external_chain(self) -> None:
        title, rules = self.port.title, []
        if not self.port.external_local:
            # The answer must come back through this node, so the endpoint sees the node's address.
            rules.append(f"{comment(f'{title} from outside')} -j {MARK_MASQ.name}")
            rules.append(f"-j {self.svc.name}")
        else:
            if self.node.cluster_cidr:
                # Pods need no preserved source and no local endpoint: for them it is the cluster IP by another name.
                rules.append(f"-s {self.node.cluster_cidr} {comment(f'{title} from pods')} -j {self.svc.name}")
            here = f"{comment(f'{title} from this node')} -m addrtype --src-type LOCAL"
            rules += [f"{here} -j {MARK_MASQ.name}", f"{here} -j {self.svc.name}"]
            if self.choice.local:
                rules.append(f"-j {self.svl.name}")
        self.out.own[self.ext] = tuple(rules)

    def _load_balancer(self) -> None:
        if not self.port.load_balancer_ips:
            return
        target = self.ext
        if self.port.source_ranges:
            target = service_chain("FW", self.port.title, self.port.protocol)
            self.out.own[target] = self._source_ranges()
        for address in self.port.load_balancer_ips:
            self.out.share(NAT_SERVICES, f"{self._to(address, 'load balancer IP')} -j {target.name}")
            if self.port.source_ranges:
                self.out.share(PROXY_FIREWALL, f"{self._to(address, 'source not allowed')} -j DROP")

    def _source_ranges(self) -> Rules:
        note = comment(f"{self.port.title} allowed source")
        return tuple(f"-s {source} {note} -j {self.ext.name}" for source in self.port.source_ranges)

    def _refuse_external(self, why: str, verdict: str) -> None:
        for address in (*self.port.external_ips, *self.port.load_balancer_ips):
            self.out.share(EXTERNAL_SERVICES, f"{self._to(address, why)} -j {verdict}")
        if self.port.node_port:
            note = comment(f"{self.port.title} {why}")
            match = f"{note} -m addrtype --dst-type LOCAL {self.proto} --dport {self.port.node_port}"
            self.out.share(EXTERNAL_SERVICES, f"{match} -j {verdict}")

    # -- the endpoints

    def _balance(self) -> None:
        port = self.port
        wants_local = bool(self.choice.local) and (port.internal_local or (port.external and port.external_local))
        if wants_local:
            self.out.own[self.svl] = self._lots(self.choice.local)
        if not port.internal_local or port.external:
            self.out.own[self.svc] = self._lots(self.choice.cluster)
        used: list[Endpoint] = []
        if self.svc in self.out.own:
            used += self.choice.cluster
        if wants_local:
            used += self.choice.local
        for endpoint in used:
            self.out.own[self._endpoint_chain(endpoint)] = self._endpoint_rules(endpoint)

    def _lots(self, endpoints: Sequence[Endpoint]) -> Rules:
        """Draw one: the first with 1/n, the second with 1/(n-1) of what is left, …"""
        port, rules = self.port, []
        if self.node.cluster_cidr:
            match = self._to(port.cluster_ip, "off-cluster source")
            rules.append(f"! -s {self.node.cluster_cidr} {match} -j {MARK_MASQ.name}")
        chains = [self._endpoint_chain(endpoint).name for endpoint in endpoints]
        if port.affinity_seconds:
            for chain in chains:
                seen = f"-m recent --name {chain} --rcheck --seconds {port.affinity_seconds} --reap"
                rules.append(f"{comment(f'{port.title} same client')} {seen} -j {chain}")
        left = len(chains)
        for endpoint, chain in zip(endpoints, chains, strict=True):
            note = comment(f"{port.title} -> {self._socket(endpoint)}")
            lot = f" -m statistic --mode random --probability {1 / left:.10f}" if left > 1 else ""
            rules.append(f"{note}{lot} -j {chain}")
            left -= 1
        return tuple(rules)

    def _endpoint_rules(self, endpoint: Endpoint) -> Rules:
        note, chain = comment(self.port.title), self._endpoint_chain(endpoint).name
        remember = f"-m recent --name {chain} --set " if self.port.affinity_seconds else ""
        return (
            # A pod that reaches itself through the Service would get an answer from its own address, and drop it.
            f"-s {self.node.family.host(endpoint.ip)} {note} -j {MARK_MASQ.name}",
            f"{note} {remember}{self.proto} -j DNAT --to-destination {self._socket(endpoint)}",
        )

    # -- pieces

    def _refusal(self) -> str:
        # A reset reaches every client; the kernel sends each host only about one ICMP error a second.
        return "REJECT --reject-with tcp-reset" if self.port.protocol == "tcp" else "REJECT"

    def _to(self, address: str, note: str) -> str:
        text = comment(f"{self.port.title} {note}")
        return f"-d {self.node.family.host(address)} {text} {self.proto} --dport {self.port.port}"

    def _endpoint_chain(self, endpoint: Endpoint) -> ChainId:
        return service_chain("SEP", self.port.title, self.port.protocol, self._socket(endpoint))

    def _socket(self, endpoint: Endpoint) -> str:
        return self.node.family.socket(endpoint.ip, endpoint.port)
