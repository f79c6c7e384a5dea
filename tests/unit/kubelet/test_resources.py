"""What a node has and may give, what a pod's cgroup gets, and resizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import core_v1
from daemon.fatal import Fatal
from kubelet.cgroups.limits import Limits, properties, settings, weight
from kubelet.cgroups.pods import PodCgroups, Rules, node_limits, page, pod_limits, tier_shares
from kubelet.cgroups.tree import Tree
from kubelet.eviction import admit, thresholds
from kubelet.lifecycle import resize
from kubelet.lifecycle.status import pod_status
from kubelet.lifecycle.view import View
from kubelet.node import allocatable
from kubelet.node.machine import Machine
from kubelet.node.resources import NodeResources
from kubelet.options import Options
from kubelet.pod.resources import BURSTABLE, GUARANTEED, pod_amounts, qos_class
from kubelet.runtime.engine import Engine

MACHINE = Machine(2, 8 << 30, 100 << 30, "m", "s", "b", "6.1", "Debian", "amd64")


def pod(*containers: dict[str, Any], uid: str = "u1", **spec: Any) -> core_v1.Pod:
    named = [{"name": f"c{number}", **each} for number, each in enumerate(containers)]
    given_spec = {"containers": named, **spec}
    return msgspec.convert({"metadata": {"name": "web", "uid": uid, "generation": 3}, "spec": given_spec}, core_v1.Pod)


def has(kind: str = "requests", **amounts: str) -> dict[str, Any]:
    return {"resources": {kind: amounts}}


def spec(*containers: dict[str, Any], **more: Any) -> core_v1.PodSpec:
    made = pod(*containers, **more).spec
    assert made is not None
    return made


# -- the node


def test_what_is_allocatable() -> None:
    held = allocatable.reserved(["cpu=100m", "memory=1Gi"], ["cpu=200m", "ephemeral-storage=1Gi", "pid=1000"])
    lines = thresholds.read(["memory.available<1Gi", "nodefs.available<10%"])
    share = allocatable.share(MACHINE, 110, held, lines, {"hugepages-2Mi": 1 << 30})
    assert allocatable.written(share.capacity) == {
        "cpu": "2",
        "memory": "8Gi",
        "ephemeral-storage": "100Gi",
        "pods": "110",
        "hugepages-2Mi": "1Gi",
    }
    assert allocatable.written(share.allocatable) == {
        "cpu": "1700m",
        "memory": "5Gi",
        "ephemeral-storage": "89Gi",
        "pods": "110",
        "hugepages-2Mi": "1Gi",
    }
    assert node_limits(share.pods, Rules()) == Limits(cpu_shares=1740, memory=7 << 30, pids=1000)
    assert node_limits(share.pods, Rules(enforce=False)).memory == 0


def test_reservations_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match='cannot reserve "pods" resource'):
        allocatable.reserved(["pods=3"])
    with pytest.raises(ValueError, match="cannot be negative"):
        allocatable.reserved(["cpu=-1"])


def test_huge_pages_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "hugepages-2048kB").mkdir()
    (tmp_path / "hugepages-2048kB" / "nr_hugepages").write_text("3\n")
    assert allocatable.huge_pages(tmp_path) == {"hugepages-2Mi": 6 << 20}
    assert allocatable.huge_pages(tmp_path / "none") == {}
    assert allocatable.pod_count(110, 10, 2) == 20
    assert allocatable.pod_count(110, 0, 2) == 110


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eviction_hard": ("memory.free<1Gi",)}, "unsupported eviction signal memory.free"),
        ({"system_reserved": ("gpu=1",)}, 'cannot reserve "gpu" resource'),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Fatal, match=message):
        NodeResources(Options(**options), MACHINE)


async def test_a_cgroup_driver_that_is_not_dockers() -> None:
    made = NodeResources(Options(cgroup_driver="systemd"), MACHINE)
    with pytest.raises(Fatal, match='driver "systemd" differs from Docker\'s, "cgroupfs"'):
        await made.begin("cgroupfs", Engine("unix:///none"), Path("/none"), msgspec.UNSET)  # type: ignore[arg-type]


# -- cgroups


def test_a_pods_limits() -> None:
    both = spec(has("limits", cpu="500m", memory="64Mi"), has("limits", cpu="1", memory="32Mi"))
    found = pod_limits(both, Rules(pids=100))
    assert found == Limits(cpu_shares=1536, cpu_quota=150_000, memory=96 << 20, pids=100)
    one = spec(has("limits", cpu="500m", memory="64Mi"), has(cpu="1"))
    assert pod_limits(one, Rules()) == Limits(cpu_shares=1536, cpu_quota=0, memory=0, pids=0)
    assert pod_limits(both, Rules(period=0)).cpu_quota == 0
    assert pod_limits(spec({}), Rules()).cpu_shares == 2
    huge = spec(has("limits", cpu="1", memory="1Gi", **{"hugepages-2Mi": "4Mi"}))
    assert pod_limits(huge, Rules()).hugepages == {"2MB": 4 << 20}
    assert pod_limits(huge, Rules(pages=("2MB", "1GB"))).hugepages == {"2MB": 4 << 20, "1GB": 0}
    assert page("hugepages-1Gi") == "1GB"


def test_a_pod_that_states_its_own() -> None:
    whole = spec(
        has(cpu="100m"),
        {},
        resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    )
    assert qos_class(whole) == GUARANTEED
    assert pod_amounts(whole, "requests") == {"cpu": 1000, "memory": 1 << 30}
    assert pod_limits(whole, Rules()) == Limits(cpu_shares=1024, cpu_quota=100_000, memory=1 << 30, pids=0)
    assert qos_class(spec({}, resources={"requests": {"cpu": "1"}})) == BURSTABLE


def test_weights() -> None:
    assert [weight(shares) for shares in (2, 1024, 262_144)] == [1, 100, 10_000]
    tiers = tier_shares([spec(has(cpu="1")), spec(has(cpu="500m")), spec({}), spec(has("limits", cpu="4", memory="1"))])
    assert tiers == {"Burstable": 1536, "BestEffort": 2}


@given(st.integers(2, 262_144), st.integers(2, 262_144))
def test_more_shares_never_weigh_less(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert 1 <= weight(low) <= weight(high) <= 10_000


def test_the_files_of_both_versions() -> None:
    limits = Limits(1024, 50_000, 100_000, 1 << 20, 0, {"2MB": 0})
    assert [(each.file, each.text) for each in settings(limits, unified=False)] == [
        ("cpu.shares", "1024"),
        ("cpu.cfs_period_us", "100000"),
        ("cpu.cfs_quota_us", "50000"),
        ("memory.limit_in_bytes", "1048576"),
        ("pids.max", "max"),
        ("hugetlb.2MB.limit_in_bytes", "0"),
    ]
    assert [(each.file, each.text) for each in settings(limits, unified=True)] == [
        ("cpu.weight", "100"),
        ("cpu.max", "50000 100000"),
        ("memory.max", "1048576"),
        ("pids.max", "max"),
        ("hugetlb.2MB.max", "0"),
    ]
    assert settings(Limits(), unified=True) == []
    free = Limits(cpu_quota=0, memory=0)
    assert [each.text for each in settings(free, unified=False)] == ["-1", "-1"]
    assert [each.text for each in settings(free, unified=True)] == ["max 100000", "max"]
    assert properties(limits, unified=True) == [
        "CPUWeight=100",
        "CPUQuota=50%",
        "MemoryMax=1048576",
        "TasksMax=infinity",
    ]
    assert properties(limits, unified=False)[::2] == ["CPUShares=1024", "MemoryLimit=1048576"]


def kernel(folder: Path, *files: str) -> None:
    """As the kernel fills a new cgroup with files; a tree of plain folders has to be helped."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).write_text("max 100000" if name == "cpu.max" else "max")


