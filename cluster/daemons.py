"""Which daemons a machine runs, and the configuration file of each: pure, from the layout to the files' content.

The same files serve every way of running a daemon (systemd, supervisord, a container): the command line is always
`pytheas-NAME --config /etc/pytheas/NAME.yaml`, and etcd's `etcd --config-file`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.identities import pair
from cluster.layout import Layout, Network, Ports


@dataclass(frozen=True)
class Machine:
    """What the daemons must know of the machine they run on."""

    name: str
    address: str


@dataclass(frozen=True)
class Daemon:
    """One process to keep running. `health` is a URL on loopback that answers 200 when it works."""

    name: str
    config: dict[str, Any]
    health: str = ""
    program: str = ""
    config_flag: str = "--config"
    arguments: tuple[str, ...] = ()
    """The arguments of a program that has no configuration file of ours."""
    order: int = 50
    """Lower starts earlier and stops later; none of them needs it, it only saves retries."""
    leaves: tuple[str, ...] = ()
    """What it leaves mounted when it ends."""

    def config_file(self, layout: Layout) -> Path:
        return layout.etc / f"{self.name}.yaml"

    def argv(self, layout: Layout) -> list[str]:
        program = self.program or str(Path(sys.executable).parent / f"pytheas-{self.name}")
        return [program, *(self.arguments or (self.config_flag, str(self.config_file(layout))))]


def engine(layout: Layout) -> Daemon:
    """A Docker engine for a machine on which nobody else keeps one.

    Pods get their network from CNI plugins, so it makes neither bridge nor rules: `docker run` and `docker build` on
    such a machine want `--network host`.
    """
    quiet = ("--bridge", "none", "--iptables=false", "--ip-masq=false", "--log-level", "warn")
    # Once a container was on the host's network, Docker keeps that namespace by a file.
    leaves = ("/run/docker/netns/default",)
    return Daemon("dockerd", {}, program="dockerd", arguments=quiet, order=5, leaves=leaves)


def control_plane(layout: Layout, network: Network, ports: Ports, machine: Machine) -> list[Daemon]:
    """etcd, the API server, the scheduler and the controllers."""
    return [
        _etcd(layout, ports, machine),
        _apiserver(layout, network, ports, machine),
        Daemon(
            "scheduler",
            {"kubeconfig": str(layout.kubeconfig("scheduler")), "health-bind": f"127.0.0.1:{ports.scheduler}"},
            f"http://127.0.0.1:{ports.scheduler}/readyz",
        ),
        Daemon(
            "controllers",
            {
                "kubeconfig": str(layout.kubeconfig("controllers")),
                "health-bind": f"127.0.0.1:{ports.controllers}",
                "cluster-cidr": network.pods,
            },
            f"http://127.0.0.1:{ports.controllers}/readyz",
        ),
    ]


def node(layout: Layout, network: Network, ports: Ports, machine: Machine) -> list[Daemon]:
    """The kubelet and the proxy."""
    server = pair(layout, "kubelet-server")
    kubelet = {
        "kubeconfig": str(layout.kubeconfig("kubelet")),
        "node-name": machine.name,
        "node-ip": machine.address,
        "root-dir": str(layout.state / "kubelet"),
        "port": ports.kubelet,
        "read-only-port": ports.kubelet_read_only,
        "health-bind": f"127.0.0.1:{ports.kubelet_health}",
        "tls-cert-file": str(server.certificate),
        "tls-key-file": str(server.key),
        "client-ca-file": str(layout.pki / "ca.crt"),
        "cluster-domain": network.domain,
        "cni-conf-dir": str(layout.cni),
    }
    proxy = {
        "kubeconfig": str(layout.kubeconfig("proxy")),
        "node-name": machine.name,
        "node-ip": machine.address,
        "cluster-cidr": network.pods,
        "health-bind": f"127.0.0.1:{ports.proxy_health}",
    }
    return [
        Daemon("kubelet", kubelet, f"http://127.0.0.1:{ports.kubelet_health}/healthz", order=60),
        Daemon("proxy", proxy, f"http://127.0.0.1:{ports.proxy_health}/healthz", order=60),
    ]


def _etcd(layout: Layout, ports: Ports, machine: Machine) -> Daemon:
    server, authority = pair(layout, "etcd"), str(layout.pki / "etcd-ca.crt")
    client_url, peer_url = f"https://127.0.0.1:{ports.etcd}", f"https://127.0.0.1:{ports.etcd_peer}"
    security = {
        "cert-file": str(server.certificate),
        "key-file": str(server.key),
        "trusted-ca-file": authority,
        "client-cert-auth": True,
    }
    config = {
        "name": machine.name,
        "data-dir": str(layout.state / "etcd"),
        "listen-client-urls": client_url,
        "advertise-client-urls": client_url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"{machine.name}={peer_url}",
        "listen-metrics-urls": f"http://127.0.0.1:{ports.etcd + 2}",
        "client-transport-security": security,
        "peer-transport-security": security,
        # A lone member elects itself after one election timeout; with nobody to hear, a short one costs nothing and
        # saves most of a second at each start.
        "heartbeat-interval": 50,
        "election-timeout": 250,
        "quota-backend-bytes": 8 * 1024**3,
        "snapshot-count": 10_000,
        "log-outputs": ["stderr"],
        "log-level": "warn",
    }
    health = f"http://127.0.0.1:{ports.etcd + 2}/health"
    return Daemon("etcd", config, health, program="etcd", config_flag="--config-file", order=10)


def _apiserver(layout: Layout, network: Network, ports: Ports, machine: Machine) -> Daemon:
    pki, serving, kubelet = layout.pki, pair(layout, "apiserver"), pair(layout, "apiserver-kubelet-client")
    etcd, front = pair(layout, "etcd-client"), pair(layout, "front-proxy-client")
    config = {
        "etcd-servers": f"https://127.0.0.1:{ports.etcd}",
        "etcd-ca-file": str(pki / "etcd-ca.crt"),
        "etcd-cert-file": str(etcd.certificate),
        "etcd-key-file": str(etcd.key),
        "secure-port": ports.apiserver,
        "advertise-address": machine.address,
        "tls-cert-file": str(serving.certificate),
        "tls-key-file": str(serving.key),
        "client-ca-file": str(pki / "ca.crt"),
        "kubelet-ca-file": str(pki / "ca.crt"),
        "kubelet-client-cert-file": str(kubelet.certificate),
        "kubelet-client-key-file": str(kubelet.key),
        "proxy-client-cert-file": str(front.certificate),
        "proxy-client-key-file": str(front.key),
        "requestheader-client-ca-file": str(pki / "front-proxy-ca.crt"),
        "service-account-key-file": str(pki / "service-accounts.key"),
        "service-cluster-ip-range": network.services,
        "service-node-port-range": network.node_ports,
    }
    return Daemon("apiserver", config, f"https://127.0.0.1:{ports.apiserver}/readyz", order=20)
