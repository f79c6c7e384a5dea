"""What this machine is: its name, its address, and whether a Docker engine answers on it."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path

import docker
from docker.errors import DockerException

from cluster.daemons import Machine

DOCKER_SOCKET = Path("/var/run/docker.sock")


def here() -> Machine:
    """This machine, under its host name, at the address from which it reaches other machines."""
    return Machine(socket.gethostname().lower(), _address())


def _address() -> str:
    # Connecting a datagram socket sends nothing: it only makes the kernel choose the route and its source address.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address that is nobody's
            address = str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
    return address if not ipaddress.ip_address(address).is_unspecified else "127.0.0.1"


def engine_answers() -> bool:
    """Whether a Docker engine answers on the usual socket."""
    try:
        client = docker.DockerClient(base_url=f"unix://{DOCKER_SOCKET}", timeout=10)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, OSError):
        return False


def is_root() -> bool:
    return os.geteuid() == 0
