"""A whole cluster for the end-to-end tests: the control plane on the test machine, each node a host of its own."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType

from cluster import identities, sample
from cluster.daemons import Machine, node
from cluster.layout import Layout, Network, Ports
from cluster.up import write_config
from tests.harness.control import ControlPlane
from tests.harness.host import Host, Lan
from tests.harness.images import load_busybox
from tests.harness.kubectl import Kubectl
from tests.harness.process import Process
from tests.harness.registry import Registry

UPDATED = "pytheas/hello:2"
"""The sample image under a second tag, to roll out to."""

ELSEWHERE = ("gcr.io", "registry.k8s.io")
"""Registries beside Docker's own that a test's registry stands in for."""


class Node:
    """A host with an engine, a kubelet and a proxy."""

    def __init__(self, host: Host, control: ControlPlane, flags: Mapping[str, tuple[str, ...]]) -> None:
        self.host = host
        self.name = host.name
        layout = Layout.below(host.folder)
        identities.node(control.layout, layout, host.name, (host.address,), control.server)
        daemons = {daemon.name: daemon for daemon in node(layout, Network(), Ports(), Machine(host.name, host.address))}
        for daemon in daemons.values():
            write_config(layout, daemon)
        more = {"kubelet": ("--docker-host", host.docker, "--cgroup-root", f"/{host.name}"), "proxy": ()}
        self.kubelet, self.proxy = (
            host.process(name, [*daemons[name].argv(layout), *more[name], *flags.get(name, ())])
            for name in ("kubelet", "proxy")
        )

    def start(self) -> None:
        self.kubelet.start()
        self.proxy.start()


class Cluster(AbstractContextManager["Cluster"]):
    """`nodes` hosts called `<name>-1`, `<name>-2`, … on a bridge with the control plane at its first address.

    Args:
        flags: more flags by daemon: `{"controllers": ("--node-monitor-grace-period", "4s")}`.
        registry: whether images that are not there are pulled from a registry of the test's own.
    """

    def __init__(
        self,
        name: str,
        nodes: int = 1,
        *,
        prefix: str = "172.29.0",
        flags: Mapping[str, tuple[str, ...]] | None = None,
        registry: bool = False,
    ) -> None:
        self.name = name
        self.flags = flags or {}
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))  # short: a Unix socket's path has 108 bytes
        self._count = nodes
        self._lan = Lan(f"{name}br", prefix)
        self._has_registry = registry
        self._stack = ExitStack()
        self.nodes: list[Node] = []

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._stack.enter_context(self._lan)
        daemons = ("scheduler", "controllers")
        address = f"{self._lan.prefix}.1"
        if self._has_registry:
            self._stack.enter_context(Registry(address))
        self.control = ControlPlane(self.folder / "control", daemons=daemons, flags=self.flags, address=address)
        self._stack.enter_context(self.control)
        self.kubectl = Kubectl(self.control.admin_conf)
        for number in range(1, self._count + 1):
            self.add_node(f"{self.name}-{number}")
        for each in self.nodes:
            self.wait_ready(each)

    def add_node(self, name: str) -> Node:
        host = self._stack.enter_context(Host(name, self.folder, self._lan))
        host.start_engine(*(self._pull_from_registry(host) if self._has_registry else ()))
        load_busybox(host.docker)
        for tag in (sample.IMAGE, UPDATED):
            sample.build(tag, docker_url=host.docker)
        added = Node(host, self.control, self.flags)
        self._stack.callback(added.kubelet.stop)
        self._stack.callback(added.proxy.stop)
        added.start()
        self.nodes.append(added)
        return added

    def _pull_from_registry(self, host: Host) -> tuple[str, ...]:
        """Let a host take our registry for those that public images come from; the engine's flags for it."""
        host.run("tee", "--append", "/etc/hosts", stdin="".join(f"{self._lan.prefix}.1 {each}\n" for each in ELSEWHERE))
        mirror = ("--registry-mirror", f"http://{self._lan.prefix}.1")
        return (*mirror, *(word for each in ELSEWHERE for word in ("--insecure-registry", each)))

    def wait_ready(self, added: Node) -> None:
        added.kubelet.wait_for(f"node {added.name} to be Ready", lambda: self.is_ready(added.name), 60)

    def is_ready(self, name: str) -> bool:
        path = '{.status.conditions[?(@.type=="Ready")].status}'
        return self.kubectl("get", "node", name, "-o", f"jsonpath={path}") == "True"

    def processes(self) -> dict[str, Process]:
        """Every daemon of the cluster by name, to kill and to start again."""
        control = self.control
        found = {"apiserver": control.apiserver, **control.daemons}
        if control.etcd:
            found["etcd"] = control.etcd.process
        for each in self.nodes:
            found |= {f"kubelet {each.name}": each.kubelet, f"proxy {each.name}": each.proxy}
        return found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for process in self.processes().values():
                print(f"--- {process.name}\n{process.tail()}")
        self._stack.close()


def main() -> None:
    """`python -m tests.harness.cluster NAME PREFIX [NODES]`: a cluster to work with by hand until an interrupt.

    SIGHUP starts its daemons anew, with the code as it is then.
    """
    name, prefix, *nodes = sys.argv[1:]
    again = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the processes are stopped with this one
    signal.signal(signal.SIGHUP, lambda *_: again.set())
    with Cluster(name, *(int(each) for each in nodes), prefix=prefix) as running:
        print(f"export KUBECONFIG={running.control.admin_conf}")
        for each in running.nodes:
            print(f"# {each.name}: DOCKER_HOST={each.host.docker} {' '.join(each.host.enter)}")
        sys.stdout.flush()
        while True:
            again.wait()
            again.clear()
            for process in running.processes().values():
                if process.name != "etcd":
                    process.stop()
                    process.start()
            print("started anew", flush=True)


if __name__ == "__main__":
    main()
