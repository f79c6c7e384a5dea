"""What a Deployment does next to its ReplicaSets.

Each plan is one step; the next one is made when its effect shows: while a ReplicaSet has yet to take note of its size,
nothing is moved, as neither limit could be kept for certain. A rolling update grows the new ReplicaSet as far as
`replicas + maxSurge` allows, then shrinks the old ones as far as `replicas - maxUnavailable` available pods allow,
first by pods that are not available anyway. Recreate lets every old pod end before the first new one is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api.types import apps_v1
from controllers import objects
from controllers.deployment import limits, revisions
from controllers.deployment.scaling import scale
from controllers.deployment.templates import new_replica_set
from controllers.deployment.view import View, available, existing, lasting, most, observed, size


@dataclass(frozen=True)
class Create:
    """Make the ReplicaSet of the present template."""

    replica_set: apps_v1.ReplicaSet


@dataclass(frozen=True)
class Change:
    """Give a ReplicaSet another size, other annotations, or both."""

    replica_set: apps_v1.ReplicaSet
    replicas: int
    annotations: dict[str, str]
    min_ready_seconds: int | None = None

    @property
    def scales(self) -> bool:
        return self.replicas != size(self.replica_set)

    @property
    def grows(self) -> bool:
        return self.replicas > size(self.replica_set)


@dataclass(frozen=True)
class Remove:
    """Delete a ReplicaSet that history no longer needs."""

    replica_set: apps_v1.ReplicaSet


Action = Create | Change | Remove


def decide(view: View) -> list[Action]:
    """The next step; nothing when all is as wanted, or only time or the pods can bring it further."""
    if objects.deleting(view.deployment):
        return []
    if only_sizes(view):
        step: list[Action] = [each for each in _sized(view, scale(view)) if view.settled or not each.grows]
        return _with_metadata(view, step) + (_surplus_history(view) if view.paused else [])
    step = _recreate(view) if limits.is_recreate(view.deployment) else _roll(view)
    step = _with_metadata(view, step)
    return step if step or not _complete(view) else _surplus_history(view)


def only_sizes(view: View) -> bool:
    """Whether this step changes sizes only: the rollout is paused, or each version gets its share of new `replicas`."""
    return view.paused or (view.was_scaled and any(_sized(view, scale(view))))


def _complete(view: View) -> bool:
    current = view.current
    return (
        current is not None
        and size(current) == existing(current) == available(current) == view.wanted
        and sum(existing(item) for item in view.old) == 0
    )


def _recreate(view: View) -> list[Action]:
    shrink: list[Action] = list(_sized(view, ((item, 0) for item in view.old if size(item) > 0)))
    if shrink or not view.settled or view.old_pods_remain or any(existing(item) for item in view.old):
        return shrink
    if view.current is None:
        return [_create(view, view.wanted)]
    return list(_sized(view, [(view.current, view.wanted)]))


def _roll(view: View) -> list[Action]:
    goal = _grown(view)
    if view.current is None:
        return [_create(view, goal)]
    if not view.settled:
        return []
    if goal != size(view.current):
        return list(_sized(view, [(view.current, goal)]))
    return list(_sized(view, _shrunk(view)))


def _grown(view: View) -> int:
    """The size for the current ReplicaSet now."""
    have = size(view.current) if view.current else 0
    if have >= view.wanted:
        return view.wanted
    if not view.settled:
        return have
    room = view.wanted + limits.max_surge(view.deployment) - sum(most(item) for item in view.all)
    return have + min(max(0, room), view.wanted - have)


def _shrunk(view: View) -> Iterator[tuple[apps_v1.ReplicaSet, int]]:
    """The old ReplicaSets that may shrink now, with the sizes to which."""
    needed = view.wanted - limits.max_unavailable(view.deployment)
    not_yet = size(view.current) - lasting(view.current) if view.current else 0
    sizes = {objects.uid(item): size(item) for item in view.old}
    room = view.total - needed - not_yet
    if room <= 0 or not any(sizes.values()):
        return
    for item in view.old:
        cut = min(room, size(item) - lasting(item))
        sizes[objects.uid(item)] -= cut
        room -= cut
    spare = sum(lasting(item) for item in view.all) - needed
    for item in view.old:
        cut = max(0, min(spare, sizes[objects.uid(item)]))
        sizes[objects.uid(item)] -= cut
        spare -= cut
    for item in view.old:
        if sizes[objects.uid(item)] != size(item):
            yield item, sizes[objects.uid(item)]


def _create(view: View, replicas: int) -> Create:
    annotations = revisions.initial(view.deployment, view.old)
    return Create(new_replica_set(view.deployment, replicas, annotations))


def _sized(view: View, sizes: Iterable[tuple[apps_v1.ReplicaSet, int]]) -> Iterator[Change]:
    """The changes that bring about these sizes, and what the annotations must say of them."""
    wanted = revisions.replica_annotations(view.deployment)
    for item, replicas in sizes:
        have = objects.annotations_of(item)
        lacking = {key: value for key, value in wanted.items() if have.get(key) != value}
        if replicas != size(item) or lacking:
            yield Change(item, replicas, lacking)


def _with_metadata(view: View, step: list[Action]) -> list[Action]:
    """The step, with what else the current ReplicaSet must take over from the Deployment put into the same write."""
    current = view.current
    if current is None or current.spec is None:
        return step
    annotations = revisions.changes(view.deployment, current, view.old)
    min_ready = (view.deployment.spec.minReadySeconds if view.deployment.spec else None) or 0
    waits = min_ready if min_ready != (current.spec.minReadySeconds or 0) else None
    if not annotations and waits is None:
        return step
    same = next((item for item in step if isinstance(item, Change) and item.replica_set is current), None)
    merged = Change(
        current,
        same.replicas if same else size(current),
        {**annotations, **(same.annotations if same else {})},
        waits,
    )
    return [merged, *(item for item in step if item is not same)]


def _surplus_history(view: View) -> list[Action]:
    """Old ReplicaSets beyond the history limit, the lowest revisions first; only such as have no pods left."""
    limit = limits.history_limit(view.deployment)
    if limit is None:
        return []
    staying = [item for item in view.old if not objects.deleting(item)]
    surplus = sorted(staying, key=revisions.revision)[: max(0, len(staying) - limit)]
    return [Remove(item) for item in surplus if _is_empty(item)]


def _is_empty(replica_set: apps_v1.ReplicaSet) -> bool:
    return size(replica_set) == 0 and existing(replica_set) == 0 and observed(replica_set)
