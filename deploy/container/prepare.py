"""The service `certificates` of docker-compose.yml: what every other container reads when it starts.

It writes certificates, kubeconfigs and configuration files to the volumes that the others mount, and the
administrator's kubeconfig to the host. Running it again changes nothing that is still good.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from cluster import identities
from cluster.daemons import Daemon, Machine, control_plane, engine, node
from cluster.layout import Layout, Network, Ports
from cluster.supervisord import render
from cluster.up import write_config

LAYOUT, NETWORK, PORTS = Layout(), Network(), Ports()
NODES, HOST = Path("/nodes"), Path("/host")
SERVER = f"https://apiserver:{PORTS.apiserver}"
ADDRESSES = {"apiserver": 11, "node1": 21, "node2": 22}
"""The last numbers of the addresses, as docker-compose.yml gives them."""


def main() -> None:
    subnet = os.environ["PYTHEAS_SUBNET"]
    addresses = {name: f"{subnet}.{last}" for name, last in ADDRESSES.items()}
    identities.control_plane(LAYOUT, NETWORK, ("apiserver", "etcd", addresses["apiserver"]), SERVER)
    for daemon in control_plane(LAYOUT, NETWORK, PORTS, Machine("etcd", addresses["apiserver"])):
        write_config(LAYOUT, apart(daemon))
    for folder in sorted(NODES.iterdir()):
        prepare_node(folder, Machine(folder.name, addresses[folder.name]))
    hand_over(os.environ["PYTHEAS_PORT"])


def apart(daemon: Daemon) -> Daemon:
    """The daemon in a container of its own: etcd is another machine, and must listen to others."""
    changes: dict[str, Any] = {}
    if daemon.name == "etcd":
        changes = {
            "listen-client-urls": f"https://0.0.0.0:{PORTS.etcd}",
            "advertise-client-urls": f"https://etcd:{PORTS.etcd}",
        }
    elif daemon.name == "apiserver":
        changes = {"etcd-servers": f"https://etcd:{PORTS.etcd}"}
    return replace(daemon, config={**daemon.config, **changes})


def prepare_node(folder: Path, machine: Machine) -> None:
    """The node's files in its volume; they name the places where the node sees them."""
    there = replace(LAYOUT, etc=folder)
    identities.node(LAYOUT, there, machine.name, (machine.address,), SERVER)
    daemons = node(LAYOUT, NETWORK, PORTS, machine)
    for daemon in daemons:
        write_config(there, daemon)
    (folder / "supervisord.conf").write_text(render(LAYOUT, [engine(LAYOUT), *daemons]))


def hand_over(port: str) -> None:
    """The administrator's kubeconfig for the host, where the API server has another address, owned as its folder is."""
    identities.write_kubeconfig(LAYOUT, "admin", f"https://127.0.0.1:{port}")
    target = HOST / "admin.conf"
    shutil.copyfile(LAYOUT.kubeconfig("admin"), target)
    target.chmod(0o600)
    owner = HOST.stat()
    os.chown(target, owner.st_uid, owner.st_gid)
    identities.write_kubeconfig(LAYOUT, "admin", SERVER)


if __name__ == "__main__":
    main()
