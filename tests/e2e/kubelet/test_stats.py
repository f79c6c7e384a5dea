"""What the node and its pods use, told by the kubelet, and by the API server to `kubectl top`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.e2e.kubelet.conftest import Lab
from tests.harness.process import wait_until

Make = Callable[..., str]

BUSY = "dd if=/dev/zero of=/written bs=1M count=3; dd if=/dev/zero of=/empty/x bs=1M count=2; while :; do :; done"
LIMITS = {"resources": {"limits": {"cpu": "100m", "memory": "32Mi"}}}
MOUNT = {"volumeMounts": [{"name": "empty", "mountPath": "/empty"}]}


@pytest.fixture
def busy(lab: Lab, pod: Make) -> str:
    name = pod(BUSY, LIMITS | MOUNT, volumes=[{"name": "empty", "emptyDir": {}}], terminationGracePeriodSeconds=0)
    lab.ready(name)
    wait_until("it to have written", lambda: "x" in lab.execute(name, "ls", "/empty"))
    return name


def page(lab: Lab, path: str) -> str:
    host = lab.node.host
    return host.run("curl", "-sSf", f"http://{host.address}:10255{path}")


def test_what_a_pod_uses_is_told(lab: Lab, busy: str) -> None:
    summary = json.loads(page(lab, "/stats/summary"))
    node, (pod,) = summary["node"], [each for each in summary["pods"] if each["podRef"]["name"] == busy]
    assert node["nodeName"] == lab.node.name
    assert node["memory"]["availableBytes"] > 0
    assert node["fs"]["capacityBytes"] > node["fs"]["availableBytes"]
    assert node["runtime"]["imageFs"]["inodes"] >= 0
    (container,) = pod["containers"]
    assert container["cpu"]["usageCoreNanoSeconds"] > 0
    assert 0 < container["memory"]["workingSetBytes"] <= 32 << 20
    assert container["rootfs"]["usedBytes"] >= 3 << 20
    assert [each["usedBytes"] >= 2 << 20 for each in pod["volume"] if each["name"] == "empty"] == [True]
    assert pod["ephemeral-storage"]["usedBytes"] >= 5 << 20
    assert pod["network"]["interfaces"][0]["name"] == "eth0"
    assert pod["process_stats"]["process_count"] >= 1

    labels = f'container="main",namespace="default",pod="{busy}"'
    resource = page(lab, "/metrics/resource")
    assert f"container_cpu_usage_seconds_total{{{labels}}}" in resource
    assert "node_memory_working_set_bytes " in resource
    assert "scrape_error 0" in resource
    series = page(lab, "/metrics/cadvisor").splitlines()
    throttled = [
        each for each in series if each.startswith("container_cpu_cfs_throttled_periods_total") and busy in each
    ]
    assert throttled
    assert [each for each in series if each.startswith("container_network_receive_bytes_total") and busy in each]
    assert [each for each in series if each.startswith("machine_cpu_cores")]


def test_kubectl_top(lab: Lab, busy: str) -> None:
    def used() -> list[str]:
        return lab.kubectl("top", "pod", busy, "--containers", "--no-headers").split()

    name, container, cpu, memory = used()
    assert (name, container) == (busy, "main")
    assert 50 <= int(cpu.removesuffix("m")) <= 150, "its limit is 100m, and it does nothing else"
    assert memory.endswith("Mi")
    assert lab.kubectl("top", "node", "--no-headers").split()[0] == lab.node.name
    (row,) = lab.kubectl("get", "pods.metrics.k8s.io", "-l", f"app={busy}", "--no-headers").splitlines()
    assert row.split()[0] == busy
    gone = lab.kubectl.run("get", "pods.metrics.k8s.io", "nobody")
    assert 'podmetrics.metrics.k8s.io "default/nobody" not found' in gone.err
