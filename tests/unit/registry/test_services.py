"""Services: addresses and ports that are chosen, kept, given back; and what is refused."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InternalError
from apiserver.registry import service_addresses as addresses
from apiserver.registry.kind import Object
from tests.unit.registry.objects import service
from tests.unit.registry.support import BY_KIND, context, create, edited, update

RULES = BY_KIND["Service"].strategy


def made(**spec: Any) -> Object:
    stored, errors = create(service(**spec))
    assert errors == []
    return stored


def test_an_address_is_drawn_from_the_range_and_held() -> None:
    stored = made()
    address = ipaddress.ip_address(stored["spec"]["clusterIP"])
    assert address in ipaddress.ip_network("10.96.0.0/16")
    assert stored["spec"]["clusterIPs"] == [str(address)]
    assert list(RULES.reservations(stored)) == [f"clusterips/{address}"]


@given(st.sets(st.integers(2, 13)))
def test_only_free_addresses_are_drawn(taken: set[int]) -> None:
    network = ipaddress.ip_network("10.96.0.0/28")
    ctx = context(*(f"clusterips/{network[number]}" for number in taken))
    chosen = ipaddress.ip_address(addresses.free_ip(network, ctx))
    assert chosen in network
    assert int(chosen) - int(network[0]) not in {0, 1, 15, *taken}


def test_a_full_range() -> None:
    network = ipaddress.ip_network("10.96.0.0/30")
    with pytest.raises(InternalError, match="range is full"):
        addresses.free_ip(network, context("clusterips/10.96.0.2"))


@given(st.sets(st.integers(30000, 30004)))
def test_only_free_ports_are_drawn(taken: set[int]) -> None:
    ctx = context(*(f"nodeports/TCP/{port}" for port in taken), service_node_port_range="30000-30005")
    assert addresses.free_port(ctx) in set(range(30000, 30006)) - taken


def test_every_port_of_a_node_port_service_gets_its_own() -> None:
    ports = [{"name": name, "port": number} for name, number in (("a", 1), ("b", 2), ("c", 3))]
    chosen = [port["nodePort"] for port in made(type="NodePort", ports=ports)["spec"]["ports"]]
    assert len(set(chosen)) == 3
    assert all(30000 <= port <= 32767 for port in chosen)


def test_one_number_for_both_protocols_of_a_port() -> None:
    ports = [{"name": "tcp", "port": 53}, {"name": "udp", "port": 53, "protocol": "UDP"}]
    stored = made(type="NodePort", ports=ports)
    first, second = (port["nodePort"] for port in stored["spec"]["ports"])
    assert first == second
    assert len(list(RULES.reservations(stored))) == 3


def test_a_replace_that_does_not_mention_them_keeps_address_and_ports() -> None:
    old = made(type="NodePort")
    new, errors = update(service(type="NodePort"), old)
    assert errors == []
    assert new["spec"] == old["spec"]


def test_ports_go_with_the_type() -> None:
    old = made(type="NodePort")
    new, errors = update(edited(old, "spec.type", "ClusterIP"), old)
    assert errors == []
    assert "nodePort" not in new["spec"]["ports"][0]
    assert "externalTrafficPolicy" not in new["spec"]
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]


def test_an_address_goes_with_the_type_and_a_new_one_comes() -> None:
    old = made()
    renamed, errors = update(edited(edited(old, "spec.type", "ExternalName"), "spec.externalName", "a.b"), old)
    assert errors == []
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} & renamed["spec"].keys()
    again, errors = update(edited(edited(renamed, "spec.type", "ClusterIP"), "spec.externalName", None), renamed)
    assert errors == []
    assert again["spec"]["clusterIPs"]


def test_a_changed_port_gets_a_number_of_its_own() -> None:
    old = made(type="NodePort")
    ports = [{**old["spec"]["ports"][0], "name": "a"}, {"name": "b", "port": 81}]
    new, errors = update(edited(old, "spec.ports", ports), old)
    assert errors == []
    kept, added = (port["nodePort"] for port in new["spec"]["ports"])
    assert kept == old["spec"]["ports"][0]["nodePort"]
    assert added != kept


def test_local_traffic_of_a_load_balancer_has_a_health_port() -> None:
    stored = made(type="LoadBalancer", externalTrafficPolicy="Local")
    assert 30000 <= stored["spec"]["healthCheckNodePort"] <= 32767


def test_a_load_balancer_may_do_without_node_ports() -> None:
    stored = made(type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    assert "nodePort" not in stored["spec"]["ports"][0]


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"ports": []}, ["spec.ports: Required value"]),
    ({"ports": [{"port": 0}]}, [
        "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive"]),
    ({"ports": [{"port": 1}, {"port": 2}]}, [
        "spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]),
    ({"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}, ['spec.ports[1].name: Duplicate value: "a"']),
    ({"ports": [{"name": "a", "port": 1}, {"name": "b", "port": 1}]}, [
        'spec.ports[1]: Duplicate value: {"port":1,"protocol":"TCP"}']),
    ({"ports": [{"port": 1, "nodePort": 30001}]}, [
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
    ({"type": "NodePort", "clusterIP": "None"}, [
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]),
    ({"type": "Other"}, [
        'spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", '
        '"NodePort"']),
    ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
    ({"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 90000}}}, [
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less "
        "than 86400"]),
    ({"externalIPs": ["127.0.0.1"]}, [
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
    ({"clusterIP": "10.96.1.1.1"}, [
        'spec.clusterIPs[0]: Invalid value: "10.96.1.1.1": must be a valid IP address, (e.g. 10.9.8.7 or '
        "2001:db8::ffff)"]),
    ({"clusterIP": "10.1.0.1"}, [
        'spec.clusterIPs: Invalid value: ["10.1.0.1"]: failed to allocate IP 10.1.0.1: the provided IP (10.1.0.1) is '
        "not in the valid range. The range of valid IPs is 10.96.0.0/16"]),
    ({"clusterIP": "10.96.0.1"}, [
        'spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already '
        "allocated"]),
    ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 29999}]}, [
        "spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid "
        "ports is 30000-32767"]),
    ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}, [
        "spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated"]),
    ({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001}, [
        "spec.healthCheckNodePort: Invalid value: 30001: provided port is already allocated"]),
    ({"ipFamilyPolicy": "RequireDualStack"}, [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack '
        "services"]),
    ({"ipFamilies": ["IPv6"]}, ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']),
    ({"externalTrafficPolicy": "Local"}, [
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services']),
    ({"loadBalancerClass": "a/b"}, [
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "messages"), BAD, ids=[",".join(spec) + str(n) for n, (spec, _) in enumerate(BAD)])
def test_refused(spec: dict[str, Any], messages: list[str]) -> None:
    _, errors = create(service(**spec), context("clusterips/10.96.0.1", "nodeports/TCP/30001"))
    assert errors == messages


def test_a_name_that_starts_with_a_digit() -> None:
    _, errors = create(edited(service(), "metadata.name", "1web"))
    assert errors == [
        'metadata.name: Invalid value: "1web": a DNS-1035 label must consist of lower case alphanumeric characters or '
        "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
        "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
    ]


def test_an_address_does_not_change() -> None:
    old = made()
    new = edited(edited(old, "spec.clusterIP", "10.96.9.9"), "spec.clusterIPs", ["10.96.9.9"])
    _, errors = update(new, old)
    assert errors == ['spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set']
