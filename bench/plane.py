"""A control plane as `make up` configures it, on free loopback ports, its state in a folder of its own.

Unlike the tests' control plane this one keeps what costs time in real life: TLS to etcd, and an etcd that syncs to
disk.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.processes import cpu_seconds
from bench.wire import Target
from cluster import identities
from cluster.daemons import Daemon, Machine, control_plane
from cluster.layout import Layout, Network, Ports
from cluster.up import write_config
from tests.harness.process import Process, free_port

TOKEN = "bench-0123456789abcdef"
"""The administrator's token, for load generators that cannot show a certificate."""


@dataclass
class Cost:
    daemon: str
    seconds: float = 0.0

    def of_each(self, count: float) -> str:
        """For a row's note, when it was spent on `count` things."""
        return f"{self.daemon} {self.seconds / count * 1e6:.0f} µs CPU each"


class Plane(AbstractContextManager["Plane"]):
    """etcd and the API server; and, by name, `scheduler` and `controllers`."""

    def __init__(self, *daemons: str, address: str = "127.0.0.1") -> None:
        self.address = address
        self.folder = Path(tempfile.mkdtemp(prefix="pytheas-bench-"))
        self.layout = Layout.below(self.folder)
        self.network = Network()
        self.ports = _free_ports()
        self.server = f"https://{address}:{self.ports.apiserver}"
        identities.control_plane(self.layout, self.network, (address,), self.server)
        wanted = {"etcd", "apiserver", *daemons}
        known = control_plane(self.layout, self.network, self.ports, Machine("bench", address))
        self.processes = {daemon.name: self._process(daemon) for daemon in known if daemon.name in wanted}

    def _process(self, daemon: Daemon) -> Process:
        more: dict[str, Any] = {}
        if daemon.name == "apiserver":
            tokens = self.layout.etc / "tokens.csv"
            tokens.write_text(f'{TOKEN},bench,bench,"system:masters"\n')
            more = {"bind-address": self.address, "token-auth-file": str(tokens)}
        elif daemon.name == "etcd":
            more = {"enable-grpc-gateway": True}  # the load generator speaks HTTP
        daemon = replace(daemon, config={**daemon.config, **more})
        write_config(self.layout, daemon)
        return Process(daemon.name, daemon.argv(self.layout), self.folder)

    def __enter__(self) -> Plane:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def start(self) -> None:
        for process in self.processes.values():
            process.start()
        self.processes["apiserver"].wait_for("the API server's readiness", self.ready)

    def ready(self) -> bool:
        return self.target().get("/readyz").status == 200

    def target(self) -> Target:
        return Target(self.address, self.ports.apiserver, self.tls(), TOKEN)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.layout.pki / "ca.crt"))

    @property
    def admin_conf(self) -> Path:
        return self.layout.kubeconfig("admin")

    def make_default_account(self) -> None:
        """What the controllers would do, in a plane without them: pods are not admitted without it."""
        path = "/api/v1/namespaces/default/serviceaccounts"
        if self.target().get(f"{path}/default").status == 404:
            self.target().make(path, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})

    def to_apiserver(self) -> list[str]:
        """A load generator's arguments to reach the API server."""
        return ["--server", f"{self.address}:{self.ports.apiserver}", "--ca", str(self.layout.pki / "ca.crt")]

    def to_etcd(self) -> list[str]:
        """The same for etcd's HTTP gateway."""
        shown = identities.pair(self.layout, "etcd-client")
        where = ["--server", f"127.0.0.1:{self.ports.etcd}", "--ca", str(self.layout.pki / "etcd-ca.crt")]
        return [*where, "--cert", str(shown.certificate), "--key", str(shown.key)]

    @contextmanager
    def cost(self, name: str) -> Iterator[Cost]:
        """The time a daemon spends on the cores in the block: unlike a rate, it hardly depends on who else is busy."""
        cost, pid = Cost(name), self.processes[name].pid
        before = cpu_seconds(pid)
        yield cost
        cost.seconds = cpu_seconds(pid) - before

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}

    def etcd_answers(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.etcd + 2}/health", timeout=2) as answer:
            return b'"true"' in answer.read()

    def stop_all(self) -> None:
        for process in reversed(self.processes.values()):
            process.stop()

    def stop(self) -> None:
        """Stop all, and delete the folder."""
        self.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for process in self.processes.values():
                print(f"--- {process.name}\n{process.tail()}")
        self.stop()


def _free_ports() -> Ports:
    etcd = _free_run(3)
    return Ports(
        etcd=etcd,
        etcd_peer=etcd + 1,
        apiserver=free_port(),
        scheduler=free_port(),
        controllers=free_port(),
        kubelet=free_port(),
        kubelet_read_only=free_port(),
        kubelet_health=free_port(),
        proxy_health=free_port(),
    )


def _free_run(length: int) -> int:
    """The first of some free ports in a row (etcd: clients, peers, metrics)."""
    for _ in range(100):
        first = free_port()
        sockets: list[socket.socket] = []
        try:
            for port in range(first, first + length):
                probe = socket.socket()
                sockets.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            for probe in sockets:
                probe.close()
        return first
    raise AssertionError("no free ports in a row")
