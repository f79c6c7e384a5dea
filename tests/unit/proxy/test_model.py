"""What the proxy reads from objects: ready or not, local or not, ours or not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy import objects
from proxy.chains import ChainId, comment, is_ours, service_chain
from proxy.model import IPV4, Endpoint, NodeView, endpoints_by_port, service_ports
from proxy.services import choose

NODE = NodeView("n1", "10.244.0.0/16")


def piece(*endpoints: dict[str, Any], **fields: Any) -> objects.EndpointSlice:
    whole = {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": list(endpoints), **fields}
    return msgspec.convert(whole, objects.EndpointSlice)


def service(**spec: Any) -> objects.Service:
    whole = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"ports": [{"port": 80}], **spec}}
    return msgspec.convert(whole, objects.Service)


@pytest.mark.parametrize(
    ("title", "protocol", "name"),
    [
        ("default/kubernetes:https", "tcp", "NPX46M4PTMTKRN6Y"),
        ("kube-system/kube-dns:dns", "udp", "TCOU7JCQXEZGVUNU"),
        ("kube-system/kube-dns:dns-tcp", "tcp", "ERIFXISQEP7F7OF4"),
    ],
)
def test_chains_are_named_as_kube_proxy_names_them(title: str, protocol: str, name: str) -> None:
    assert service_chain("SVC", title, protocol) == ("nat", f"KUBE-SVC-{name}")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (None, (True, True, False)),
        ({}, (True, True, False)),
        ({"ready": False}, (False, False, False)),
        ({"ready": False, "serving": True, "terminating": True}, (False, True, True)),
        ({"ready": True, "serving": True}, (True, True, False)),
    ],
)
def test_conditions(conditions: dict[str, bool] | None, expected: tuple[bool, bool, bool]) -> None:
    found = endpoints_by_port([piece({"addresses": ["10.244.0.2"], "conditions": conditions})], NODE)
    (endpoint,) = found["", "tcp"]
    assert (endpoint.ready, endpoint.serving, endpoint.terminating) == expected


def test_the_more_able_of_two_entries_counts() -> None:
    gone = piece({"addresses": ["10.244.0.2"], "conditions": {"ready": False}})
    there = piece({"addresses": ["10.244.0.2"], "conditions": {"ready": True}})
    for order in ([gone, there], [there, gone]):
        (endpoint,) = endpoints_by_port(order, NODE)["", "tcp"]
        assert endpoint.ready


def test_local_is_by_node_name_and_an_unnamed_proxy_has_nothing_local() -> None:
    here = [piece({"addresses": ["10.244.0.2"], "nodeName": "n1"}, {"addresses": ["10.244.0.3"]})]
    assert [endpoint.local for endpoint in endpoints_by_port(here, NODE)["", "tcp"]] == [True, False]
    assert [endpoint.local for endpoint in endpoints_by_port(here, NodeView(""))["", "tcp"]] == [False, False]


def test_slices_of_another_family_without_ports_or_addresses_bring_nothing() -> None:
    slices = [
        piece({"addresses": ["fd00::1"]}, addressType="IPv6"),
        piece({"addresses": ["10.244.0.2"]}, ports=[{"name": "any"}]),
        piece({"addresses": []}),
        piece(ports=None),
    ]
    assert not any(endpoints_by_port(slices, NODE).values())


def test_cluster_ip_is_the_one_of_the_family() -> None:
    (port,) = service_ports(service(clusterIP="fd00::9", clusterIPs=["fd00::9", "10.96.0.9"]), IPV4)
    assert port.cluster_ip == "10.96.0.9"
    assert service_ports(service(clusterIP="fd00::9", clusterIPs=["fd00::9"]), IPV4) == []
    assert service_ports(service(clusterIP="None")) == []
    assert service_ports(service()) == []


def test_affinity_has_kubernetes_default() -> None:
    (port,) = service_ports(service(clusterIP="10.96.0.9", sessionAffinity="ClientIP"))
    assert port.affinity_seconds == 10800
    (port,) = service_ports(service(clusterIP="10.96.0.9", sessionAffinity="None"))
    assert port.affinity_seconds == 0


def test_choice_prefers_ready_here_and_everywhere() -> None:
    ready = Endpoint("10.244.1.1", 80)
    ending = Endpoint("10.244.0.1", 80, ready=False, serving=True, terminating=True, local=True)
    broken = Endpoint("10.244.0.2", 80, ready=False, serving=False, local=True)
    assert choose([ready, ending, broken]).cluster == [ready]
    assert choose([ready, ending, broken]).local == [ending]
    assert choose([broken]).cluster == []


def test_a_comment_cannot_break_out_of_its_quotes() -> None:
    text = comment('a"b\n-A INPUT -j ACCEPT\\')
    assert text.count('"') == 2
    assert "\n" not in text
    assert "\\" not in text


@pytest.mark.parametrize("name", ["KUBE-KUBELET-CANARY", "KUBE-IPTABLES-HINT", "DOCKER", "PREROUTING", "KUBE-SVCX"])
def test_other_peoples_chains_are_not_ours(name: str) -> None:
    assert not is_ours(ChainId("nat", name))
