"""Nodes that run short, as golden transcripts: what is left over time, and what the kubelet makes of it; and the rules
that such a story would be too long for.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.quantity import value
from api.types import core_v1
from kubelet.cgroups.pods import PodCgroups, Rules
from kubelet.cgroups.tree import Tree
from kubelet.eviction import admit, preempt, storage, thresholds
from kubelet.eviction.decide import History, Observation, Settings, look, relieved, to_free, victim
from kubelet.eviction.manager import Evictions, Hands
from kubelet.eviction.measure import Meter
from kubelet.eviction.reclaim import dead
from kubelet.eviction.signals import Place, observe
from kubelet.eviction.use import ContainerUse, PodUse, ranked
from kubelet.runtime.container import CONTAINER_NAME, Container, State
from kubelet.runtime.engine import Engine
from kubelet.stats.file_system import Taken
from tests.unit.kubelet.golden import check

FOLDER = Path(__file__).parent / "evictions"


def pod(name: str, **spec: Any) -> core_v1.Pod:
    spec.setdefault("containers", [{"name": "main"}])
    return msgspec.convert({"metadata": {"name": name, "namespace": "default", "uid": name}, "spec": spec}, core_v1.Pod)


def asking(name: str, kind: str = "requests", **amounts: str) -> core_v1.Pod:
    return pod(name, containers=[{"name": "main", "resources": {kind: amounts}}])


def use(given: dict[str, Any]) -> PodUse:
    asked = {"resources": {"requests": given["asks"]}} if "asks" in given else {}
    made = pod(given["name"], priority=given.get("priority", 0), containers=[{"name": "main", **asked}])
    memory, disk = value(given.get("memory", "0")), Taken(value(given.get("disk", "0")), given.get("inodes", 0))
    return PodUse(made, memory, given.get("pids", 0), {"main": ContainerUse(memory, disk)})


def play(story: dict[str, Any]) -> str:
    """Each entry of the script is a time and what is left then: `[10, {memory.available: 50Mi}]`."""
    flags = story.get("flags", {})
    names = ("eviction-hard", "eviction-soft", "eviction-soft-grace-period", "eviction-minimum-reclaim")
    settings = Settings(
        thresholds.read(*(flags.get(name, ()) for name in names), enforce_pods=False),
        float(flags.get("eviction-pressure-transition-period", 300)),
        float(flags.get("eviction-max-pod-grace-period", 0)),
    )
    history, pods, lines = History(), [use(each) for each in story["pods"]], []
    conditions: frozenset[str] = frozenset()
    for at, left in story["script"]:
        seen = {name: Observation(value(text), value(story["capacity"][name])) for name, text in left.items()}
        found = look(seen, settings, history, float(at))
        history = found.history
        if found.conditions != conditions:
            conditions = found.conditions
            lines.append(f"{at:>4}  conditions: {', '.join(sorted(conditions)) or 'none'}")
        if found.short is None:
            continue
        step = victim(found.short, pods, seen, settings)
        if step is None:
            lines.append(f"{at:>4}  {found.short.signal}: nobody may be evicted")
            continue
        pods = [each for each in pods if each is not step.use]
        lines.append(f"{at:>4}  evict {step.use.pod.metadata.name}, {step.grace:g} s")  # type: ignore[union-attr]
        lines.append(f"      {step.message.strip()}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    check(path, play)


def test_the_thresholds_of_the_flags() -> None:
    found = thresholds.read(
        ["memory.available<100Mi", "nodefs.available<10%", "imagefs.available<0%"],
        ["memory.available<1Gi"],
        ["memory.available=1m30s"],
        ["nodefs.available=1Gi"],
    )
    assert [(each.signal, each.value.text, each.grace, each.hard) for each in found] == [
        ("memory.available", "100Mi", 0, True),
        ("nodefs.available", "10%", 0, True),
        ("memory.available", "1Gi", 90, False),
        ("allocatableMemory.available", "100Mi", 0, True),
    ]
    disk = found[1]
    assert disk.value.of(1000) == Fraction(100)
    assert disk.crossed(99, 1000)
    assert not disk.crossed(100, 1000)
    assert disk.crossed(2**30, 1000, reclaiming=True)
    assert to_free(disk, {"nodefs.available": Observation(40, 1000)}) == 2**30 + 61
    assert relieved({"nodefs.available": Observation(2**31, 1000)}, Settings([disk]))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((["memory.free<1"],), "unsupported eviction signal memory.free"),
        ((["memory.available"],), "invalid eviction threshold"),
        ((["memory.available<-1"],), "must be positive"),
        ((["nodefs.available<120%"],), "must be >= 0% and <= 100%"),
        ((["nodefs.available<x%"],), "Invalid literal"),
        (([], ["memory.available<1Gi"]), "grace period must be specified for the soft eviction threshold"),
        (([], ["memory.available<1Gi"], ["memory.available=-1s"]), "must be a positive value"),
    ],
)
def test_thresholds_that_make_no_sense(flags: tuple[Iterable[str], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        thresholds.read(*flags)


def test_the_rank_of_pods() -> None:
    modest = use({"name": "modest", "asks": {"memory": "100Mi"}, "memory": "50Mi"})
    greedy = use({"name": "greedy", "asks": {"memory": "10Mi"}, "memory": "50Mi"})
    hungry = use({"name": "hungry", "memory": "60Mi"})
    prior = use({"name": "prior", "memory": "900Mi", "priority": 10})
    unknown = PodUse(pod("unknown"), known=False)
    order = ranked([modest, greedy, prior, hungry, unknown], "memory")
    assert order == [unknown, hungry, greedy, prior, modest]
    many, few = use({"name": "many", "pids": 50}), use({"name": "few", "pids": 5})
    assert ranked([few, many], "pids") == [many, few]
    wide, tall = use({"name": "wide", "inodes": 90}), use({"name": "tall", "disk": "1Gi"})
    assert ranked([tall, wide], "inodes") == [wide, tall]
    assert ranked([wide, tall], "ephemeral-storage") == [tall, wide]


def test_too_much_disk() -> None:
    limited = asking("a", "limits", **{"ephemeral-storage": "1Mi"})
    assert storage.is_limited(limited)
    assert not storage.is_limited(pod("b"))
    over = storage.overrun(PodUse(limited, containers={"main": ContainerUse(0, Taken(2 << 20, 1))}))
    assert over is not None
    assert over.message == "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "
    two = pod(
        "two",
        containers=[
            {"name": name, "resources": {"limits": {"ephemeral-storage": size}}}
            for name, size in (("main", "1Mi"), ("more", "1Gi"))
        ],
    )
    over = storage.overrun(PodUse(two, containers={"main": ContainerUse(0, Taken(1 << 20, 1), Taken(1, 1))}))
    assert over is not None
    assert over.message == 'Container main exceeded its local ephemeral storage limit "1Mi". '
    assert not over.disruption
    sized = pod("sized", volumes=[{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}])
    over = storage.overrun(PodUse(sized, volumes={"data": Taken(2 << 20, 1)}))
    assert over is not None
    assert over.message == 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". '
    assert storage.overrun(PodUse(sized, volumes={"data": Taken(1 << 20, 1)})) is None


def test_admission_under_pressure() -> None:
    memory = {"MemoryPressure"}
    refused = admit.under_pressure(pod("a"), memory)
    assert refused is not None
    assert (refused.reason, refused.message) == ("Evicted", "The node had condition: [MemoryPressure]. ")
    assert admit.under_pressure(asking("a", cpu="1"), memory) is None
    assert admit.under_pressure(asking("a", cpu="1"), {"DiskPressure"}) is not None
    assert admit.under_pressure(pod("a", priority=2_000_000_000), {"DiskPressure"}) is None
    assert admit.under_pressure(pod("a"), ()) is None
    tolerant = pod("a", tolerations=[{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}])
    assert admit.under_pressure(tolerant, memory) is None


def test_admission_by_size() -> None:
    node = {"cpu": 1000, "memory": 1 << 30, "pods": 2}
    assert admit.fits(asking("a", cpu="600m"), [], node) is None
    refused = admit.fits(asking("a", cpu="600m"), [asking("b", cpu="500m")], node)
    assert refused is not None
    assert refused.reason == "OutOfcpu"
    said = "Node didn't have enough resource: cpu, requested: 600, used: 500, capacity: 1000"
    assert refused.message == said
    refused = admit.fits(pod("c"), [pod("a"), pod("b")], node)
    assert refused is not None
    assert (refused.reason, refused.message[-36:]) == ("OutOfpods", "pods, requested: 1, used: 2, capacity: 2"[-36:])
    refused = admit.fits(asking("a", **{"example.com/gpu": "1"}), [], node)
    assert refused is not None
    assert refused.reason == "OutOfexample.com/gpu"


def test_room_for_a_critical_pod() -> None:
    node = {"cpu": 1000, "memory": 1 << 30, "pods": 3}

    def critical(name: str, **amounts: str) -> core_v1.Pod:
        made = asking(name, **amounts)
        assert made.spec is not None
        made.spec.priority = 2_000_000_000
        return made

    low, high, free = asking("low", cpu="300m"), asking("high", cpu="500m"), pod("free")
    assert high.spec is not None
    high.spec.priority = 100
    assert preempt.victims(asking("plain", cpu="600m"), [low, high], node) == []
    assert preempt.victims(critical("system", cpu="600m"), [low, high], node) == [high]
    assert preempt.victims(critical("one"), [low, free, high], node) == [free]
    assert preempt.victims(critical("large", cpu="2"), [low, high], node) == []


def test_what_this_machine_has_left(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "sys/kernel").mkdir(parents=True)
    (proc / "sys/kernel/pid_max").write_text("32768\n")
    (proc / "sys/kernel/threads-max").write_text("100000\n")
    (proc / "loadavg").write_text("0.00 0.01 0.05 1/768 12345\n")
    memory = tmp_path / "memory"
    for folder, usage, limit in ((memory, 700, 1 << 63), (memory / "kubepods", 200, 500)):
        folder.mkdir(parents=True)
        (folder / "memory.usage_in_bytes").write_text(str(usage))
        (folder / "memory.stat").write_text("total_inactive_file 100\n")
        (folder / "memory.limit_in_bytes").write_text(str(limit))
    place = Place(Tree.of("cgroupfs", tmp_path), tmp_path, tmp_path / "gone", "kubepods", 1000)
    found = observe(place, proc)
    assert found["pid.available"] == Observation(32000, 32768)
    assert found["memory.available"] == Observation(400, 1000)
    assert found["allocatableMemory.available"] == Observation(400, 500)
    assert found["nodefs.available"].capacity > 0
    assert "imagefs.available" not in found


class Worker:
    """A pod's worker, as far as evictions know it."""

    def __init__(self, of: core_v1.Pod, phase: str = "Running") -> None:
        self.pod, self.uid = of, str(of.metadata.uid if of.metadata else "")
        self.status = core_v1.PodStatus(phase=phase)
        self.cleaned = True
        self.ended: list[tuple[str, float | None, bool]] = []

    def containers(self) -> tuple[Container, ...]:
        return ()

    def evict(self, reason: str, message: str, grace: float | None = None, *, disruption: bool = False) -> None:
        assert reason == "Evicted"
        self.ended.append((message, grace, disruption))
        self.status = core_v1.PodStatus(phase="Failed")


