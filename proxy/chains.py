"""The names of the chains, kube-proxy's own, and the rules that are the same whatever the Services are.

Tools and people look for these names, and a rule set that is called as kube-proxy's can be replaced by it and back.
Chains that kube-proxy doesn't have start with `PYTHEAS-`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NamedTuple

from proxy.model import NodeView

MASQUERADE_MARK = 0x4000
_MARK = f"{MASQUERADE_MARK:#x}/{MASQUERADE_MARK:#x}"


TABLES = ("filter", "nat")
"""In the order in which changes are made: an address is refused no longer before it leads somewhere."""


class ChainId(NamedTuple):
    table: str
    name: str


class Jump(NamedTuple):
    """A rule in a built-in chain that leads into ours."""

    table: str
    builtin: str
    rule: str


NAT_SERVICES = ChainId("nat", "KUBE-SERVICES")
NAT_NODEPORTS = ChainId("nat", "KUBE-NODEPORTS")
MARK_MASQ = ChainId("nat", "KUBE-MARK-MASQ")
POSTROUTING = ChainId("nat", "KUBE-POSTROUTING")
EGRESS = ChainId("nat", "PYTHEAS-EGRESS")
FORWARD = ChainId("filter", "KUBE-FORWARD")
FILTER_SERVICES = ChainId("filter", "KUBE-SERVICES")
EXTERNAL_SERVICES = ChainId("filter", "KUBE-EXTERNAL-SERVICES")
PROXY_FIREWALL = ChainId("filter", "KUBE-PROXY-FIREWALL")
FIREWALL = ChainId("filter", "KUBE-FIREWALL")

SHARED = (NAT_SERVICES, NAT_NODEPORTS, FILTER_SERVICES, EXTERNAL_SERVICES, PROXY_FIREWALL)
"""Chains to which each Service adds its own rules."""

_OF_A_SERVICE = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-EXT-", "KUBE-FW-")
_OURS = frozenset(
    {MARK_MASQ, POSTROUTING, EGRESS, FORWARD, FIREWALL, *SHARED},
)


def is_ours(chain: ChainId) -> bool:
    """Whether the proxy made a chain of this name, now or in an earlier life. The kubelets' chains are not."""
    return chain in _OURS or (chain.table == "nat" and chain.name.startswith(_OF_A_SERVICE))


def service_chain(kind: str, title: str, protocol: str, endpoint: str = "") -> ChainId:
    """`KUBE-<kind>-<hash16>`; kind is SVC, SVL, EXT, FW, or SEP with the endpoint's `address:port`."""
    digest = hashlib.sha256(f"{title}{protocol}{endpoint}".encode()).digest()
    return ChainId("nat", f"KUBE-{kind}-{base64.b32encode(digest)[:16].decode()}")


_UNFIT_FOR_COMMENT = re.compile(r"[^A-Za-z0-9 ._:/>\[\]-]")


def comment(text: str) -> str:
    """The match that carries a note to the reader. Nothing in `text` can end the quotes or the line."""
    return f'-m comment --comment "{_UNFIT_FOR_COMMENT.sub("?", text)[:255]}"'


_NEW = "-m conntrack --ctstate NEW"

JUMPS = (
    Jump("nat", "PREROUTING", f"{comment('kubernetes services')} -j KUBE-SERVICES"),
    Jump("nat", "OUTPUT", f"{comment('kubernetes services')} -j KUBE-SERVICES"),
    Jump("nat", "POSTROUTING", f"{comment('pods to the outside')} -j PYTHEAS-EGRESS"),
    Jump("nat", "POSTROUTING", f"{comment('kubernetes masquerading')} -j KUBE-POSTROUTING"),
    Jump("filter", "INPUT", f"{_NEW} {comment('services from outside')} -j KUBE-EXTERNAL-SERVICES"),
    Jump("filter", "INPUT", f"{_NEW} {comment('load balancer firewall')} -j KUBE-PROXY-FIREWALL"),
    Jump("filter", "INPUT", "-j KUBE-FIREWALL"),
    Jump("filter", "FORWARD", f"{comment('kubernetes forwarding')} -j KUBE-FORWARD"),
    Jump("filter", "FORWARD", f"{_NEW} {comment('services without endpoints')} -j KUBE-SERVICES"),
    Jump("filter", "FORWARD", f"{_NEW} {comment('services from outside')} -j KUBE-EXTERNAL-SERVICES"),
    Jump("filter", "FORWARD", f"{_NEW} {comment('load balancer firewall')} -j KUBE-PROXY-FIREWALL"),
    Jump("filter", "OUTPUT", f"{_NEW} {comment('services without endpoints')} -j KUBE-SERVICES"),
    Jump("filter", "OUTPUT", f"{_NEW} {comment('load balancer firewall')} -j KUBE-PROXY-FIREWALL"),
    Jump("filter", "OUTPUT", "-j KUBE-FIREWALL"),
)
"""Each is inserted before all that is there, so the last one of a built-in chain stands first in the end."""


def fixed(node: NodeView) -> dict[ChainId, tuple[str, ...]]:
    """The chains that depend on the node only."""
    return {
        MARK_MASQ: (f"-j MARK --or-mark {MASQUERADE_MARK:#x}",),
        POSTROUTING: (
            f"-m mark ! --mark {_MARK} -j RETURN",
            # The packet may come by again (a tunnel): without its mark it is not masqueraded twice.
            f"-j MARK --xor-mark {MASQUERADE_MARK:#x}",
            f"{comment('marked service traffic')} -j MASQUERADE --random-fully",
        ),
        EGRESS: _egress(node),
        FORWARD: _forward(node),
        FIREWALL: (
            # NodePorts on localhost need route_localnet, which alone would open the loopback to the neighbours.
            f"! -s {node.family.loopback} -d {node.family.loopback} {comment('nobody outside reaches the loopback')}"
            " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        ),
    }


def _egress(node: NodeView) -> tuple[str, ...]:
    if not node.cluster_cidr:
        return ()
    return (
        f"-d {node.cluster_cidr} -j RETURN",
        f"-d {node.family.multicast} -j RETURN",
        f"-s {node.cluster_cidr} {comment('pods to the outside')} -j MASQUERADE --random-fully",
    )


def _forward(node: NodeView) -> tuple[str, ...]:
    rules = [
        "-m conntrack --ctstate INVALID -j DROP",
        f"{comment('marked service traffic')} -m mark --mark {_MARK} -j ACCEPT",
        f"{comment('answers')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]
    if node.cluster_cidr:
        # With a policy of DROP (Docker sets it) nobody else lets pods talk across nodes.
        rules += [
            f"-s {node.cluster_cidr} {comment('from pods')} -j ACCEPT",
            f"-d {node.cluster_cidr} {comment('to pods')} -j ACCEPT",
        ]
    return tuple(rules)
