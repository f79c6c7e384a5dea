"""Which UDP flows are stale."""

from __future__ import annotations

from proxy.conntrack import Flows, fronts_of, leaves_stale_flows, stale_flows
from proxy.model import Endpoint, ServicePort

LISTING = """\
udp      17 25 src=10.244.0.9 dst=10.96.0.53 sport=4000 dport=53 src=10.244.0.2 dst=10.244.0.9 sport=5353 dport=4000 mark=0 use=1
udp      17 25 src=10.244.0.9 dst=10.96.0.53 sport=4001 dport=53 src=10.244.0.3 dst=10.244.0.9 sport=5353 dport=4001 [ASSURED] mark=0
udp      17 25 src=10.244.0.8 dst=10.96.0.53 sport=4002 dport=53 [UNREPLIED] src=10.244.0.3 dst=10.244.0.8 sport=5353 dport=4002 mark=0
udp      17 25 src=192.0.2.9 dst=192.0.2.1 sport=4003 dport=30053 src=10.244.0.3 dst=192.0.2.1 sport=5353 dport=4003 mark=0 use=1
udp      17 25 src=192.0.2.9 dst=192.0.2.1 sport=4004 dport=30053 [UNREPLIED] src=192.0.2.1 dst=192.0.2.9 sport=30053 dport=4004
udp      17 25 src=10.244.0.9 dst=198.51.100.1 sport=4005 dport=30053 src=198.51.100.1 dst=10.244.0.9 sport=30053 dport=4005 mark=0
udp      17 25 src=10.244.0.9 dst=10.96.0.99 sport=4006 dport=53 src=10.244.0.3 dst=10.244.0.9 sport=5353 dport=4006 mark=0 use=1
not a flow
"""  # noqa: E501
PORT = ServicePort("kube-system", "dns", "dns", "udp", "10.96.0.53", 53, node_port=30053)


def test_flows_to_what_is_no_endpoint_any_more() -> None:
    fronts = fronts_of([PORT], {("dns", "udp"): [Endpoint("10.244.0.2", 5353)]})
    assert stale_flows(LISTING, fronts, "192.0.2.1") == {
        Flows(("10.96.0.53", 53), "10.244.0.3"),
        Flows(("192.0.2.1", 30053), "10.244.0.3"),
        Flows(("192.0.2.1", 30053), "192.0.2.1"),
    }


def test_tcp_has_no_fronts() -> None:
    port = ServicePort("default", "web", "", "tcp", "10.96.0.1", 80)
    assert fronts_of([port], {("", "tcp"): [Endpoint("10.244.0.2", 80)]}) == {}


def test_when_to_look() -> None:
    one = fronts_of([PORT], {("dns", "udp"): [Endpoint("10.244.0.2", 5353)]})
    two = fronts_of([PORT], {("dns", "udp"): [Endpoint("10.244.0.2", 5353), Endpoint("10.244.0.3", 5353)]})
    none = fronts_of([PORT], {})
    assert not leaves_stale_flows(one, two)
    assert not leaves_stale_flows(one, one)
    assert not leaves_stale_flows({}, {})
    for old, new in ((two, one), (one, none), (none, one), ({}, one), (one, {})):
        assert leaves_stale_flows(old, new)
