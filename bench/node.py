"""A node with its own Docker engine, in namespaces of its own, beside a control plane on the test machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.plane import Plane
from cluster import identities
from cluster.daemons import Machine, node
from cluster.layout import Layout, Network, Ports
from cluster.up import write_config
from tests.harness.host import Host, Lan
from tests.harness.images import load_busybox
from tests.harness.process import Process

PREFIX = "172.30.249"
NAME = "bench-1"


@dataclass
class Site:
    """A control plane and a host for a node; the node's daemons are not started yet."""

    plane: Plane
    host: Host
    kubelet: Process
    proxy: Process

    def start(self) -> None:
        self.kubelet.start()
        self.proxy.start()

    def stop(self) -> None:
        """Remove what the node's daemons made, as far as the host would outlive it."""
        self.kubelet.stop()
        self.proxy.stop()

    def node_ready(self) -> bool:
        answer = self.plane.target().get(f"/api/v1/nodes/{NAME}")
        conditions = answer.json().get("status", {}).get("conditions", []) if answer.status == 200 else []
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def docker(self, *argv: str) -> Sequence[str]:
        return ["docker", "-H", self.host.docker, *argv]


@contextmanager
def site(*, started: bool = True) -> Iterator[Site]:
    """With `started`, the control plane runs; the engine always does, and has its images."""
    with Lan("benchbr", PREFIX) as lan:
        plane = Plane("scheduler", "controllers", address=f"{PREFIX}.1")
        try:
            with Host(NAME, plane.folder, lan) as host:
                host.start_engine()
                load_busybox(host.docker)
                made = _site(plane, host)
                if started:
                    plane.start()
                try:
                    yield made
                finally:
                    made.stop()
        finally:
            plane.stop()


def _site(plane: Plane, host: Host) -> Site:
    layout = Layout.below(host.folder)
    identities.node(plane.layout, layout, NAME, (host.address,), plane.server)
    daemons = {daemon.name: daemon for daemon in node(layout, Network(), Ports(), Machine(NAME, host.address))}
    for daemon in daemons.values():
        write_config(layout, daemon)
    kubelet = host.process("kubelet", [*daemons["kubelet"].argv(layout), "--docker-host", host.docker])
    return Site(plane, host, kubelet, host.process("proxy", daemons["proxy"].argv(layout)))
