"""Tells, once for each container that has ended, that its next start has to wait."""

from __future__ import annotations

from kubelet.lifecycle.restart import restart_at, wanted
from kubelet.lifecycle.view import View
from kubelet.runtime.container import State
from kubelet.worker.steps import Steps


class RestartWaits:
    """One pod's."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._told: frozenset[str] = frozenset()

    def tell(self, view: View, now: float) -> None:
        metadata = view.pod.metadata
        assert metadata is not None
        held = set()
        for spec in [*view.init_containers, *view.spec.containers]:
            newest = view.newest(spec.name)
            if newest is None or newest.state is not State.EXITED:
                continue
            if wanted(view, spec) and restart_at(view, newest, now) > now:
                held.add(newest.id)
                if newest.id not in self._told:
                    where = f"{metadata.name}_{metadata.namespace}({metadata.uid})"
                    message = f"Back-off restarting failed container {spec.name} in pod {where}"
                    self._steps.say_of(spec.name, "Warning", "BackOff", message)
        self._told = frozenset(held)
