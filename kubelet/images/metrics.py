"""What the kubelet counts of images, under Kubernetes' names."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_MB, _GB = 10**6, 10**9
_SIZES = (
    *((10 * _MB, "0-10MB"), (100 * _MB, "10MB-100MB"), (500 * _MB, "100MB-500MB"), (_GB, "500MB-1GB")),
    *((5 * _GB, "1GB-5GB"), (10 * _GB, "5GB-10GB"), (20 * _GB, "10GB-20GB"), (50 * _GB, "20GB-50GB")),
    (100 * _GB, "50GB-100GB"),
)

PULLS = Histogram(
    "kubelet_image_pull_duration_seconds",
    "Duration in seconds to pull an image",
    ["image_size_in_bytes"],
    buckets=(1, 5, 10, 20, 30, 60, 180, 300, 600, 900, 1200, 1800, 2700, 3600),
)
COLLECTED = Counter(
    "kubelet_image_garbage_collected_total", "Images removed by image garbage collection, by reason", ["reason"]
)


def size_bucket(size: int) -> str:
    """The label of an image of this many bytes."""
    return next((name for limit, name in _SIZES if size < limit), "GT100GB")
