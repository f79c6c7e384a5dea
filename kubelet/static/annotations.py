"""How static pods and their mirrors are told from other pods."""

from __future__ import annotations

from api.types import core_v1

SOURCE = "kubernetes.io/config.source"
HASH = "kubernetes.io/config.hash"
SEEN = "kubernetes.io/config.seen"
MIRROR = "kubernetes.io/config.mirror"

Key = tuple[str, str]
"""Namespace and name: what a static pod and its mirror share."""


def annotation(pod: core_v1.Pod, name: str) -> str:
    return (pod.metadata.annotations or {}).get(name, "") if pod.metadata else ""


def is_mirror(pod: core_v1.Pod) -> bool:
    """A pod of the API server that only shows what a node runs by itself."""
    return bool(annotation(pod, MIRROR))


def is_static(pod: core_v1.Pod) -> bool:
    """A pod that this node runs by itself: not the mirror."""
    return annotation(pod, SOURCE) == "file" and not is_mirror(pod)


def key_of(pod: core_v1.Pod) -> Key:
    metadata = pod.metadata
    assert metadata is not None
    return metadata.namespace or "", metadata.name or ""


def uid_of(pod: core_v1.Pod) -> str:
    return (pod.metadata.uid or "") if pod.metadata else ""
