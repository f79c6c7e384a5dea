"""A pod's /etc/resolv.conf, by its DNS policy and within what resolvers read of such a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.types import core_v1

MAX_SERVERS = 3
MAX_SEARCHES = 32
MAX_SEARCH_CHARS = 2048
MAX_DOMAIN = 253
"""A longer search domain makes the resolver of glibc abort."""

STUB = "127.0.0.53"
"""Where systemd-resolved answers, for the machine itself only."""
BEHIND_STUB = Path("/run/systemd/resolve/resolv.conf")
"""The servers that it asks."""


@dataclass(frozen=True)
class Dns:
    """The cluster's DNS as this node was told, and the file with the node's own; without a file, pods that are to
    have the node's DNS get none."""

    servers: tuple[str, ...] = ()
    domain: str = "cluster.local"
    host_file: str = "/etc/resolv.conf"


@dataclass(frozen=True)
class Resolver:
    """`warnings` are for events: what did not fit."""

    servers: Sequence[str] = ()
    searches: Sequence[str] = ()
    options: Sequence[str] = ()
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [f"nameserver {each}" for each in self.servers]
        lines += ["search " + " ".join(self.searches)] if self.searches else []
        lines += ["options " + " ".join(self.options)] if self.options else []
        return "\n".join(lines) + "\n"


def host_conf(dns: Dns, behind_stub: Path = BEHIND_STUB) -> str:
    """The node's own configuration. A stub that answers the machine alone is of no use to a pod: what lies behind it
    is. Raises OSError."""
    if not dns.host_file:
        return "nameserver 127.0.0.1\nsearch .\n"
    own = Path(dns.host_file).read_text()
    return behind_stub.read_text() if _parse(own).servers == [STUB] and behind_stub.exists() else own


def resolver(pod: core_v1.Pod, dns: Dns, host: str) -> Resolver:
    """`host` is the node's own configuration; a ClusterFirst pod gets it where the cluster has no DNS."""
    assert pod.spec is not None
    assert pod.metadata is not None
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    if policy == "ClusterFirst" and pod.spec.hostNetwork:
        policy = "Default"
    own = Resolver() if policy == "None" else _parse(host)
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet") and dns.servers:
        base = [f"{pod.metadata.namespace}.svc.{dns.domain}", f"svc.{dns.domain}", dns.domain] if dns.domain else []
        local = own.searches if dns.host_file else []
        own = Resolver(dns.servers, [*base, *local], ["ndots:5"])
    config = pod.spec.dnsConfig or core_v1.PodDNSConfig()
    servers, lost = _servers(_unique([*own.servers, *(config.nameservers or ())]))
    searches, cut = _searches(_unique([*own.searches, *(config.searches or ())]))
    return Resolver(servers, searches, _options(own.options, config.options or []), (*lost, *cut))


def _servers(servers: list[str]) -> tuple[list[str], list[str]]:
    if len(servers) <= MAX_SERVERS:
        return servers, []
    kept = servers[:MAX_SERVERS]
    text = "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
    return kept, [text + " ".join(kept)]


def _searches(searches: list[str]) -> tuple[list[str], list[str]]:
    kept = [each for each in searches[:MAX_SEARCHES] if len(each) <= MAX_DOMAIN]
    while len(" ".join(kept)) > MAX_SEARCH_CHARS:
        kept.pop()
    if len(kept) == len(searches):
        return kept, []
    text = "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
    return kept, [text + " ".join(kept)]


def _parse(conf: str) -> Resolver:
    """As resolvers read it: servers add up, of the other lines the last counts."""
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in conf.splitlines():
        words = line.split()
        match words[:1]:
            case ["nameserver"]:
                servers += words[1:2]
            case ["search" | "domain"]:
                searches = [each.removesuffix(".") or "." for each in words[1:]]
            case ["options"]:
                options = words[1:]
    return Resolver(servers, searches, options)


def _options(base: Iterable[str], added: Iterable[core_v1.PodDNSConfigOption]) -> list[str]:
    values = {each.partition(":")[0]: each for each in base}
    for option in added:
        name = option.name or ""
        values[name] = f"{name}:{option.value}" if option.value else name
    return list(values.values())


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
