"""Containers that wait for their image: what is told of it, and when it pays to look again before the back-off ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from api.types import core_v1
from kubelet.lifecycle.upkeep import held_back
from kubelet.lifecycle.view import View

SayOf = Callable[[str, str, str, str], None]
"""Tells an event of a container: its name, type, reason, message."""


class ImageWaits:
    """One pod's. Each failed pull is followed by one pair of events, as its back-off is first told."""

    def __init__(self, say_of: SayOf) -> None:
        self._say_of = say_of
        self._told: dict[str, float] = {}

    def tell(self, view: View, now: float) -> None:
        held = held_back(view, now)
        for name, at in held.items():
            if self._told.get(name) != at:
                image = next(spec.image or "" for spec in containers(view.spec) if spec.name == name)
                self._say_of(name, "Normal", "BackOff", f'Back-off pulling image "{image}"')
                self._say_of(name, "Warning", "Failed", "Error: ImagePullBackOff")
        self._told = held


def containers(spec: core_v1.PodSpec) -> Iterator[core_v1.Container]:
    yield from spec.containers
    yield from spec.initContainers or ()


def with_other_image(before: core_v1.Pod, after: core_v1.Pod) -> list[str]:
    """The containers that want another image than before."""
    assert before.spec is not None
    assert after.spec is not None
    old = {each.name: each.image for each in containers(before.spec)}
    return [each.name for each in containers(after.spec) if each.name in old and old[each.name] != each.image]
