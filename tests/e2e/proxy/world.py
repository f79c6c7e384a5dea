"""A node with three pods, another node with one, and a client outside, each a network namespace; the kernel is real.

    client 198.18.0.2 ── lan ── 198.18.0.1 node ── cni0 10.244.0.1 ── pods a, b, c (10.244.0.2, .3, .4)
                          └──── 198.18.0.3 far, where pod d is (10.244.1.2)

A pod answers each HTTP request and each UDP datagram with its name and the address it saw the client at.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.harness.host import run
from tests.harness.netns import inside
from tests.harness.process import wait_until

POD_SCRIPT = Path(__file__).with_name("pod.py")
PODS = {"a": "10.244.0.2", "b": "10.244.0.3", "c": "10.244.0.4", "d": "10.244.1.2"}
CLIENT, NODE, FAR = "198.18.0.2", "198.18.0.1", "198.18.0.3"
POD_PORT, OUTSIDE_PORT = 8080, 9000


class World:
    """Made with `with`; `name("node")` and so on are the namespaces' names."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def name(self, part: str) -> str:
        return f"px{os.getpid()}-{part}"

    def __enter__(self) -> World:
        with ExitStack() as stack:
            for part in ("client", "node", "far", *"abc"):
                self._namespace(part, stack)
            self._lan()
            self._pods(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _namespace(self, part: str, stack: ExitStack) -> None:
        run("ip", "netns", "add", self.name(part))
        stack.callback(run, "ip", "netns", "del", self.name(part))
        self.ip(part, "link", "set", "lo", "up")

    def ip(self, part: str, *argv: str) -> None:
        run("ip", "-n", self.name(part), *argv)

    def sysctl(self, part: str, key: str, value: str) -> None:
        with inside(self.name(part)):
            Path("/proc/sys/net", key).write_text(value)

    def _veth(self, inner: str, address: str, outer: str, device: str) -> None:
        self.ip(outer, "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", self.name(inner))
        self.ip(outer, "link", "set", device, "up")
        self.ip(inner, "addr", "add", address, "dev", "eth0")
        self.ip(inner, "link", "set", "eth0", "up")

    def _bridge(self, part: str, device: str, address: str) -> None:
        self.ip(part, "link", "add", device, "type", "bridge")
        self.ip(part, "addr", "add", address, "dev", device)
        self.ip(part, "link", "set", device, "up")

    def _lan(self) -> None:
        self._bridge("client", "lan", f"{CLIENT}/24")
        for part, address in (("node", NODE), ("far", FAR)):
            self._veth(part, f"{address}/24", "client", part)
            self.ip("client", "link", "set", part, "master", "lan")
            self.ip(part, "route", "add", "default", "via", CLIENT)
        self.ip("client", "route", "add", "10.96.0.0/16", "via", NODE)
        self.ip("client", "route", "add", "10.244.0.0/24", "via", NODE)
        self.ip("node", "route", "add", "10.244.1.0/24", "via", FAR)
        self.ip("far", "route", "add", "10.244.0.0/24", "via", NODE)
        self.ip("far", "addr", "add", f"{PODS['d']}/32", "dev", "lo")

    def _pods(self, stack: ExitStack) -> None:
        self._bridge("node", "cni0", "10.244.0.1/24")
        for pod in "abc":
            self._veth(pod, f"{PODS[pod]}/24", "node", f"veth{pod}")
            self.ip("node", "link", "set", f"veth{pod}", "master", "cni0")
            self.ip("node", "link", "set", f"veth{pod}", "type", "bridge_slave", "hairpin", "on")
            self.ip(pod, "route", "add", "default", "via", "10.244.0.1")
        for pod, address in PODS.items():
            self._server(pod, self.of(pod), address, POD_PORT, stack)
        # Somebody who is in no cluster.
        self._server("outside", "client", CLIENT, OUTSIDE_PORT, stack)

    def _server(self, name: str, part: str, address: str, port: int, stack: ExitStack) -> None:
        with inside(self.name(part)):
            child = subprocess.Popen([sys.executable, "-S", POD_SCRIPT, name, address, str(port)])
        stack.callback(child.wait)
        stack.callback(child.kill)
        wait_until(f"server {name}", lambda: self.get(part, address, port, timeout=1.0))

    @staticmethod
    def of(pod: str) -> str:
        return "far" if pod == "d" else pod

    def get(self, part: str, address: str, port: int, timeout: float = 3.0, source: str = "") -> tuple[str, str]:
        """Ask as `part`: the pod's name and the client address it saw. An OSError when refused or silent."""
        with inside(self.name(part)):
            bound = (source, 0) if source else None
            connection = socket.create_connection((address, port), timeout, source_address=bound)
        with connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = connection.makefile("rb").read().decode()
        pod, seen = answer.partition("\r\n\r\n")[2].split()
        return pod, seen

    def refuses(self, part: str, address: str, port: int) -> bool:
        try:
            self.get(part, address, port, timeout=0.5)
        except ConnectionRefusedError:
            return True
        return False

    def datagram(self, part: str, address: str, port: int, *, source_port: int = 0, timeout: float = 1.0) -> str:
        """The name of the pod that answers a datagram."""
        with inside(self.name(part)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(timeout)
            sender.bind(("", source_port))
            sender.connect((address, port))
            sender.send(b"who")
            return sender.recv(64).split()[0].decode()

    def count(self, part: str, address: str, port: int, times: int = 40) -> Counter[str]:
        """How often which pod answered."""
        return Counter(self.get(part, address, port)[0] for _ in range(times))
