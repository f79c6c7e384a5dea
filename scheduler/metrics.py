"""What the scheduler counts, by the names that Kubernetes' dashboards and alerts know."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

ATTEMPTS = Counter(
    "scheduler_schedule_attempts", "Attempts to schedule pods, by result", labelnames=("result", "profile")
)
DECISION = Histogram("scheduler_scheduling_algorithm_duration_seconds", "Time to decide on one pod", buckets=_BUCKETS)
BINDING = Histogram("scheduler_binding_duration_seconds", "Time to write one binding", buckets=_BUCKETS)
END_TO_END = Histogram(
    "scheduler_pod_scheduling_sli_duration_seconds", "From the pod's arrival to its binding", buckets=_BUCKETS
)
PENDING = Gauge("scheduler_pending_pods", "Pods that wait for a node, by queue", labelnames=("queue",))
NODES = Gauge("scheduler_cache_nodes", "Nodes in the scheduler's picture of the cluster")
PODS = Gauge("scheduler_cache_pods", "Pods in the scheduler's picture of the cluster")


def watch(sizes: Callable[[], dict[str, int]], nodes: Callable[[], int], pods: Callable[[], int]) -> None:
    """Have the gauges read where the numbers are, when somebody asks."""
    for queue in ("active", "backoff", "unschedulable"):
        PENDING.labels(queue).set_function(_size(sizes, queue))
    NODES.set_function(nodes)
    PODS.set_function(pods)


def _size(sizes: Callable[[], dict[str, int]], queue: str) -> Callable[[], float]:
    return lambda: float(sizes()[queue])
