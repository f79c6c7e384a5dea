"""What is told of the use of the node: from samples made up, and from this very machine."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubelet.cgroups.stats import Cpu, Memory, Usage
from kubelet.cgroups.tree import Tree
from kubelet.node.machine import Machine
from kubelet.stats import cadvisor, disk, resource, volumes
from kubelet.stats.disk import DiskUse
from kubelet.stats.exposition import Family, page
from kubelet.stats.file_system import FileSystem, Taken
from kubelet.stats.rates import Rates
from kubelet.stats.sample import (
    ContainerSample,
    Interface,
    NodeSample,
    Place,
    PodSample,
    RosterContainer,
    RosterPod,
    Swap,
    VolumeSample,
    interfaces,
    take,
)
from kubelet.stats.summary import summary

MACHINE = Machine(2, 8 << 30, 100 << 30, "m", "u", "b", "6.1.0", "Debian", "amd64")
DISK = FileSystem(device=1, capacity=100, available=60, inodes=10, inodes_free=4)


def usage(cpu: int, memory: int = 4096) -> Usage:
    return Usage(Cpu(cpu, 10, 5, 2_000_000_000), Memory(memory + 10, memory, rss=3, cache=2, swap=1, limit=8192), 7)


CONTAINER = RosterContainer(
    "main", "c1", "busybox:1", "kubepods/pod1/c1", 900.5, spec={"cpu_shares": 102, "memory_limit_bytes": 8192}
)
PAUSE = RosterContainer("POD", "s1", "pause", "kubepods/pod1/s1", 900.0)
POD = RosterPod("web", "default", "u1", 899.0, "kubepods/pod1", PAUSE, (CONTAINER,))
SAMPLE = NodeSample(
    at=1000.0,
    usage=usage(50_000_000_000),
    pods=(
        PodSample(
            POD,
            1000.0,
            usage(3_000_000_000),
            (ContainerSample(CONTAINER, 1000.0, usage(2_500_000_000), Taken(30, 3), Taken(2, 1)),),
            ContainerSample(PAUSE, 1000.0, usage(1)),
            (Interface("eth0", rx_bytes=11, tx_bytes=22, tx_errors=1),),
            (VolumeSample("empty", "", Taken(8, 2), DISK), VolumeSample("data", "default/claim", Taken(5, 1), DISK)),
        ),
    ),
    all_pods=usage(4_000_000_000),
    network=(Interface("wlan0"), Interface("eth0", rx_bytes=5)),
    disk=DISK,
    images=DISK,
    swap=Swap(100, 40),
    max_pids=32768,
    processes=12,
)


def told(sample: NodeSample = SAMPLE, rates: Rates | None = None) -> dict[str, Any]:
    return summary(sample, rates or Rates(), "n1", 0.0, "kubepods", 1 << 20)


def test_the_summary() -> None:
    found = told()
    node, (pod,) = found["node"], found["pods"]
    assert node["memory"]["availableBytes"] == (1 << 20) - 4096
    assert node["network"]["name"] == "eth0"
    assert [each["name"] for each in node["network"]["interfaces"]] == ["wlan0", "eth0"]
    assert node["fs"] == {
        "time": "1970-01-01T00:16:40Z",
        "availableBytes": 60,
        "capacityBytes": 100,
        "usedBytes": 40,
        "inodesFree": 4,
        "inodes": 10,
        "inodesUsed": 6,
    }
    assert node["swap"]["swapUsageBytes"] == 60
    assert node["rlimit"] == {"time": "1970-01-01T00:16:40Z", "maxpid": 32768, "curproc": 12}
    assert [each["name"] for each in node["systemContainers"]] == ["pods"]
    assert pod["podRef"] == {"name": "web", "namespace": "default", "uid": "u1"}
    assert pod["containers"][0]["cpu"] == {"time": "1970-01-01T00:16:40Z", "usageCoreNanoSeconds": 2_500_000_000}
    assert pod["containers"][0]["memory"]["availableBytes"] == 4096
    assert pod["containers"][0]["rootfs"]["usedBytes"] == 30
    assert pod["containers"][0]["logs"]["inodesUsed"] == 1
    assert pod["network"]["rxBytes"] == 11
    assert pod["volume"][1]["pvcRef"] == {"name": "claim", "namespace": "default"}
    assert pod["ephemeral-storage"]["usedBytes"] == 40, "a claim's volume is nobody's ephemeral storage"
    assert pod["process_stats"] == {"process_count": 7}


def test_what_is_not_known_is_left_out() -> None:
    bare = NodeSample(1000.0, Usage(), (PodSample(POD, 1000.0, Usage(), ()),))
    found = told(bare)
    assert set(found["node"]) == {"nodeName", "systemContainers", "startTime", "swap"}
    assert set(found["pods"][0]) == {"podRef", "startTime", "containers"}


def test_rates_need_two_looks() -> None:
    rates = Rates()
    rates.take(SAMPLE, "kubepods")
    assert rates.of("") is None
    later = replace(SAMPLE, at=1010.0, usage=usage(55_000_000_000), all_pods=usage(0))
    rates.take(later, "kubepods")
    assert rates.of("") == 500_000_000
    assert rates.of("kubepods") is None, "made anew since"
    assert told(later, rates)["node"]["cpu"]["usageNanoCores"] == 500_000_000
    rates.take(replace(later, at=1010.2, usage=usage(56_000_000_000)), "kubepods")
    assert rates.of("") == 500_000_000, "too soon to say anything else"


def test_the_resource_page() -> None:
    lines = resource.render(SAMPLE).splitlines()
    labels = 'container="main",namespace="default",pod="web"'
    assert f"container_cpu_usage_seconds_total{{{labels}}} 2.5 1000000" in lines
    assert f"container_memory_working_set_bytes{{{labels}}} 4096 1000000" in lines
    assert f"container_start_time_seconds{{{labels}}} 900.5" in lines
    assert 'pod_cpu_usage_seconds_total{namespace="default",pod="web"} 3 1000000' in lines
    assert "node_cpu_usage_seconds_total 50 1000000" in lines
    assert "# TYPE node_cpu_usage_seconds_total counter" in lines
    assert "scrape_error 0" in lines
    assert resource.render(None).splitlines()[-1] == "scrape_error 1"


def test_the_cadvisor_page() -> None:
    lines = cadvisor.render(SAMPLE, MACHINE, "kubepods").splitlines()
    rest = 'image="busybox:1",name="c1",namespace="default",pod="web"'
    own = f'container="main",id="/kubepods/pod1/c1",{rest}'
    assert f'container_cpu_usage_seconds_total{{{own},cpu="total"}} 2.5 1000000' in lines
    assert f"container_cpu_cfs_throttled_seconds_total{{{own}}} 2 1000000" in lines
    assert f"container_spec_memory_limit_bytes{{{own}}} 8192 1000000" in lines
    assert f'container_fs_usage_bytes{{device="/",{own}}} 32 1000000' in lines
    network = [each for each in lines if each.startswith("container_network_transmit_bytes_total") and "web" in each]
    assert len(network) == 1
    assert 'container="",id="/kubepods/pod1/s1"' in network[0]
    assert 'machine_memory_bytes{machine_id="m",system_uuid="u",boot_id="b"} 8589934592' in lines
    assert lines.count("# TYPE container_last_seen gauge") == 1


def test_labels_are_escaped() -> None:
    family = Family("x", "X.")
    family.add(1.5, {"a": 'q"b\\c\nd'}, at=2.0)
    assert page([family, Family("empty", "Nothing.")]) == (
        '# HELP x X.\n# TYPE x gauge\nx{a="q\\"b\\\\c\\nd"} 1.5 2000\n'
    )


def test_interfaces_are_read() -> None:
    text = (
        "Inter-|   Receive                |  Transmit\n"
        " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier c\n"
        "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
        "  eth0: 100 2 3 4 0 0 0 0 200 5 6 7 0 0 0 0\n"
    )
    assert interfaces(text) == (Interface("eth0", 100, 2, 3, 4, 200, 5, 6, 7),)
    assert interfaces("") == ()


def test_this_machine_is_sampled(tmp_path: Path) -> None:
    place = Place(Tree.of(), tmp_path, tmp_path / "gone", "nothing/here")
    found = take(place, [POD], lambda path: None, only_cpu_and_memory=False)
    assert found.usage.cpu is not None
    assert found.usage.memory is not None
    assert found.disk is not None
    assert found.images is None
    assert found.processes > 0
    assert not found.pods[0].usage.known
    quick = take(place, [POD], lambda path: None, only_cpu_and_memory=True)
    assert (quick.disk, quick.network, quick.pods[0].sandbox) == (None, (), None)


async def test_folders_are_measured_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(os.urandom(8192))
    use = DiskUse()
    assert use.look(tmp_path) is None
    await use.refresh()
    first = use.look(tmp_path)
    assert first is not None
    assert first.bytes >= 8192
    (tmp_path / "more").write_bytes(os.urandom(8192))
    await use.refresh()
    assert use.look(tmp_path) == first, "it is not due yet"
    monkeypatch.setattr(disk, "FRESH", 0.0)
    monkeypatch.setattr(disk, "SLOW", 0)
    await use.refresh()
    assert use.look(tmp_path) != first
    monkeypatch.setattr(disk, "FORGET", -1.0)
    await use.refresh()
    assert use.look(tmp_path) is None
    use.close()
    await asyncio.sleep(0)


def test_claims_are_told_once() -> None:
    (pod,) = SAMPLE.pods
    lines = volumes.render(replace(SAMPLE, pods=(pod, pod))).splitlines()
    labels = '{namespace="default",persistentvolumeclaim="claim"}'
    assert lines.count(f"kubelet_volume_stats_used_bytes{labels} 40") == 1
    assert f"kubelet_volume_stats_inodes_used{labels} 6" in lines
    assert volumes.render(replace(SAMPLE, pods=())) == ""
    assert told()["pods"][0]["volume"][1]["usedBytes"] == 40, "the whole file system, not what was walked"
