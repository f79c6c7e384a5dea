"""A node's network namespace for daemons that change the kernel's rules, joined to the API server by one cable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.harness.host import run

HERE, THERE = "172.30.250.1", "172.30.250.2"


@dataclass(frozen=True)
class Joined:
    name: str
    enter: tuple[str, ...]
    """The prefix that runs a command in the namespace."""


@contextmanager
def joined() -> Iterator[Joined]:
    """Make a namespace that is reached at `THERE` and reaches us at `HERE`."""
    name, device = f"bench{os.getpid()}", f"bn{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", f"{HERE}/30", "dev", device)
        run("ip", "link", "set", device, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "addr", "add", f"{THERE}/30", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        yield Joined(name, ("nsenter", f"--net=/run/netns/{name}"))
    finally:
        run("ip", "netns", "del", name)