def test_which_containers_are_only_kept_for_their_logs() -> None:
    class Some(Worker):
        def __init__(self, phase: str, *containers: Container) -> None:
            super().__init__(pod("a"), phase)
            self._containers = containers

        def containers(self) -> tuple[Container, ...]:
            return self._containers

    def made(container_id: str, name: str, state: State = State.EXITED) -> Container:
        return Container(container_id, {CONTAINER_NAME: name}, state)

    crashing = Some("Running", made("1", "main"), made("2", "main"))
    running = Some("Running", made("3", "main"), made("4", "main", State.RUNNING), made("5", "init"))
    over = Some("Succeeded", made("6", "main"))
    assert [each.id for each in dead([crashing, running, over])] == ["1", "3", "6"]


async def test_the_manager_ends_one_pod_at_a_look(tmp_path: Path) -> None:
    tree = Tree.of("cgroupfs", tmp_path)
    for name, usage in (("small", 10 << 20), ("large", 20 << 20)):
        folder = tmp_path / "memory/kubepods/besteffort" / f"pod{name}"
        folder.mkdir(parents=True)
        (folder / "memory.usage_in_bytes").write_text(str(usage))
        (folder / "memory.stat").write_text("total_inactive_file 0\n")
    small, large, over = Worker(pod("small")), Worker(pod("large")), Worker(pod("over"), "Succeeded")
    left, said = [Observation(1, 100)], list[str]()

    async def reclaim(wanted: int) -> None:
        said.append(f"free {wanted}")

    hands = Hands(
        targets=lambda: [small, large, over],
        reclaim=reclaim,
        warn=lambda reason, message: said.append(f"{reason} {message}"),
        changed=lambda: said.append("changed"),
        say=lambda of, message: said.append(f"evicted {of.metadata.name if of.metadata else ''}"),
    )
    meter = Meter(Engine("unix:///none"), PodCgroups(tree, Rules()), tmp_path, tmp_path)
    settings = Settings(thresholds.read(["memory.available<10"], enforce_pods=False), transition_period=60)
    evictions = Evictions(settings, lambda: {"memory.available": left[-1]}, meter, hands)
    assert await evictions.once(0) is large
    assert large.ended[0][1:] == (1.0, True)
    assert evictions.conditions == {"MemoryPressure"}
    assert said == ["changed", "EvictionThresholdMet Attempting to reclaim memory", "evicted large"]
    assert await evictions.once(10) is small
    assert await evictions.once(20) is None
    left.append(Observation(50, 100))
    await evictions.once(79)
    assert evictions.conditions == {"MemoryPressure"}
    await evictions.once(80)
    assert not evictions.conditions


