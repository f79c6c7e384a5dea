"""The whole wanted rule set, kept Service by Service, and what a change of one Service means for the chains.

`build` makes a rule set from scratch. `Desired` keeps one, holding the text only of what Services add to shared chains
and a digest of each chain of their own: at 1,000 Services of 5 endpoints that keeps small both the memory and the time
to find out what one changed endpoint changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proxy import objects
from proxy.chains import (
    NAT_NODEPORTS,
    NAT_SERVICES,
    SHARED,
    TABLES,
    ChainId,
    comment,
    fixed,
)
from proxy.model import NodeView, endpoints_by_port, service_key, service_ports, slice_service_key
from proxy.services import Rules, ServiceRules, compile_service


@dataclass(frozen=True)
class RuleSet:
    """Chains of ours with their rules, each as it stands after `-A CHAIN`; the jumps into them are always the same."""

    chains: Mapping[ChainId, Rules]

    def render(self) -> str:
        """Readable text in the form of `iptables-save`, sorted by chain."""
        lines: list[str] = []
        for table in TABLES:
            mine = sorted(chain for chain in self.chains if chain.table == table)
            lines.append(f"*{table}")
            for chain in mine:
                lines.append(f":{chain.name}")
                lines += [f"-A {chain.name} {rule}" for rule in self.chains[chain]]
        return "\n".join(lines) + "\n"


@dataclass
class Change:
    """Chains to (re)write with their rules, and chains to remove."""

    write: dict[ChainId, Rules] = field(default_factory=dict)
    remove: set[ChainId] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.write or self.remove)


@dataclass(slots=True)
class _Kept:
    digests: dict[ChainId, int]
    shared: dict[ChainId, Rules]


class Desired:
    """The wanted rule set of one node and family, changed one Service at a time."""

    def __init__(self, node: NodeView) -> None:
        self.node = node
        self._services: dict[str, _Kept] = {}

    def __len__(self) -> int:
        return len(self._services)

    def chain_count(self) -> int:
        return len(fixed(self.node)) + len(SHARED) + sum(len(kept.digests) for kept in self._services.values())

    def update(self, compiled: Mapping[str, ServiceRules]) -> Change:
        """Take the new rules of these Services (by key; empty rules forget one) and say what that changes."""
        change, touched = Change(), set[ChainId]()
        for key, rules in compiled.items():
            touched |= self._replace(key, rules, change)
        # A chain that left one Service may have come with another (a name re-used under a new key).
        change.remove -= change.write.keys()
        for chain in touched:
            change.write[chain] = self._shared_rules(chain)
        return change

    def whole(self, compiled: Mapping[str, ServiceRules]) -> RuleSet:
        """Start over with these Services."""
        self._services.clear()
        chains = dict(fixed(self.node))
        change = self.update(compiled)
        chains |= change.write
        for chain in SHARED:
            chains.setdefault(chain, self._shared_rules(chain))
        return RuleSet(chains)

    def _replace(self, key: str, rules: ServiceRules, change: Change) -> set[ChainId]:
        old = self._services.pop(key, None) or _Kept({}, {})
        digests = {chain: hash(text) for chain, text in rules.own.items()}
        for chain, digest in digests.items():
            if old.digests.get(chain) != digest:
                change.write[chain] = rules.own[chain]
        change.remove |= old.digests.keys() - digests.keys()
        if rules.own or rules.shared:
            self._services[key] = _Kept(digests, rules.shared)
        return {
            chain
            for chain in old.shared.keys() | rules.shared.keys()
            if old.shared.get(chain) != rules.shared.get(chain)
        }

    def _shared_rules(self, chain: ChainId) -> Rules:
        gathered: list[str] = []
        for key in sorted(self._services):
            gathered += self._services[key].shared.get(chain, ())
        if chain == NAT_SERVICES:
            last = comment("node ports come after all addresses")
            gathered.append(f"{last} -m addrtype --dst-type LOCAL -j {NAT_NODEPORTS.name}")
        return tuple(gathered)


def build(services: Iterable[objects.Service], endpoints: Iterable[objects.EndpointSlice], node: NodeView) -> RuleSet:
    """The whole rule set for `node`, from scratch."""
    slices: defaultdict[str, list[objects.EndpointSlice]] = defaultdict(list)
    for piece in endpoints:
        slices[slice_service_key(piece)].append(piece)
    compiled = {
        service_key(service): compile_one(service, slices.get(service_key(service), ()), node) for service in services
    }
    return Desired(node).whole(compiled)


def compile_one(
    service: objects.Service | None, slices: Iterable[objects.EndpointSlice], node: NodeView
) -> ServiceRules:
    """The rules of one Service, from the objects; none for a Service that is gone."""
    if service is None:
        return ServiceRules()
    ports = service_ports(service, node.family)
    return compile_service(ports, endpoints_by_port(slices, node) if ports else {}, node)
