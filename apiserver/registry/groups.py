"""The order in which clients try the API's groups and versions: numbers known from Kubernetes, the highest first."""

from __future__ import annotations

CUSTOM = (1000, 100)
"""Group and version priority of custom kinds."""

_FIRST = "apiregistration.k8s.io"
_GROUPS = {
    _FIRST: 20000,
    "": 18000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100,
    "resource.k8s.io": 16000,
    "metrics.k8s.io": 100,
}
_VERSIONS = {
    ("", "v1"): 1,
    ("autoscaling", "v2"): 30,
    ("flowcontrol.apiserver.k8s.io", "v1"): 21,
    ("metrics.k8s.io", "v1beta1"): 100,
}
_VERSION = 15


def priority(group: str, version: str) -> tuple[int, int]:
    """The priority of a group, and of one of its versions within it."""
    if group not in _GROUPS:
        return CUSTOM
    return _GROUPS[group], _VERSIONS.get((group, version), _VERSION)
