"""The mirror of Docker's containers that belong to this node, kept by events so that no decision needs a call.

Three sources feed it, in any order: the answers to the kubelet's own calls, Docker's event stream, and a full list
now and then. A container only moves forward (created, running, exited), and a start that is younger than the exit it
follows (somebody's `docker restart`) is believed; so late or doubled news change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from kubelet.runtime.container import NODE, Container, State

Listener = Callable[[str], None]


class Inventory:
    """Containers by id and by pod. `on_change(pod_uid)` is called after each change."""

    def __init__(self, node: str, on_change: Listener) -> None:
        self._node = node
        self._on_change = on_change
        self._containers: dict[str, Container] = {}
        self._by_pod: dict[str, dict[str, Container]] = {}

    def pod(self, uid: str) -> tuple[Container, ...]:
        """The pod's containers, sandbox included, oldest first."""
        found = self._by_pod.get(uid, {}).values()
        return tuple(sorted(found, key=lambda each: (each.created_at, each.attempt)))

    def pods(self) -> list[str]:
        return list(self._by_pod)

    def get(self, container_id: str) -> Container | None:
        return self._containers.get(container_id)

    def all(self) -> list[Container]:
        return list(self._containers.values())

    def put(self, container: Container) -> None:
        """Take what an answer of Docker says of a container of ours."""
        if container.labels.get(NODE) != self._node:
            return
        known = self._containers.get(container.id)
        merged = _merge(known, container) if known else container
        if merged == known:
            return
        self._containers[container.id] = merged
        self._by_pod.setdefault(container.pod_uid, {})[container.id] = merged
        self._on_change(container.pod_uid)

    def start_called(self, container_id: str, at: float) -> None:
        """Docker has answered a start call that was made at `at`. The container may have ended since: its end, told
        by an event that was faster than the answer, stands."""
        known = self._containers.get(container_id)
        if known is not None and known.state is State.CREATED:
            self._replace(known.running(at))

    def started(self, container_id: str, at: float) -> None:
        known = self._containers.get(container_id)
        if known is None or known.state is State.RUNNING:
            return
        if known.state is State.CREATED or at > known.finished_at:
            self._replace(known.running(at))

    def died(self, container_id: str, at: float, code: int) -> None:
        known = self._containers.get(container_id)
        if known is None or known.state is State.EXITED or at < known.started_at:
            return
        self._replace(known.exited(at, code))

    def out_of_memory(self, container_id: str) -> None:
        known = self._containers.get(container_id)
        if known is not None and not known.oom_killed:
            self._replace(replace(known, oom_killed=True))

    def annotate(self, container_id: str, message: str) -> None:
        """Keep the termination message that was read when the container ended."""
        known = self._containers.get(container_id)
        if known is not None:
            self._replace(replace(known, message=message))

    def removed(self, container_id: str) -> None:
        known = self._containers.pop(container_id, None)
        if known is None:
            return
        siblings = self._by_pod.get(known.pod_uid, {})
        siblings.pop(container_id, None)
        if not siblings:
            self._by_pod.pop(known.pod_uid, None)
        self._on_change(known.pod_uid)

    def keep_only(self, ids: Iterable[str], known_before: Iterable[str]) -> None:
        """Forget what a full list no longer shows. `known_before` is what was known as the list was asked for: a
        container made since then isn't missing, only younger than the list."""
        for gone in set(known_before) - set(ids):
            self.removed(gone)

    def apply(self, event: Mapping[str, Any]) -> str | None:
        """Apply one container event of Docker's stream. Returns the id of a container that should be inspected: one
        that just ended badly (was it out of memory?), or one of ours that isn't known yet."""
        actor = event.get("Actor") or {}
        container_id, attributes = actor.get("ID", ""), actor.get("Attributes") or {}
        if attributes.get(NODE) != self._node:
            return None
        at = event.get("timeNano", 0) / 1e9
        action = event.get("Action", "")
        if action == "destroy":
            self.removed(container_id)
            return None
        if container_id not in self._containers:
            # The answer to our own create call brings the record itself.
            return None if action == "create" else str(container_id)
        if action == "start":
            self.started(container_id, at)
        elif action == "oom":
            self.out_of_memory(container_id)
        elif action == "die":
            code = int(attributes.get("exitCode", 0))
            if code != 0 or at < self._containers[container_id].started_at:
                return str(container_id)  # the end of an earlier run, or the clock was set
            self.died(container_id, at, code)
        return None

    def _replace(self, container: Container) -> None:
        self._containers[container.id] = container
        self._by_pod[container.pod_uid][container.id] = container
        self._on_change(container.pod_uid)


def _merge(known: Container, news: Container) -> Container:
    """The later state wins; what the news doesn't tell (a list knows no exit code) is kept."""
    restarted = news.state is State.RUNNING and news.started_at > known.finished_at > 0
    if news.state < known.state and not restarted:
        return known
    return replace(
        news,
        image=known.image or news.image,
        created_at=known.created_at or news.created_at,
        started_at=news.started_at or known.started_at,
        finished_at=news.finished_at or (0.0 if restarted else known.finished_at),
        oom_killed=news.oom_killed or (known.oom_killed and not restarted),
        message=news.message or ("" if restarted else known.message),
    )
