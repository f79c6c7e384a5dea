"""What pods may use on a real node: cgroups, resizes, disk, processes, and a node that runs short of memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.harness.process import wait_until

Make = Callable[..., str]


def resources(**stated: dict[str, str]) -> dict[str, Any]:
    return {"resources": stated}


def cgroup(lab: Lab, pod: str, controller: str, file: str, container: str = "") -> str:
    """A file of a pod's cgroup, or of one of its containers'."""
    uid = lab.kubectl.get("pod", pod)["metadata"]["uid"]
    found = next(Path("/sys/fs/cgroup", controller).glob(f"**/kubepods/**/pod{uid}"))
    below = lab.containers(pod, container)[0] if container else ""
    return (found / below / file).read_text().strip()


def condition(of: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((each for each in of.get("conditions", ()) if each["type"] == kind), {})


@contextmanager
def configured(lab: Lab, **fields: Any) -> Iterator[None]:
    """The kubelet, restarted with a KubeletConfiguration file, and restarted without it at the end."""
    kubelet, file = lab.node.kubelet, lab.node.host.folder / "configuration.yaml"
    head = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    file.write_text(yaml.safe_dump({**head, **fields}))
    argv = kubelet.argv
    try:
        _restart(lab, [*argv, "--config", str(file)])
        yield
    finally:
        _restart(lab, argv)


def _restart(lab: Lab, argv: list[str]) -> None:
    kubelet = lab.node.kubelet
    starts = kubelet.log.read_text().count("kubelet.agent started")
    kubelet.stop()
    kubelet.argv = argv
    kubelet.start()
    kubelet.wait_for("its start", lambda: kubelet.log.read_text().count("kubelet.agent started") > starts)


def resize(lab: Lab, pod: str, **amounts: str) -> None:
    container = {"name": "main", "resources": {"requests": amounts, "limits": amounts}}
    patch = json.dumps({"spec": {"containers": [container]}})
    lab.kubectl("patch", "pod", pod, "--subresource", "resize", "--patch", patch)


def test_a_running_container_is_resized(lab: Lab, pod: Make) -> None:
    amounts = {"cpu": "100m", "memory": "32Mi"}
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    fixed = resources(limits=amounts, requests=amounts)
    name = pod(SLEEP, fixed | {"resizePolicy": policy})
    lab.ready(name)
    before = lab.containers(name, "main")
    assert cgroup(lab, name, "cpu", "cpu.cfs_quota_us") == "10000"
    resize(lab, name, cpu="200m", memory="32Mi")
    given = {"cpu": "200m", "memory": "32Mi"}
    wait_until("its new amounts", lambda: lab.container(name).get("allocatedResources") == given)
    lab.has_event(name, "ResizeCompleted", '"cpu":"200m"')
    assert lab.container(name)["resources"] == {"limits": given, "requests": given}
    assert lab.containers(name, "main") == before
    assert cgroup(lab, name, "cpu", "cpu.shares", "main") == "204"
    assert cgroup(lab, name, "cpu", "cpu.cfs_quota_us", "main") == "20000"
    assert cgroup(lab, name, "cpu", "cpu.cfs_quota_us") == "20000"
    resize(lab, name, cpu="20", memory="32Mi")
    wait_until("no", lambda: condition(lab.status(name), "PodResizePending").get("reason") == "Infeasible")
    resize(lab, name, cpu="200m", memory="48Mi")
    wait_until("its restart", lambda: lab.container(name)["restartCount"] == 1 and lab.container(name)["ready"])
    assert cgroup(lab, name, "memory", "memory.limit_in_bytes", "main") == str(48 << 20)
    assert not condition(lab.status(name), "PodResizePending")
    assert not condition(lab.status(name), "PodResizeInProgress")


def test_a_pod_that_the_node_has_no_room_for(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP, resources(requests={"cpu": "100"}), nodeName=lab.node.name)
    lab.phase(name, "Failed")
    told = lab.status(name)
    assert told["reason"] == "OutOfcpu"
    assert told["message"].startswith(
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 100000, used"
    )
    assert "containerStatuses" not in told


def test_pods_that_take_too_much_disk(lab: Lab, pod: Make) -> None:
    fill = "dd if=/dev/zero of=$0 bs=1M count=4 2>/dev/null; trap 'exit 0' TERM; sleep 3600 & wait"
    limited = pod(fill.replace("$0", "/file"), resources(limits={"ephemeral-storage": "1Mi"}))
    volumes = [{"name": "data", "emptyDir": {"sizeLimit": "2Mi"}}]
    sized = pod(
        fill.replace("$0", "/data/file"), {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}, volumes=volumes
    )
    for name, said in (
        (limited, "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "),
        (sized, 'Usage of EmptyDir volume "data" exceeds the limit "2Mi". '),
    ):
        lab.phase(name, "Failed")
        assert (lab.status(name)["reason"], lab.status(name)["message"]) == ("Evicted", said)
        lab.has_event(name, "Evicted", said.strip())


BOMB = "f() { f | f & }; sleep 2; f; while :; do sleep 1; done"
"""It doubles until it may not: every process more is refused."""


def test_a_fork_bomb_stays_in_its_pod(lab: Lab, pod: Make) -> None:
    with configured(lab, podPidsLimit=40, systemReserved={"memory": "1Gi"}, featureGates={"Any": True}):
        node = lab.kubectl.get("node", lab.node.name)["status"]
        wait_until("the reservation", lambda: _reserved(lab) == (1 << 20) + 100 * 1024)
        calm, bomb = pod(SLEEP), pod(BOMB, resources(limits={"cpu": "200m", "memory": "64Mi"}))
        lab.ready(calm)
        lab.phase(bomb, "Running")
        assert cgroup(lab, bomb, "pids", "pids.max") == "40"
        wait_until("the limit to be felt", lambda: cgroup(lab, bomb, "pids", "pids.peak") == "40")
        assert int(cgroup(lab, bomb, "pids", "pids.current")) <= 40
        assert lab.execute(calm, "echo", "alive").strip() == "alive"
        lab.delete(f"pod/{bomb}")
    assert node["capacity"]["pods"] == "110"


def _reserved(lab: Lab) -> int:
    """KiB between the node's memory and what pods may ask for."""
    told = lab.kubectl.get("node", lab.node.name)["status"]
    capacity, left = (int(told[which]["memory"].removesuffix("Ki")) for which in ("capacity", "allocatable"))
    return capacity - left


