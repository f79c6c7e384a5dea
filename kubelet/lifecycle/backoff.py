"""How long a container that has ended waits before it runs again: 10 s doubling to 5 min, forgotten after 10 min of
running.

The rule is Kubernetes': the first restart is immediate, and each later one waits, counted from when the container
ended. What the next wait would be is written on each container as it is made, so it outlives the kubelet.
"""

from __future__ import annotations

from kubelet.runtime.container import Container

INITIAL = 10.0
LONGEST = 300.0
FORGET_AFTER = 600.0


def ready_at(ended: Container, now: float) -> float:
    """When the container that follows this one may start. One that ended in the future did so before the clock was
    set: how long ago nobody knows, so it waits no more."""
    if _forgotten(ended) or ended.finished_at > now + 1.0:
        return min(ended.finished_at, now)
    return ended.finished_at + ended.backoff


def following(ended: Container, longest: float = LONGEST) -> float:
    """The wait to write on the container that follows this one."""
    if _forgotten(ended) or not ended.backoff:
        return min(INITIAL, longest)
    return min(ended.backoff * 2, longest)


def _forgotten(ended: Container) -> bool:
    return ended.finished_at - ended.started_at > FORGET_AFTER
