"""The daemon itself: a real API server, a real kernel, and what happens to either."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from api.errors import NotFound
from api.types import core_v1, discovery_v1, meta_v1
from client import kubeconfig
from client.rest import Client
from tests.e2e.proxy.world import NODE, POD_PORT, PODS, World
from tests.harness.control import ControlPlane
from tests.harness.host import run
from tests.harness.netns import inside
from tests.harness.process import SCRIPTS, Process, wait_until

OUTSIDE, INSIDE = "172.30.251.1", "172.30.251.2"
HEALTH_PORT = 10256
VIP = "10.96.0.77"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        device = f"px{os.getpid()}"
        run("ip", "link", "add", device, "type", "veth", "peer", "name", "mgmt", "netns", world.name("node"))
        run("ip", "addr", "add", f"{OUTSIDE}/30", "dev", device)
        run("ip", "link", "set", device, "up")
        world.ip("node", "addr", "add", f"{INSIDE}/30", "dev", "mgmt")
        world.ip("node", "link", "set", "mgmt", "up")
        yield world


@pytest.fixture(scope="module")
def plane(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control"), address=OUTSIDE) as plane:
        yield plane


class Node:
    """The proxy on the world's node, and the one Service of these tests."""

    def __init__(self, world: World, plane: ControlPlane, client: Client, folder: Path) -> None:
        self.world, self.client, self.folder = world, client, folder
        self.argv = [str(SCRIPTS / "python"), "-m", "proxy.main", "--kubeconfig", str(plane.layout.kubeconfig("proxy"))]
        self.argv += ["--node-name", "node", "--node-ip", NODE, "--state-dir", str(folder), "--audit-period", "1s"]
        self.argv += ["--log-level", "debug"]
        self.enter = ("nsenter", f"--net=/run/netns/{world.name('node')}")
        self.proxy = Process("proxy", self.argv, folder, prefix=self.enter)

    def start(self) -> None:
        self.proxy.start()
        self.proxy.wait_for("the first rules", self.ready)

    def ready(self) -> bool:
        with inside(self.world.name("node")), closing(HTTPConnection("127.0.0.1", HEALTH_PORT, timeout=1)) as probe:
            probe.request("GET", "/readyz")
            return probe.getresponse().status == 200

    def clean_up(self) -> None:
        run(*self.enter, *self.argv, "--cleanup")

    def saved(self, backend: str = "nft") -> list[str]:
        text = run(*self.enter, f"iptables-{backend}-save")
        return [line.partition(" [")[0] for line in text.splitlines() if not line.startswith("#")]

    async def service(self, protocol: str = "TCP", node_port: int | None = None) -> str:
        port = core_v1.ServicePort(port=80, targetPort=POD_PORT, protocol=protocol, nodePort=node_port)
        spec = core_v1.ServiceSpec(ports=[port], clusterIP=VIP, type="NodePort" if node_port else "ClusterIP")
        meta = meta_v1.ObjectMeta(name="web", namespace="default")
        await self.client.create(core_v1.Service(metadata=meta, spec=spec))
        return VIP

    async def endpoints(self, ready: str, unready: str = "", protocol: str = "TCP") -> None:
        """Write the Service's slice: these pods are ready, those are not."""
        entries = [
            discovery_v1.Endpoint(
                addresses=[PODS[pod]],
                nodeName="far" if pod == "d" else "node",
                conditions=discovery_v1.EndpointConditions(ready=pod in ready, serving=pod in ready, terminating=False),
            )
            for pod in sorted(ready + unready)
        ]
        meta = meta_v1.ObjectMeta(name="web-1", namespace="default", labels={"kubernetes.io/service-name": "web"})
        ports = [discovery_v1.EndpointPort(port=POD_PORT, protocol=protocol)]
        piece = discovery_v1.EndpointSlice(metadata=meta, addressType="IPv4", endpoints=entries, ports=ports)
        try:
            await self.client.update(piece)
        except NotFound:
            await self.client.create(piece)

    async def forget(self) -> None:
        for cls, name in ((core_v1.Service, "web"), (discovery_v1.EndpointSlice, "web-1")):
            try:
                await self.client.delete(cls, name, "default")
            except NotFound:
                continue

    def answers(self, address: str, pods: str, port: int = 80) -> None:
        wait_until(
            f"just {pods} to answer", lambda: set(self.world.count("c", address, port, 24)) == set(pods), seconds=10
        )


@pytest.fixture
async def node(world: World, plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Node]:
    async with Client(kubeconfig.load(plane.admin_conf)) as client:
        node = Node(world, plane, client, tmp_path)
        try:
            yield node
        finally:
            node.proxy.stop()
            node.clean_up()
            await node.forget()


async def test_a_service_comes_changes_and_goes(node: Node) -> None:
    node.start()
    vip = await node.service(node_port=30080)
    wait_until("a refusal", lambda: node.world.refuses("a", vip, 80), seconds=5)
    await node.endpoints("abc")
    node.answers(vip, "abc")
    assert set(node.world.count("client", NODE, 30080)) == set("abc")
    await node.endpoints("abd", unready="c")
    node.answers(vip, "abd")
    await node.forget()
    wait_until("the chains to go", lambda: not [line for line in node.saved() if "default/web" in line], seconds=10)


