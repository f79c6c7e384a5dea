"""A pod's names: its host name, its domain, and the /etc/hosts that Kubernetes manages for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from api.types import core_v1
from kubelet.pod.problem import SandboxError

MAX_HOSTNAME = 63
MAX_KERNEL_NAME = 64


def hostname(pod: core_v1.Pod, node: str) -> str:
    """The pod's short name, which /etc/hosts and the cluster's DNS know."""
    assert pod.spec is not None
    assert pod.metadata is not None
    if pod.spec.hostNetwork:
        return node
    if pod.spec.hostnameOverride:
        return pod.spec.hostnameOverride
    chosen = pod.spec.hostname or pod.metadata.name or ""
    return chosen[:MAX_HOSTNAME].rstrip("-.")


def domain(pod: core_v1.Pod, cluster_domain: str) -> str:
    """The pod's own domain, if it has a subdomain."""
    assert pod.spec is not None
    assert pod.metadata is not None
    if not pod.spec.subdomain or pod.spec.hostnameOverride:
        return ""
    return f"{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{cluster_domain}"


def kernel_name(pod: core_v1.Pod, node: str, cluster_domain: str) -> str:
    """What `hostname` says in the pod. Raises SandboxError for a full name that is too long."""
    assert pod.spec is not None
    short, own = hostname(pod, node), domain(pod, cluster_domain)
    if not pod.spec.setHostnameAsFQDN or not own:
        return short
    full = f"{short}.{own}"
    if len(full) > MAX_KERNEL_NAME:
        raise SandboxError(
            f"Failed to construct FQDN from pod hostname and cluster domain, FQDN {full} is too long "
            f"({MAX_KERNEL_NAME} characters is the max, {len(full)} characters requested)"
        )
    return full


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
