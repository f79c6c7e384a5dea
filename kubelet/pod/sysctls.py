"""Which kernel parameters a pod may set: those that the kernel keeps apart for each pod and that can harm no other,
and what the node's administrator allows beyond them.

https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.types import core_v1
from daemon.fatal import Fatal

SAFE = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)
_IPC = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
_NET = ("net.",)


@dataclass(frozen=True)
class Allowed:
    """The names, and the beginnings of names, that pods may set."""

    names: frozenset[str] = frozenset(SAFE)
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, unsafe: Iterable[str]) -> Allowed:
        """The safe ones and these, `net.core.*` for instance. Raises Fatal for one that all pods share."""
        names, prefixes = set(SAFE), []
        for pattern in map(dotted, unsafe):
            if not _namespace(pattern.removesuffix("*")):
                raise Fatal(f'the sysctl "{pattern}" are not known to be namespaced')
            if pattern.endswith("*"):
                prefixes.append(pattern[:-1])
            else:
                names.add(pattern)
        return cls(frozenset(names), tuple(prefixes))

    def refusal(self, spec: core_v1.PodSpec) -> str:
        """What is wrong with the pod's sysctls; empty if nothing is."""
        asked = spec.securityContext.sysctls if spec.securityContext is not None else None
        return next(filter(None, (self._refusal(dotted(each.name), spec) for each in asked or ())), "")

    def _refusal(self, name: str, spec: core_v1.PodSpec) -> str:
        if name not in self.names and not name.startswith(self.prefixes or ("\0",)):
            return f'"{name}" not allowlisted'
        shared = {"ipc": spec.hostIPC, "net": spec.hostNetwork}
        space = _namespace(name)
        return f'"{name}" not allowed with host {space} enabled' if shared.get(space) else ""


def dotted(name: str) -> str:
    """The name with dots between its parts: `net/ipv4/conf/eth0.1/arp` is `net.ipv4.conf.eth0/1.arp`."""
    first = next((char for char in name if char in "./"), ".")
    return name if first == "." else name.translate({ord("."): "/", ord("/"): "."})


def values(spec: core_v1.PodSpec) -> dict[str, str]:
    """What to set in the pod's sandbox."""
    asked = spec.securityContext.sysctls if spec.securityContext is not None else None
    return {dotted(each.name): each.value for each in asked or ()}


def _namespace(name: str) -> str:
    return "net" if name.startswith(_NET) else "ipc" if name.startswith(_IPC) else ""