def test_a_node_short_of_memory(lab: Lab, pod: Make) -> None:
    modest, critical = pod(SLEEP, resources(requests={"memory": "1Gi"}), stem="modest"), lab.name("critical")
    system = manifest(critical, SLEEP, priorityClassName="system-node-critical")
    lab.apply(system)
    greedy = pod("x=$(head -c 8000000 /dev/zero | tr '\\0' x); " + SLEEP, stem="greedy")
    for name in (modest, greedy, critical):
        lab.ready(name)
    with configured(lab, evictionHard={"memory.available": "100Ti"}, evictionPressureTransitionPeriod="1s"):
        lab.phase(greedy, "Failed")
        told = lab.status(greedy)
        assert told["reason"] == "Evicted"
        assert told["message"].startswith(
            "The node was low on resource: memory. Threshold quantity: 100Ti, available: "
        )
        assert "Container main was using " in told["message"]
        assert told["message"].endswith("request is 0, has larger consumption of memory. ")
        disrupted = condition(told, "DisruptionTarget")
        assert (disrupted["status"], disrupted["reason"]) == ("True", "TerminationByKubelet")
        lab.has_event(greedy, "Evicted", "has larger consumption of memory")
        pressed = condition(lab.kubectl.get("node", lab.node.name)["status"], "MemoryPressure")
        assert (pressed["status"], pressed["reason"]) == ("True", "KubeletHasInsufficientMemory")
        wait_until("the taint", lambda: "node.kubernetes.io/memory-pressure" in _taints(lab))
        late = pod(SLEEP, stem="late", nodeName=lab.node.name)
        lab.phase(late, "Failed")
        assert lab.status(late)["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "
        lab.phase(modest, "Failed")
        assert lab.status(critical)["phase"] == "Running"
    wait_until("the end of the taint", lambda: "node.kubernetes.io/memory-pressure" not in _taints(lab))


def _taints(lab: Lab) -> list[str]:
    return [each["key"] for each in lab.kubectl.get("node", lab.node.name)["spec"].get("taints", ())]