async def test_freeing_what_nobody_uses_may_be_enough(tmp_path: Path) -> None:
    left, freed = [Observation(5, 100)], list[int]()
    worker = Worker(pod("a"))

    async def reclaim(wanted: int) -> None:
        freed.append(wanted)
        left.append(Observation(20, 100))

    hands = Hands(lambda: [worker], reclaim, lambda reason, message: None, lambda: None, lambda of, message: None)
    meter = Meter(Engine("unix:///none"), PodCgroups(Tree.of("cgroupfs", tmp_path), Rules()), tmp_path, tmp_path)
    settings = Settings(thresholds.read(["nodefs.available<10%"]))
    evictions = Evictions(settings, lambda: {"nodefs.available": left[-1]}, meter, hands)
    assert await evictions.once(0) is None
    assert (freed, worker.ended) == ([6], [])


async def test_a_pod_with_too_large_a_volume_ends(tmp_path: Path) -> None:
    worker = Worker(pod("a", volumes=[{"name": "data", "emptyDir": {"sizeLimit": "1Ki"}}]))
    folder = tmp_path / "pods/a/volumes/kubernetes.io~empty-dir/data"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x" * 20_000)

    async def reclaim(wanted: int) -> None:
        raise AssertionError("nothing runs short")

    hands = Hands(lambda: [worker], reclaim, lambda reason, message: None, lambda: None, lambda of, message: None)
    cgroups = tmp_path / "cgroups"
    memory = cgroups / "memory/kubepods/besteffort/poda"
    memory.mkdir(parents=True)
    (memory / "memory.usage_in_bytes").write_text("1")
    (memory / "memory.stat").write_text("")
    meter = Meter(Engine("unix:///none"), PodCgroups(Tree.of("cgroupfs", cgroups), Rules()), tmp_path, tmp_path)
    evictions = Evictions(Settings(), dict, meter, hands)
    assert await evictions.once(0) is worker
    assert worker.ended == [('Usage of EmptyDir volume "data" exceeds the limit "1Ki". ', 1.0, False)]
