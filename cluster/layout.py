"""Where a cluster's files lie, and the few facts that its parts share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ports:
    """The ports a control plane and a node listen on: Kubernetes' own."""

    etcd: int = 2379
    etcd_peer: int = 2380
    apiserver: int = 6443
    scheduler: int = 10259
    controllers: int = 10257
    kubelet: int = 10250
    kubelet_read_only: int = 10255
    kubelet_health: int = 10248
    proxy_health: int = 10256


@dataclass(frozen=True)
class Layout:
    """A cluster's folders. Tests lay a second one out in a folder of their own."""

    etc: Path = Path("/etc/pytheas")
    state: Path = Path("/var/lib/pytheas")
    log: Path = Path("/var/log/pytheas")
    run: Path = Path("/run/pytheas")
    cni: Path = Path("/etc/cni/net.d")

    @classmethod
    def below(cls, root: Path) -> Layout:
        return cls(root / "etc", root / "state", root / "log", root / "run", root / "cni")

    @property
    def pki(self) -> Path:
        return self.etc / "pki"

    def kubeconfig(self, who: str) -> Path:
        """The kubeconfig of `admin`, `scheduler`, `controllers`, `kubelet` or `proxy`."""
        return self.etc / f"{who}.conf"

    def make(self) -> None:
        """Make the folders; the state is for root's eyes only."""
        for folder, mode in (
            (self.etc, 0o755),
            (self.pki, 0o755),
            (self.state, 0o700),
            (self.log, 0o755),
            (self.run, 0o755),
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=mode)


@dataclass(frozen=True)
class Network:
    """Address ranges, Kubernetes' usual ones."""

    services: str = "10.96.0.0/16"
    node_ports: str = "30000-32767"
    pods: str = "10.244.0.0/16"
    dns: str = "10.96.0.10"
    domain: str = "cluster.local"

    @property
    def apiserver_service(self) -> str:
        """The first address of the Service range: the Service default/kubernetes."""
        base, _, _ = self.services.partition("/")
        head, _, last = base.rpartition(".")
        return f"{head}.{int(last) + 1}"