async def test_an_unready_pod_gets_nothing_a_moment_later(node: Node) -> None:
    node.start()
    vip = await node.service()
    await node.endpoints("ab")
    node.answers(vip, "ab")
    started = time.monotonic()
    await node.endpoints("a", unready="b")
    wait_until("b to leave", lambda: not any(PODS["b"] in line for line in node.saved()), seconds=5, every=0.01)
    assert time.monotonic() - started < 1.0
    assert set(node.world.count("c", vip, 80, 20)) == {"a"}


async def test_what_changed_while_no_proxy_ran(node: Node) -> None:
    node.start()
    vip = await node.service()
    await node.endpoints("ab")
    node.answers(vip, "ab")
    node.proxy.kill()
    assert set(node.world.count("c", vip, 80)) == {"a", "b"}, "rules outlive their proxy"
    await node.endpoints("cd")
    node.start()
    assert set(node.world.count("c", vip, 80)) == {"c", "d"}


async def test_flushed_tables_are_repaired(node: Node) -> None:
    node.start()
    vip = await node.service()
    await node.endpoints("ab")
    node.answers(vip, "ab")
    before = node.saved()
    for table in ("nat", "filter"):
        run(*node.enter, "iptables-nft", "-t", table, "-F")
        run(*node.enter, "iptables-nft", "-t", table, "-X")
    assert node.saved() != before
    wait_until("the rules to be back", lambda: node.saved() == before, seconds=10)
    node.answers(vip, "ab")


async def test_the_api_server_goes_and_comes_back(node: Node, plane: ControlPlane) -> None:
    node.start()
    vip = await node.service()
    await node.endpoints("ab")
    node.answers(vip, "ab")
    plane.apiserver.kill()
    assert set(node.world.count("c", vip, 80)) == {"a", "b"}
    plane.start_apiserver()
    await node.endpoints("c")
    node.answers(vip, "c")
    assert node.proxy.alive()


async def test_a_udp_client_is_moved_to_a_living_endpoint(node: Node) -> None:
    node.start()
    vip = await node.service("UDP")
    await node.endpoints("a", protocol="UDP")
    wait_until("the first answer", lambda: node.world.datagram("c", vip, 80, source_port=4100), seconds=10)
    assert node.world.datagram("c", vip, 80, source_port=4100) == "a"
    await node.endpoints("b", unready="a", protocol="UDP")
    wait_until("b to answer", lambda: node.world.datagram("c", vip, 80, source_port=4100) == "b", seconds=5)
    await node.endpoints("", unready="ab", protocol="UDP")
    wait_until("nobody to answer", lambda: not _answered(node, vip), seconds=5)
    await node.endpoints("a", protocol="UDP")
    wait_until("a to answer", lambda: node.world.datagram("c", vip, 80, source_port=4100) == "a", seconds=5)


def _answered(node: Node, vip: str) -> bool:
    try:
        return bool(node.world.datagram("c", vip, 80, source_port=4100, timeout=0.2))
    except OSError:
        return False


async def test_an_older_proxys_rules_in_the_other_backend_go(node: Node) -> None:
    legacy = (*node.enter, "iptables-legacy", "-t", "nat")
    run(*legacy, "-N", "KUBE-SERVICES")
    run(*legacy, "-A", "PREROUTING", "-j", "KUBE-SERVICES")
    node.argv += ["--iptables", "nft"]
    node.proxy = Process("proxy", node.argv, node.folder, prefix=node.enter)
    node.start()
    assert not [line for line in node.saved("legacy") if "KUBE-" in line]
    assert [line for line in node.saved("nft") if "KUBE-SERVICES" in line]


async def test_cleanup_leaves_the_host_as_it_was(node: Node) -> None:
    run(*node.enter, "iptables-nft", "-N", "DOCKER-USER")
    run(*node.enter, "iptables-nft", "-I", "FORWARD", "-j", "DOCKER-USER")
    run(*node.enter, "iptables-nft", "-t", "nat", "-A", "POSTROUTING", "-s", "172.17.0.0/16", "-j", "MASQUERADE")
    settings = ("net.ipv4.conf.all.route_localnet", "net.bridge.bridge-nf-call-iptables")
    before = node.saved(), run(*node.enter, "sysctl", *settings)
    node.start()
    await node.service(node_port=30080)
    await node.endpoints("ab")
    wait_until("rules", lambda: any(PODS["b"] in line for line in node.saved()), seconds=10)
    assert node.proxy.stop() == 0
    node.clean_up()
    assert (node.saved(), run(*node.enter, "sysctl", *settings)) == before
    node.clean_up()


async def test_many_changes_end_in_the_last_state(node: Node) -> None:
    node.start()
    vip = await node.service()
    for round_ in range(30):
        await node.endpoints(("ab", "bc", "cd", "a", "abcd")[round_ % 5])
        await asyncio.sleep(0)
    await node.endpoints("bd")
    node.answers(vip, "bd")
