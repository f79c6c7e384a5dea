"""The kubelet's flags. Those that a KubeletConfiguration file can set carry its names, and its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from daemon.duration import Duration
from daemon.options import Common, option

EVICTION_HARD = (
    "memory.available<100Mi",
    "nodefs.available<10%",
    "nodefs.inodesFree<5%",
    "imagefs.available<15%",
    "imagefs.inodesFree<5%",
)


@dataclass(frozen=True)
class NodeOptions(Common):
    """Who this node is, and how others reach it."""

    kubeconfig: Path | None = option(None, help="how to reach the API server")
    node_name: str = option("", help="the name of this node's Node object (default: the host's name)")
    node_ip: str = option("", help="the address under which others reach this node (default: the default route's)")
    node_labels: tuple[str, ...] = option((), help="labels to put on the Node, each key=value")
    register_node: bool = option(True, help="make the Node object if there is none")
    register_with_taints: tuple[str, ...] = option((), help="taints of a new Node, each key=value:effect")
    provider_id: str = option("", help="what the Node's spec.providerID says")
    node_status_update_frequency: Duration = option(Duration(10), help="how often the node's status is worked out")
    node_status_report_frequency: Duration = option(Duration(300), help="how often it is told if nothing changes")
    node_status_max_images: int = option(50, help="how many images the status names; -1 for all")
    node_lease_duration_seconds: int = option(40, help="how long the node's lease lasts; renewed after a quarter")
    shutdown_grace_period: Duration = option(Duration(0), help="how long a shutdown waits for pods; 0 for not at all")
    shutdown_grace_period_critical_pods: Duration = option(Duration(0), help="what of it is for critical pods")
    shutdown_grace_period_by_pod_priority: tuple[str, ...] = option((), help="instead: each priority=seconds")
    pod_manifest_path: Path | None = option(
        None, help="a folder of manifests (or one) of pods that run whatever happens"
    )
    file_check_frequency: Duration = option(Duration(20), help="how often that folder is looked at as a safety net")


@dataclass(frozen=True)
class ServerOptions(Common):
    """The kubelet's own ports."""

    address: str = option("0.0.0.0", help="where ports 10250 and 10255 listen")
    port: int = option(10250, help="the HTTPS port for logs, exec and statistics; 0 for none")
    read_only_port: int = option(10255, help="the plain port for /pods, /spec, /metrics; 0 for none")
    health_bind: str = option("127.0.0.1:10248", help="where /healthz and /metrics are served")
    tls_cert_file: Path | None = option(None, help="the certificate of the HTTPS port")
    tls_key_file: Path | None = option(None, help="its key")
    tls_min_version: str = option(
        "VersionTLS12", help="the lowest TLS version", choices=("VersionTLS12", "VersionTLS13")
    )
    tls_cipher_suites: tuple[str, ...] = option((), help="the cipher suites of TLS 1.2 (default: the library's choice)")
    client_ca_file: Path | None = option(None, help="who signs the certificates of clients of the HTTPS port")
    anonymous_auth: bool = option(False, help="let clients without credentials in, as system:anonymous")
    authentication_token_webhook: bool = option(True, help="let the API server review bearer tokens")
    authentication_token_webhook_cache_ttl: Duration = option(Duration(120), help="how long a review is believed")
    authorization_mode: str = option("Webhook", help="who decides on requests", choices=("AlwaysAllow", "Webhook"))
    authorization_webhook_cache_authorized_ttl: Duration = option(Duration(300), help="how long a yes is believed")
    authorization_webhook_cache_unauthorized_ttl: Duration = option(Duration(30), help="how long a no is believed")
    streaming_connection_idle_timeout: Duration = option(Duration(14400), help="when an idle stream is closed")
    enable_debugging_handlers: bool = option(True, help="serve logs, exec, attach and port-forward")
    event_qps: float = option(50, help="how many events a second are sent; 0 for no limit")
    event_burst: int = option(100, help="how many events are sent at once")


