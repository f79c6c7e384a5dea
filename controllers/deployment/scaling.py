"""A changed `replicas` in the midst of a rollout, or while paused: every version keeps its share."""

from __future__ import annotations

from collections.abc import Iterator

from api.types import apps_v1
from controllers.deployment import limits, revisions
from controllers.deployment.view import View, age_order, available, size


def scale(view: View) -> Iterator[tuple[apps_v1.ReplicaSet, int]]:
    """The ReplicaSets and the sizes they should have now. Those that stay as they are may be among them."""
    only = _sole(view)
    if only is not None:
        yield only, view.wanted
    elif _saturated(view):
        for item in view.old:
            if size(item) > 0:
                yield item, 0
    elif not limits.is_recreate(view.deployment):
        yield from _shares(view)


def _sole(view: View) -> apps_v1.ReplicaSet | None:
    """The one ReplicaSet that has any size; the current, else the newest, if none has."""
    active = [item for item in view.all if size(item) > 0]
    if len(active) == 1:
        return active[0]
    if active:
        return None
    return view.current or (view.old[-1] if view.old else None)


def _saturated(view: View) -> bool:
    current = view.current
    return (
        current is not None
        and size(current) == view.wanted
        and available(current) == view.wanted
        and revisions.number(current, revisions.DESIRED) == view.wanted
    )


def _shares(view: View) -> Iterator[tuple[apps_v1.ReplicaSet, int]]:
    """Spread what the scaling adds or takes in proportion to the ReplicaSets' sizes; the largest gets the rest."""
    active = [item for item in view.all if size(item) > 0]
    limit = view.wanted + limits.max_surge(view.deployment) if view.wanted else 0
    change = limit - sum(size(item) for item in active)
    newest_first = sorted(active, key=age_order, reverse=change > 0)
    by_size = sorted(newest_first, key=size, reverse=True)
    added, sizes = 0, []
    for item in by_size:
        share = _share(view, item, change, added)
        added += share
        sizes.append(size(item) + share)
    if sizes:
        sizes[0] = max(0, sizes[0] + change - added)
    yield from zip(by_size, sizes, strict=True)


def _share(view: View, item: apps_v1.ReplicaSet, change: int, added: int) -> int:
    left = change - added
    if left == 0:
        return 0
    wish = _fraction(view, item)
    return min(wish, left) if change > 0 else max(wish, left)


def _fraction(view: View, item: apps_v1.ReplicaSet) -> int:
    """How much it would grow or shrink, were it to keep its share of the whole exactly."""
    if view.wanted == 0:
        return -size(item)
    status = view.deployment.status
    before = revisions.number(item, revisions.MAXIMUM) or (status.replicas if status else None) or 0
    if before == 0:
        return 0
    after = view.wanted + limits.max_surge(view.deployment)
    return round_half_away(size(item) * after, before) - size(item)


def round_half_away(dividend: int, divisor: int) -> int:
    """The quotient to the nearest integer, halves away from zero; exact, both positive."""
    return (2 * dividend + divisor) // (2 * divisor)
