"""The kubelet's flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daemon.duration import Duration
from daemon.options import Common, option


@dataclass(frozen=True)
class Options(Common):
    kubeconfig: Path | None = option(None, help="how to reach the API server")
    node_name: str = option("", help="the name of this node's Node object (default: the host's name)")
    node_ip: str = option("", help="the address under which others reach this node (default: the default route's)")
    node_labels: tuple[str, ...] = option((), help="labels to put on the Node, each key=value")
    root_dir: Path = option(Path("/var/lib/pytheas/kubelet"), help="where pods' folders and volumes lie")
    docker_host: str = option("unix:///var/run/docker.sock", help="the Docker engine")
    address: str = option("0.0.0.0", help="where ports 10250 and 10255 listen")
    port: int = option(10250, help="the HTTPS port for logs; 0 for none")
    read_only_port: int = option(10255, help="the plain port for /pods, /spec, /metrics; 0 for none")
    health_bind: str = option("127.0.0.1:10248", help="where /healthz and /metrics are served")
    tls_cert_file: Path | None = option(None, help="the certificate of the HTTPS port")
    tls_key_file: Path | None = option(None, help="its key")
    client_ca_file: Path | None = option(None, help="who signs the certificates of clients of the HTTPS port")
    pod_cidr: str = option("", help="the range of this node's pods (default: the Node object's podCIDR)")
    cluster_dns: tuple[str, ...] = option((), help="the cluster's DNS servers")
    cluster_domain: str = option("cluster.local", help="the cluster's DNS domain")
    max_pods: int = option(110, help="how many pods this node takes")
    pause_image: str = option("", help="the sandboxes' image (default: one made from the package catatonit)")
    cni_conf_dir: Path = option(Path("/etc/cni/net.d"), help="CNI configurations; without one a bridge is used")
    cni_bin_dir: tuple[str, ...] = option(("/usr/lib/cni", "/opt/cni/bin"), help="where CNI plugins are found")
    cni_cache_dir: Path | None = option(None, help="what CNI allocated (default: ROOT_DIR/cni)")
    cgroup_root: str = option("", help="the cgroup below which the pods' cgroups are made")
    seccomp_default: bool = option(False, help="give containers without a seccomp profile the engine's own")
    sync_period: Duration = option(Duration(60), help="how often Docker's containers are listed as a safety net")
    docker_starts: int = option(8, help="how many containers are started at once")
    register_node: bool = option(True, help="make the Node object if it is not there")
    register_with_taints: tuple[str, ...] = option((), help="taints to register with, each key=value:effect")
    pod_manifest_path: Path | None = option(None, help="a folder of static pods' manifests, or one such file")
    file_check_frequency: Duration = option(Duration(20), help="how often that folder is read as a safety net")
    shutdown_grace_period: Duration = option(Duration(0), help="how long pods may take to end at shutdown; 0: not asked")
    shutdown_grace_period_critical_pods: Duration = option(
        Duration(0), help="the part of it that is kept for critical pods, which end last"
    )
    shutdown_grace_period_by_pod_priority: tuple[str, ...] = option(
        (), help="instead of these two: the grace by pods' priority, each priority=seconds"
    )
    cleanup: bool = option(False, help="remove everything that this node's kubelet made on the machine, then exit")
