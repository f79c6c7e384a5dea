"""The name files that Kubernetes manages for a pod: /etc/hosts, /etc/resolv.conf, and the host name itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.types import core_v1

MAX_HOSTNAME = 63
MAX_SEARCHES = 32
MAX_SERVERS = 3


@dataclass(frozen=True)
class Dns:
    """The cluster's DNS as this node was told, and the node's own resolv.conf."""

    servers: tuple[str, ...] = ()
    domain: str = "cluster.local"
    host_conf: str = ""


def hostname(pod: core_v1.Pod, node: str) -> str:
    """What `hostname` says in the pod."""
    assert pod.spec is not None
    assert pod.metadata is not None
    if pod.spec.hostNetwork:
        return node
    chosen = pod.spec.hostnameOverride or pod.spec.hostname or pod.metadata.name or ""
    return chosen[:MAX_HOSTNAME].rstrip("-.")


def domain(pod: core_v1.Pod, dns: Dns) -> str:
    """The pod's own domain, if it has a subdomain."""
    assert pod.spec is not None
    assert pod.metadata is not None
    if not pod.spec.subdomain:
        return ""
    return f"{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{dns.domain}"


def hosts_file(pod: core_v1.Pod, ips: Sequence[str], name: str, own_domain: str, host_file: str = "") -> str:
    """/etc/hosts; a pod on the host's network gets the host's, with its aliases added."""
    assert pod.spec is not None
    if pod.spec.hostNetwork:
        lines = ["# Kubernetes-managed hosts file (host network).", host_file.rstrip("\n")]
    else:
        lines = [
            "# Kubernetes-managed hosts file.",
            "127.0.0.1\tlocalhost",
            "::1\tlocalhost ip6-localhost ip6-loopback",
            "fe00::0\tip6-localnet",
            "fe00::0\tip6-mcastprefix",
            "fe00::1\tip6-allnodes",
            "fe00::2\tip6-allrouters",
        ]
        names = f"{name}.{own_domain}\t{name}" if own_domain else name
        lines += [f"{ip}\t{names}" for ip in ips]
    if pod.spec.hostAliases:
        lines += ["", "# Entries added by HostAliases."]
        lines += ["\t".join([each.ip or "", *(each.hostnames or ())]) for each in pod.spec.hostAliases]
    return "\n".join(lines) + "\n"


def resolv_conf(pod: core_v1.Pod, dns: Dns) -> str:
    """/etc/resolv.conf by the pod's DNS policy. Without a cluster DNS, ClusterFirst falls back to the node's own."""
    assert pod.spec is not None
    assert pod.metadata is not None
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    if policy == "ClusterFirst" and pod.spec.hostNetwork:
        policy = "Default"
    servers, searches, options = _parse(dns.host_conf)
    if policy == "None":
        servers, searches, options = [], [], []
    elif policy in ("ClusterFirst", "ClusterFirstWithHostNet") and dns.servers:
        servers, options = list(dns.servers), ["ndots:5"]
        base = dns.domain
        searches = [f"{pod.metadata.namespace}.svc.{base}", f"svc.{base}", base, *searches]
    config = pod.spec.dnsConfig
    if config is not None:
        servers = [*servers, *(config.nameservers or ())]
        searches = [*searches, *(config.searches or ())]
        options = _options(options, config.options or [])
    lines = [f"nameserver {each}" for each in _unique(servers)[:MAX_SERVERS]]
    if searches:
        lines.append("search " + " ".join(_unique(searches)[:MAX_SEARCHES]))
    if options:
        lines.append("options " + " ".join(options))
    return "\n".join(lines) + "\n"


def _parse(conf: str) -> tuple[list[str], list[str], list[str]]:
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in conf.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "nameserver" and len(words) > 1:
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            searches = words[1:]
        elif words[0] == "options":
            options += words[1:]
    return servers, searches, options


def _options(base: Sequence[str], added: Sequence[core_v1.PodDNSConfigOption]) -> list[str]:
    values = {each.partition(":")[0]: each for each in base}
    for option in added:
        name = option.name or ""
        values[name] = f"{name}:{option.value}" if option.value else name
    return list(values.values())


def _unique(items: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(items))