V2_FILES = ("cpu.weight", "cpu.max", "memory.max", "pids.max")


def test_a_pods_cgroup_in_v2(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids rdma\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    cgroups = PodCgroups(Tree.of("cgroupfs", tmp_path), Rules("/node1"))
    small = pod(has("limits", cpu="1", memory="64Mi"))
    own = tmp_path / "node1/kubepods/podu1"
    kernel(own, *V2_FILES)
    cgroups.make(small)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpuset +io +memory +pids"
    assert [(own / name).read_text() for name in V2_FILES] == ["100", "100000 100000", "67108864", "max"]
    # Growing comes before the containers grow, shrinking after they have shrunk.
    mixed = pod(has("limits", cpu="2", memory="32Mi"))
    cgroups.resize(mixed, grow=True)
    assert [(own / name).read_text() for name in V2_FILES[1:3]] == ["200000 100000", "67108864"]
    cgroups.resize(mixed, grow=False)
    assert (own / "memory.max").read_text() == "33554432"
    kernel(own / "abc", "memory.oom.group")
    cgroups.started(mixed, "abc")
    assert (own / "abc" / "memory.oom.group").read_text() == "1"
    for each in [*own.glob("abc/*"), *own.glob("*.*")]:
        each.unlink()
    cgroups.remove(mixed)
    assert not own.exists()


def test_tiers_weigh_what_their_pods_ask_for(tmp_path: Path) -> None:
    top = tmp_path / "cpu/kubepods"
    for folder in (top, top / "burstable", top / "besteffort"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.shares").write_text("1024")
    (tmp_path / "memory/kubepods").mkdir(parents=True)
    (tmp_path / "memory/kubepods/memory.limit_in_bytes").write_text("max")
    cgroups = PodCgroups(Tree.of("cgroupfs", tmp_path), Rules())
    cgroups.enforce({"cpu": 2000, "memory": 1 << 30})
    cgroups.weigh([spec(has(cpu="1")), spec(has(cpu="250m")), spec({})])
    told = [(folder / "cpu.shares").read_text() for folder in (top, top / "burstable", top / "besteffort")]
    assert told == ["2048", "1280", "2"]
    assert (tmp_path / "memory/kubepods/memory.limit_in_bytes").read_text() == str(1 << 30)


def test_the_controllers_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    v1 = Tree.of("cgroupfs", tmp_path)
    assert (v1.has("cpu"), v1.has("hugetlb")) == (True, False)
    (tmp_path / "cgroup.controllers").write_text("cpu hugetlb\n")
    v2 = Tree.of("cgroupfs", tmp_path)
    assert (v2.has("hugetlb"), v2.has("memory")) == (True, False)


def test_a_limit_that_the_kernel_lacks_is_left(tmp_path: Path) -> None:
    for controller in ("cpu", "memory"):
        (tmp_path / controller).mkdir()
    cgroups = PodCgroups(Tree.of("cgroupfs", tmp_path), Rules())
    cgroups.make(pod(has(cpu="1")))
    assert (tmp_path / "cpu/kubepods/burstable/podu1").is_dir()
    assert list((tmp_path / "cpu/kubepods/burstable/podu1").iterdir()) == []


# -- resizes


def test_what_a_resize_changes() -> None:
    before = pod(has("limits", cpu="1", memory="1Gi", **{"ephemeral-storage": "1Gi"}), has(cpu="1"))
    after = pod(has("limits", cpu="2", memory="1024Mi", **{"ephemeral-storage": "1Gi"}), has(cpu="1000m"))
    assert resize.differ(after, before)
    kept = resize.keep(after, before)
    assert not resize.differ(kept, before)
    assert kept.spec is not None
    assert kept.spec.containers[0].resources is not None
    limits = kept.spec.containers[0].resources.limits
    assert limits == {"ephemeral-storage": "1Gi", "cpu": "1", "memory": "1Gi"}
    same = pod(has("limits", cpu="1000m", memory="1Gi", **{"ephemeral-storage": "1Gi"}), has(cpu="1"))
    assert resize.keep(same, before) is same


def test_what_was_allocated_is_remembered_by_the_status() -> None:
    wanted = pod(has(cpu="2", memory="1Gi"))
    assert resize.remembered(wanted) is wanted
    told = core_v1.ContainerStatus("i", "i", "c0", True, 0, allocatedResources={"cpu": "1", "memory": "1Gi"})
    told.resources = core_v1.ResourceRequirements(requests={"cpu": "1", "memory": "1Gi"})
    known = msgspec.structs.replace(wanted, status=core_v1.PodStatus(containerStatuses=[told]))
    allocated = resize.remembered(known)
    assert resize.differ(wanted, allocated)
    assert allocated.spec is not None
    assert allocated.spec.containers[0].resources == told.resources


def test_room_for_a_resize() -> None:
    node = {"cpu": 2000, "memory": 1 << 30, "pods": 10}
    others = [pod(has(cpu="1500m"), uid="u2")]
    assert admit.resizable(pod(has(cpu="500m")), others, node) is None
    deferred = admit.resizable(pod(has(cpu="1")), others, node)
    assert deferred == resize.Pending(
        "Deferred", "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000"
    )
    infeasible = admit.resizable(pod(has(memory="2Gi")), (), node)
    said = "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824"
    assert infeasible == resize.Pending("Infeasible", said)


def test_the_words_of_a_resize() -> None:
    said = resize.message("started", pod(has(cpu="1"), {}))
    what, _, told = said.partition(": ")
    assert what == "Pod resize started"
    assert json.loads(told) == {
        "containers": [{"name": "c0", "resources": {"requests": {"cpu": "1"}}}, {"name": "c1", "resources": {}}],
        "generation": 3,
    }


def test_a_refused_pod_tells_of_no_containers_later_either() -> None:
    refused = pod({})
    refused.status = core_v1.PodStatus(phase="Failed", reason="OutOfcpu", message="no room")
    told = pod_status(View(refused), 10.0)
    assert (told.phase, told.reason, told.message, told.containerStatuses) == ("Failed", "OutOfcpu", "no room", None)