@dataclass(frozen=True)
class PodOptions(Common):
    """What pods get."""

    pod_cidr: str = option("", help="the range of this node's pods (default: the Node object's podCIDR)")
    cluster_dns: tuple[str, ...] = option((), help="the cluster's DNS servers")
    cluster_domain: str = option("cluster.local", help="the cluster's DNS domain")
    resolv_conf: str = option("/etc/resolv.conf", help="the resolvers of pods that use the node's own DNS")
    allowed_unsafe_sysctls: tuple[str, ...] = option((), help="sysctls that pods may set though they are not safe")
    seccomp_default: bool = option(False, help="give containers without a seccomp profile the engine's own")
    max_pods: int = option(110, help="how many pods this node takes")
    pods_per_core: int = option(0, help="how many for each core; 0 for no such limit")
    max_container_restart_period: Duration = option(Duration(300), help="the longest wait before a restart")
    container_log_max_size: str = option("10Mi", help="when a container's log is rotated")
    container_log_max_files: int = option(5, help="how many files of a container's log are kept")
    serialize_image_pulls: bool = option(True, help="pull one image at a time")
    max_parallel_image_pulls: int = option(0, help="how many, if not one at a time; 0 for no limit")
    registry_qps: float = option(5, help="how many pulls a second; 0 for no limit")
    registry_burst: int = option(10, help="how many pulls at once before that counts")
    image_pull_progress_deadline: Duration = option(Duration(60), help="when a pull that stands still is given up")
    image_minimum_gc_age: Duration = option(Duration(120), help="no younger unused image is removed")
    image_maximum_gc_age: Duration = option(Duration(0), help="older unused images are removed; 0 for no such limit")
    image_gc_high_threshold_percent: int = option(85, help="how full the disk is when unused images are removed")
    image_gc_low_threshold_percent: int = option(80, help="how full it is when that stops")


@dataclass(frozen=True)
class ResourceOptions(Common):
    """What pods may use, and what happens when the node runs short."""

    cgroup_root: str = option("", help="the cgroup below which the pods' cgroups are made")
    cgroups_per_qos: bool = option(True, help="give QoS classes and pods cgroups of their own")
    cgroup_driver: str = option("", help="cgroupfs or systemd (default: as Docker has it, which must agree)")
    enforce_node_allocatable: tuple[str, ...] = option(("pods",), help="whose cgroups are limited: pods, or none")
    system_reserved: tuple[str, ...] = option((), help="what the system keeps, each as cpu=500m or memory=1Gi")
    kube_reserved: tuple[str, ...] = option((), help="what the node's daemons keep, in the same way")
    pod_max_pids: int = option(-1, help="how many processes a pod may have; -1 for as many as the node")
    cpu_cfs_quota: bool = option(True, help="hold containers to their CPU limits")
    cpu_cfs_quota_period: Duration = option(Duration(0.1), help="the time over which they are held to them")
    fail_swap_on: bool = option(False, help="don't start on a machine with swap")
    local_storage_capacity_isolation: bool = option(True, help="hold pods to their limits of ephemeral storage")
    eviction_hard: tuple[str, ...] = option(EVICTION_HARD, help="when pods are evicted at once")
    eviction_soft: tuple[str, ...] = option((), help="when pods are evicted after a grace period")
    eviction_soft_grace_period: tuple[str, ...] = option((), help="those periods, each as memory.available=1m30s")
    eviction_max_pod_grace_period: int = option(0, help="the longest grace of a pod that a soft threshold evicts")
    eviction_minimum_reclaim: tuple[str, ...] = option((), help="how much to win at least, as nodefs.available=1Gi")
    eviction_pressure_transition_period: Duration = option(Duration(300), help="how long a node stays under pressure")


@dataclass(frozen=True)
class Options(NodeOptions, ServerOptions, PodOptions, ResourceOptions):
    root_dir: Path = option(Path("/var/lib/pytheas/kubelet"), help="where pods' folders and volumes lie")
    docker_host: str = option("unix:///var/run/docker.sock", help="the Docker engine")
    pause_image: str = option("", help="the sandboxes' image (default: one made from the package catatonit)")
    cni_conf_dir: Path = option(Path("/etc/cni/net.d"), help="CNI configurations; without one a bridge is used")
    cni_bin_dir: tuple[str, ...] = option(("/usr/lib/cni", "/opt/cni/bin"), help="where CNI plugins are found")
    cni_cache_dir: Path | None = option(None, help="what CNI allocated (default: ROOT_DIR/cni)")
    sync_period: Duration = option(Duration(60), help="how often Docker's containers are listed as a safety net")
    warm_sandboxes: int = option(4, help="how many wired network namespaces are kept ready for pods; 0 for none")
    deleted_logs_max_size: str = option("10Mi", help="how much is kept of what a workload's removed containers wrote")
    deleted_logs_max_total: str = option("1Gi", help="how much of all workloads")
    deleted_logs_max_age: Duration = option(Duration(7 * 86400), help="for how long")
    docker_starts: int = option(8, help="how many containers are started at once")
    cleanup: bool = option(False, help="remove everything that this node's kubelet made on the machine, then exit")
    unsupported: tuple[str, ...] = field(default=(), kw_only=True, metadata={"hidden": True})
    """Fields of a KubeletConfiguration file that mean something to Kubernetes' kubelet and nothing here."""
