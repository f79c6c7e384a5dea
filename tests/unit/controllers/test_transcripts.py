"""Rollouts as a reader can follow them, step by step, beside this file in `golden/`.

Set PYTHEAS_WRITE_GOLDEN=1 to write them anew after a wanted change, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from controllers.deployment.view import size
from tests.unit.controllers import make
from tests.unit.controllers.world import World

GOLDEN = Path(__file__).parent / "golden"


class Transcript:
    """Plays a world and writes down what happens, a line a step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(f"-- {text}")

    def play(self, ready: Callable[[str], bool] = lambda owner: True, steps: int = 60) -> None:
        """Until nothing moves. One pod at a time becomes ready, of a version that can."""
        for _ in range(steps):
            seen = len(self.world.log)
            moved = self.world.roll()
            did = self.world.log[seen:]
            for name in sorted(self.world.sets):
                moved = self.world.fill(name) or moved
            for name in sorted(self.world.sets):
                self.world.observe(name)
            if did:
                self._line(", ".join(did))
            elif not moved and not self._next_ready(ready):
                self._line("at rest")
                return
        raise AssertionError("it does not end:\n" + "\n".join(self.lines))

    def _next_ready(self, can: Callable[[str], bool]) -> bool:
        waiting = [each for each in self.world.pods if not each.ready]
        index = next((number for number, each in enumerate(waiting) if can(each.owner)), None)
        if index is None:
            return False
        owner = waiting[index].owner
        self.world.become_ready(index)
        self._line(f"a pod of {owner} is ready")
        return True

    def _line(self, text: str) -> None:
        world = self.world
        parts = []
        for name in sorted(world.sets):
            there = world.of(name)
            parts.append(f"{name} {sum(each.ready for each in there)}/{len(there)} of {size(world.sets[name])}")
        self.lines.append(f"{text:<44} | {' | '.join(parts):<40} | {world.available} of {world.total} pods ready")


def started(replicas: int, **strategy: object) -> Transcript:
    """A world with version 1 rolled out."""
    world = World(make.deployment(replicas=replicas, **strategy))  # type: ignore[arg-type]
    Transcript(world).play()
    world.log.clear()
    return Transcript(world)


def first_rollout() -> Transcript:
    script = Transcript(World(make.deployment(replicas=3)))
    script.play()
    return script


def quarter_by_quarter() -> Transcript:
    script = started(10)
    script.world.set_image("app:2")
    script.play()
    return script


def one_more_never_one_less() -> Transcript:
    script = started(3, surge=1, unavailable=0)
    script.world.set_image("app:2")
    script.play()
    return script


def one_less_never_one_more() -> Transcript:
    script = started(3, surge=0, unavailable=1)
    script.world.set_image("app:2")
    script.play()
    return script


def broken_version_is_undone() -> Transcript:
    script = started(4, surge=1, unavailable=1)
    script.say("set image app:2, which never becomes ready")
    script.world.set_image("app:2")
    script.play(lambda owner: owner != "web-2")
    script.say("undo")
    script.world.set_image("app:1")
    script.play()
    return script


def third_version_overtakes_the_second() -> Transcript:
    script = started(4, surge=2, unavailable=1)
    script.say("set image app:2, which never becomes ready")
    script.world.set_image("app:2")
    script.play(lambda owner: owner != "web-2")
    script.say("set image app:3")
    script.world.set_image("app:3")
    script.play(lambda owner: owner != "web-2")
    return script


def recreate() -> Transcript:
    script = started(3, recreate=True)
    script.world.set_image("app:2")
    script.play()
    return script


def scaled_in_the_midst() -> Transcript:
    script = started(10, surge=3, unavailable=2)
    script.say("set image app:2, which does not become ready yet")
    script.world.set_image("app:2")
    script.play(lambda owner: owner != "web-2")
    script.say("scale to 15")
    script.world.change(replicas=15)
    script.play(lambda owner: owner != "web-2")
    script.say("app:2 becomes ready after all")
    script.play()
    return script


def paused_and_resumed() -> Transcript:
    script = started(3)
    script.say("pause, set image app:2")
    script.world.change(paused=True)
    script.world.set_image("app:2")
    script.play()
    script.say("scale to 5")
    script.world.change(replicas=5)
    script.play()
    script.say("resume")
    script.world.change(paused=False)
    script.play()
    return script


def history_is_kept_short() -> Transcript:
    script = started(2, revisionHistoryLimit=1)
    for image in ("app:2", "app:3", "app:4"):
        script.say(f"set image {image}")
        script.world.set_image(image)
        script.play()
    return script


SCRIPTS = (
    first_rollout,
    quarter_by_quarter,
    one_more_never_one_less,
    one_less_never_one_more,
    broken_version_is_undone,
    third_version_overtakes_the_second,
    recreate,
    scaled_in_the_midst,
    paused_and_resumed,
    history_is_kept_short,
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_rollout(script: Callable[[], Transcript]) -> None:
    path = GOLDEN / f"{script.__name__}.txt"
    text = "\n".join(line.rstrip() for line in script().lines) + "\n"
    if os.environ.get("PYTHEAS_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
