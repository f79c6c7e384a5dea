"""What packets really do under the rules: both iptables backends, real sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from proxy import objects
from proxy.applier import Applier
from proxy.iptables import Backend, Iptables
from proxy.model import NodeView
from proxy.ruleset import build
from tests.e2e.proxy.world import CLIENT, NODE, OUTSIDE_PORT, POD_PORT, PODS, World
from tests.harness.host import run
from tests.harness.netns import inside

VIP = "10.96.0.10"
VIEW = NodeView("node", "10.244.0.0/16", NODE)


@pytest.fixture(scope="module", params=["nft", "legacy"])
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.param
    return chosen


@pytest.fixture(scope="module")
def world(backend: Backend) -> Iterator[World]:
    with World() as world:
        world.sysctl("node", "ipv4/ip_forward", "1")
        world.sysctl("node", "ipv4/conf/all/route_localnet", "1")
        world.sysctl("node", "bridge/bridge-nf-call-iptables", "1")
        yield world


class Proxy:
    """Applies Services to the node of the world, as the daemon does."""

    def __init__(self, world: World, backend: Backend) -> None:
        self.world, self.command = world, f"iptables-{backend}"
        self.applier = Applier(Iptables(backend))

    async def serve(self, spec: dict[str, Any], endpoints: list[dict[str, Any]] | None = None) -> None:
        service = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"clusterIP": VIP, **spec}}
        ports = [{"port": POD_PORT, "protocol": port.get("protocol", "TCP")} for port in spec["ports"]]
        piece = {
            "metadata": {"name": "web-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [endpoint(pod) for pod in "abc"] if endpoints is None else endpoints,
        }
        rules = build(
            [msgspec.convert(service, objects.Service)], [msgspec.convert(piece, objects.EndpointSlice)], VIEW
        )
        with inside(self.world.name("node")):
            await self.applier.replace_all(rules)

    def iptables(self, *argv: str) -> str:
        return run("ip", "netns", "exec", self.world.name("node"), self.command, *argv)

    def saved(self) -> list[str]:
        text = run("ip", "netns", "exec", self.world.name("node"), f"{self.command}-save")
        return [line.partition(" [")[0] for line in text.splitlines() if not line.startswith("#")]


def endpoint(pod: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [PODS[pod]], "nodeName": World.of(pod) if pod == "d" else "node", "conditions": conditions}


@pytest.fixture
async def proxy(world: World, backend: Backend) -> Any:
    proxy = Proxy(world, backend)
    yield proxy
    with inside(world.name("node")):
        await proxy.applier.remove_all()


HTTP = {"ports": [{"port": 80, "protocol": "TCP"}]}
NODE_PORT = {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080}]}


async def test_all_endpoints_answer_from_everywhere(world: World, proxy: Proxy) -> None:
    await proxy.serve(HTTP)
    for source in ("a", "node", "client"):
        counted = world.count(source, VIP, 80)
        assert set(counted) == {"a", "b", "c"}, f"from {source}: {counted}"


async def test_sources_in_the_cluster_are_kept_and_others_masqueraded(world: World, proxy: Proxy) -> None:
    await proxy.serve(HTTP, [endpoint("b")])
    assert world.get("a", VIP, 80) == ("b", PODS["a"])
    assert world.get("client", VIP, 80) == ("b", "10.244.0.1")


async def test_a_pod_reaches_itself_through_its_service(world: World, proxy: Proxy) -> None:
    await proxy.serve(HTTP, [endpoint("a")])
    assert world.get("a", VIP, 80) == ("a", "10.244.0.1")


async def test_node_port_from_outside_from_the_node_and_on_localhost(world: World, proxy: Proxy) -> None:
    await proxy.serve(NODE_PORT, [endpoint(pod) for pod in "abcd"])
    assert set(world.count("client", NODE, 30080, 60)) == {"a", "b", "c", "d"}
    assert set(world.count("node", "127.0.0.1", 30080, 60)) == {"a", "b", "c", "d"}
    assert set(world.count("a", NODE, 30080, 60)) == {"a", "b", "c", "d"}
    with pytest.raises(ConnectionRefusedError):
        world.get("client", NODE, 80)


async def test_an_endpoint_on_another_node_under_a_policy_of_drop(world: World, proxy: Proxy) -> None:
    proxy.iptables("-P", "FORWARD", "DROP")
    try:
        with pytest.raises(TimeoutError):
            world.get("a", PODS["d"], POD_PORT, timeout=0.5)
        await proxy.serve(NODE_PORT, [endpoint("d")])
        assert world.get("a", VIP, 80) == ("d", PODS["a"])
        assert world.get("client", NODE, 30080) == ("d", NODE)
        assert world.get("a", PODS["d"], POD_PORT) == ("d", PODS["a"])
        assert world.get("far", PODS["a"], POD_PORT, source=PODS["d"]) == ("a", PODS["d"])
    finally:
        proxy.iptables("-P", "FORWARD", "ACCEPT")


async def test_a_client_stays_with_its_endpoint(world: World, proxy: Proxy) -> None:
    config = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 1}}}
    await proxy.serve({**HTTP, **config})
    for source in ("a", "b", "client"):
        assert len(world.count(source, VIP, 80, 12)) == 1
    seen = set[str]()
    for _ in range(40):  # each time the affinity has run out: one of the others is drawn sooner or later
        await asyncio.sleep(1.1)
        seen.add(world.get("client", VIP, 80)[0])
        if len(seen) > 1:
            break
    assert len(seen) > 1


async def test_affinity_survives_a_change_of_the_other_endpoints(world: World, proxy: Proxy) -> None:
    await proxy.serve({**HTTP, "sessionAffinity": "ClientIP"})
    (chosen,) = world.count("client", VIP, 80, 8)
    others = [pod for pod in "abc" if pod != chosen]
    await proxy.serve({**HTTP, "sessionAffinity": "ClientIP"}, [endpoint(chosen), endpoint(others[0]), endpoint("d")])
    assert world.count("client", VIP, 80, 12) == Counter({chosen: 12})


async def test_a_service_without_endpoints_refuses(world: World, proxy: Proxy) -> None:
    await proxy.serve(NODE_PORT, [endpoint("a", ready=False)])
    for source, address, port in (("a", VIP, 80), ("node", VIP, 80), ("client", VIP, 80), ("client", NODE, 30080)):
        with pytest.raises(ConnectionRefusedError):
            world.get(source, address, port)


async def test_terminating_endpoints_serve_when_nothing_else_does(world: World, proxy: Proxy) -> None:
    ending = {"ready": False, "serving": True, "terminating": True}
    await proxy.serve(HTTP, [endpoint("a", **ending), endpoint("b", ready=False)])
    assert set(world.count("b", VIP, 80, 10)) == {"a"}
    await proxy.serve(HTTP, [endpoint("a", **ending), endpoint("c")])
    assert set(world.count("b", VIP, 80, 10)) == {"c"}


async def test_external_policy_local_keeps_the_source_and_the_node(world: World, proxy: Proxy) -> None:
    local = {**NODE_PORT, "externalTrafficPolicy": "Local"}
    await proxy.serve(local, [endpoint("a"), endpoint("d")])
    assert {world.get("client", NODE, 30080) for _ in range(20)} == {("a", CLIENT)}
    assert set(world.count("b", VIP, 80)) == {"a", "d"}
    await proxy.serve(local, [endpoint("d")])
    with pytest.raises(TimeoutError):
        world.get("client", NODE, 30080, timeout=0.5)
    assert world.get("node", NODE, 30080)[0] == "d"


async def test_internal_policy_local(world: World, proxy: Proxy) -> None:
    local = {**HTTP, "internalTrafficPolicy": "Local"}
    await proxy.serve(local, [endpoint("a"), endpoint("d")])
    assert set(world.count("b", VIP, 80, 20)) == {"a"}
    await proxy.serve(local, [endpoint("d")])
    with pytest.raises(TimeoutError):
        world.get("b", VIP, 80, timeout=0.5)


async def test_pods_leave_the_cluster_masqueraded(world: World, proxy: Proxy) -> None:
    await proxy.serve(HTTP)
    assert world.get("a", CLIENT, OUTSIDE_PORT) == ("outside", NODE)


async def test_foreign_rules_stay_and_ours_go(world: World, proxy: Proxy) -> None:
    """Docker's kind of chains, before and after, and rules of somebody who uses our names' prefix."""
    proxy.iptables("-N", "DOCKER-USER")
    proxy.iptables("-I", "FORWARD", "-j", "DOCKER-USER")
    proxy.iptables("-t", "nat", "-N", "KUBE-KUBELET-CANARY")
    proxy.iptables("-t", "nat", "-A", "POSTROUTING", "-s", "172.17.0.0/16", "-j", "MASQUERADE")
    before = proxy.saved()
    await proxy.serve(NODE_PORT)
    await proxy.serve({**NODE_PORT, "sessionAffinity": "ClientIP"}, [endpoint("d")])
    during = proxy.saved()
    assert [line for line in during if "KUBE-SVC" in line]
    assert [line for line in before if line not in during] == []
    with inside(world.name("node")):
        assert await proxy.applier.remove_all() == set()
    assert proxy.saved() == before


async def test_what_an_earlier_proxy_left_is_removed(world: World, proxy: Proxy) -> None:
    proxy.iptables("-t", "nat", "-N", "KUBE-SEP-AAAAAAAAAAAAAAAA")
    proxy.iptables("-t", "nat", "-N", "KUBE-SVC-AAAAAAAAAAAAAAAA")
    proxy.iptables("-t", "nat", "-N", "KUBE-SERVICES")
    proxy.iptables("-t", "nat", "-A", "KUBE-SVC-AAAAAAAAAAAAAAAA", "-j", "KUBE-SEP-AAAAAAAAAAAAAAAA")
    proxy.iptables("-t", "nat", "-A", "KUBE-SERVICES", "-d", "10.96.0.99", "-j", "KUBE-SVC-AAAAAAAAAAAAAAAA")
    proxy.iptables("-t", "nat", "-A", "PREROUTING", "-j", "KUBE-SERVICES")
    await proxy.serve(HTTP)
    assert not [line for line in proxy.saved() if "AAAAAAAA" in line]
    jumps = [line for line in proxy.saved() if line.startswith("-A PREROUTING")]
    assert len(jumps) == 1
    assert set(world.count("a", VIP, 80)) == {"a", "b", "c"}


async def test_flushed_tables_are_noticed(world: World, proxy: Proxy) -> None:
    await proxy.serve(HTTP)
    with inside(world.name("node")):
        assert await proxy.applier.intact()
        proxy.iptables("-F", "FORWARD")
        assert not await proxy.applier.intact()
    await proxy.serve(HTTP)
    with inside(world.name("node")):
        assert await proxy.applier.intact()
        proxy.iptables("-t", "nat", "-F")
        assert not await proxy.applier.intact()
