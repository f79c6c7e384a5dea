"""The end of running containers, step by step: the preStop hook, the signal, SIGKILL.

All of a pod's containers begin to end at once, but the sidecars get their signal only when what leans on them has
ended: the main containers, and the sidecars that started after them. Whoever waits, waits within the one grace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kubelet.lifecycle.actions import Action, Kill, Signal, Stop, Wait
from kubelet.lifecycle.view import View
from kubelet.runtime.container import Container

KILL_AGAIN = 10.0
"""Seconds after which SIGKILL is sent anew to what still runs."""
STOPPING = "Stopping container {name}"


def stop_all(view: View, now: float) -> Action | None:
    """The next step to the end of all that runs; None when nothing does."""
    if not view.running:
        return None
    return stop(view, view.running, now, view.grace, STOPPING, waiting=_must_wait(view))


def stop(
    view: View, running: Iterable[Container], now: float, grace: float, why: str, waiting: Collection[str] = ()
) -> Action:
    """The next step to the end of these containers. Those of the names in `waiting` get no signal yet.

    A grace that is shorter than the one they were given begins anew, as a second deletion's does.
    """
    running = list(running)
    unasked = [each.id for each in running if each.id not in view.stops or grace < view.stops[each.id].grace]
    if unasked:
        return Stop(tuple(unasked), grace, why)
    signals, kills, times = [], [], []
    for each in running:
        begun = view.stops[each.id]
        if begun.signalled_at is None:
            if begun.over_at <= now or (begun.hooked and each.name not in waiting):
                signals.append(each.id)
            times.append(begun.over_at)
        else:
            due = begun.kill_at if begun.killed_at is None else begun.killed_at + KILL_AGAIN
            if due <= now:
                kills.append(each.id)
            times.append(due)
    if signals:
        return Signal(tuple(signals))
    return Kill(tuple(kills)) if kills else Wait(min(times, default=None))


def _must_wait(view: View) -> set[str]:
    """The sidecars whose turn to end has not come."""
    running = {each.name for each in view.running}
    waiting: set[str] = set()
    lean = any(each.name in running for each in view.spec.containers)
    for name in reversed(view.sidecars):
        if lean:
            waiting.add(name)
        lean = lean or name in running
    return waiting
