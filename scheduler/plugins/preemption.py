"""Whether taking other pods away would help a pod that fits nowhere.

Nobody is taken away: every pod has the same priority until there are priority classes, so no pod is another's victim.
The answer tells the user on which nodes it would not even help, since they were rejected for good (by taints, by
labels).
"""

from __future__ import annotations

from collections.abc import Sequence

from scheduler.framework import PostFilter, Rejection
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot


class Preemption(PostFilter):
    name = "DefaultPreemption"

    def post_filter(self, pod: PodInfo, nodes: Snapshot, rejections: Sequence[Rejection]) -> str:
        if pod.pod.spec is not None and pod.pod.spec.preemptionPolicy == "Never":
            return "preemption: not eligible due to preemptionPolicy=Never."
        final = {name for rejection in rejections if rejection.final for name in rejection.nodes}
        counts = [
            (len(nodes) - len(final), "No preemption victims found for incoming pod"),
            (len(final), "Preemption is not helpful for scheduling"),
        ]
        text = ", ".join(sorted(f"{count} {reason}" for count, reason in counts if count))
        return f"preemption: 0/{len(nodes)} nodes are available: {text}."
