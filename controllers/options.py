"""The flags of pytheas-controllers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daemon.duration import Duration
from daemon.options import Common, option


@dataclass(frozen=True)
class Options(Common):
    kubeconfig: Path | None = option(None, help="how to reach the API server (default: kubectl's rules)")
    leader_elect: bool = option(True, help="work only while holding the Lease kube-system/kube-controller-manager")
    lease_duration: Duration = option(Duration(15), help="after so long without renewal another may take the Lease")
    renew_deadline: Duration = option(Duration(10), help="a leader that could not renew for so long stops")
    retry_period: Duration = option(Duration(2), help="how often the Lease is renewed, or asked for")
    health_bind: str = option("127.0.0.1:10257", help="where /healthz, /readyz and /metrics listen")
    concurrent_syncs: int = option(5, help="objects of one kind that are worked on at once")
    root_ca_file: Path | None = option(
        None, help="the certificate that pods are to trust the API server by (default: the kubeconfig's)"
    )
    cluster_cidr: str = option(
        "10.244.0.0/16", help="the range that the nodes' pod ranges are cut from; empty for none"
    )
    node_cidr_mask_size: int = option(24, help="the size of a node's pod range")
    node_monitor_period: Duration = option(
        Duration(5), help="how often a node is looked at again whose health is in doubt"
    )
    node_monitor_grace_period: Duration = option(Duration(40), help="silence after which a node counts as lost")
    node_startup_grace_period: Duration = option(Duration(60), help="the same for a node that never reported")
    pod_eviction_timeout: Duration = option(
        Duration(300), help="how long pods that say nothing of it stay on a node that is lost or not ready"
    )
    node_eviction_rate: float = option(0.1, help="nodes a second that pods are evicted from while most nodes are well")
    secondary_node_eviction_rate: float = option(0.01, help="the same while many nodes of a large cluster are not")
    unhealthy_zone_threshold: float = option(0.55, help="the share of lost nodes from which a zone counts as disrupted")
    large_cluster_size_threshold: int = option(
        50, help="nodes above which a disrupted zone is still evicted from, slowly"
    )
    terminated_pod_gc_threshold: int = option(12500, help="ended pods that may stay; 0 keeps all")
    orphaned_pod_gc_delay: Duration = option(Duration(40), help="how long the pods of a deleted node stay")
