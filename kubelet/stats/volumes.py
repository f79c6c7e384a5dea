"""`kubelet_volume_stats_*`: how full the claims' volumes are, as dashboards and alerts ask for it. Pure."""

from __future__ import annotations

from kubelet.stats.exposition import Family, page
from kubelet.stats.sample import NodeSample

_HELP = {
    "capacity_bytes": "Capacity in bytes of the volume",
    "available_bytes": "Number of available bytes in the volume",
    "used_bytes": "Number of used bytes in the volume",
    "inodes": "Maximum number of inodes in the volume",
    "inodes_free": "Number of free inodes in the volume",
    "inodes_used": "Number of used inodes in the volume",
}


def render(sample: NodeSample) -> str:
    """A claim that several pods use is told once. Nothing where there is none."""
    families = {name: Family(f"kubelet_volume_stats_{name}", text) for name, text in _HELP.items()}
    claims = {each.claim: each.disk for pod in sample.pods for each in pod.volumes if each.claim}
    for claim, disk in sorted(claims.items()):
        if disk is None:
            continue
        namespace, _, name = claim.partition("/")
        labels = {"namespace": namespace, "persistentvolumeclaim": name}
        amounts = (disk.capacity, disk.available, disk.used, disk.inodes, disk.inodes_free, disk.inodes_used)
        for family, amount in zip(families.values(), amounts, strict=True):
            family.add(amount, labels)
    return page(families.values()) if claims else ""
