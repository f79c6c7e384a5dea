"""A rolling update keeps to both of its limits, from any state and in any order of events, and always ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from controllers.deployment.view import size
from tests.unit.controllers import make
from tests.unit.controllers.world import World

amounts = st.one_of(st.integers(0, 6), st.integers(0, 100).map(lambda share: f"{share}%"))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any Deployment, with any ReplicaSets in any condition; annotations as the last sizing left them."""
    replicas = draw(st.integers(0, 12))
    surge, unavailable = draw(amounts), draw(amounts)
    world = World(make.deployment(replicas=replicas, image="app:9", surge=surge, unavailable=unavailable))
    images = draw(st.lists(st.sampled_from(["app:1", "app:2", "app:3", "app:9"]), unique=True, max_size=4))
    for image in images:
        asked = draw(st.integers(0, 14))
        ready, unready = draw(st.integers(0, 14)), draw(st.integers(0, 6))
        world.add_set(image, asked, ready, unready, desired_replicas=str(replicas), max_replicas=str(world.most))
    return world


_GOOD = ("roll", "roll", "roll", "fill", "fill", "observe", "ready", "ready")
_KINDS = (*_GOOD, "fail")


@st.composite
def events(draw: st.DrawFn, kinds: tuple[str, ...] = _KINDS) -> list[tuple[str, int]]:
    """Long runs of events in any order; drawn by a seed, as a list of draws would mostly be short."""
    chance = draw(st.randoms(use_true_random=False))
    return [(chance.choice(kinds), chance.randrange(50)) for _ in range(draw(st.integers(0, 80)))]


def happen(world: World, kind: str, number: int) -> None:
    names = sorted(world.sets)
    match kind:
        case "roll":
            world.roll()
        case "fill" if names:
            world.fill(names[number % len(names)])
        case "observe" if names:
            world.observe(names[number % len(names)])
        case "ready":
            world.become_ready(number)
        case "fail":
            world.fail(number)


@settings(max_examples=200, deadline=None)
@given(worlds(), events(_GOOD))
def test_neither_limit_is_passed_by_what_the_controllers_do(world: World, steps: list[tuple[str, int]]) -> None:
    # Pods that the ReplicaSets of an arbitrary state still owe or have too many are not the rollout's doing.
    for name in list(world.sets):
        world.fill(name)
    for kind, number in [("observe", index) for index in range(len(world.sets))] + steps:
        total, staying = world.total, world.staying
        happen(world, kind, number)
        assert world.total <= max(total, world.most), f"{total} → {world.total} pods, at most {world.most}"
        least = min(staying, world.least)
        assert world.staying >= least, f"{staying} → {world.staying} available, at least {least}"


def settle(world: World, rounds: int = 400) -> int:
    """Let everything happen, in turn, until nothing does any more."""
    for turn in range(rounds):
        moved = world.roll()
        for name in sorted(world.sets):
            moved = world.fill(name) or moved
        moved = world.become_ready() or moved
        if not moved:
            return turn
    raise AssertionError("the rollout does not end:\n" + "\n".join(world.log[-20:]))


@settings(max_examples=120, deadline=None)
@given(worlds(), events())
def test_it_always_ends(world: World, steps: list[tuple[str, int]]) -> None:
    for kind, number in steps:
        happen(world, kind, number)
    settle(world)
    assert world.deployment.spec is not None
    assert {name: size(each) for name, each in world.sets.items() if size(each)} == (
        {"web-9": world.deployment.spec.replicas} if world.deployment.spec.replicas else {}
    )
    assert world.available == world.total == world.deployment.spec.replicas


@settings(max_examples=80, deadline=None)
@given(worlds(), st.integers(0, 12), events())
def test_scaling_in_the_midst_of_it_ends_too(world: World, replicas: int, steps: list[tuple[str, int]]) -> None:
    half = len(steps) // 2
    for kind, number in steps[:half]:
        happen(world, kind, number)
    world.change(replicas=replicas)
    for kind, number in steps[half:]:
        happen(world, kind, number)
    settle(world)
    assert world.available == world.total == replicas


@settings(max_examples=60, deadline=None)
@given(worlds(), events())
def test_recreate_never_mixes_versions(world: World, steps: list[tuple[str, int]]) -> None:
    assert world.deployment.spec is not None
    strategy = make.deployment(recreate=True).spec
    assert strategy is not None
    world.change(strategy=strategy.strategy)
    for name in list(world.sets):
        world.fill(name)
    for kind, number in steps:
        new_before = len(world.of("web-9"))
        happen(world, kind, number)
        old = [each for each in world.pods if each.owner != "web-9"]
        assert not (old and len(world.of("web-9")) > max(new_before, size_of(world, "web-9")))
    settle(world)
    assert world.available == world.total == world.deployment.spec.replicas


def size_of(world: World, name: str) -> int:
    return size(world.sets[name]) if name in world.sets else 0
