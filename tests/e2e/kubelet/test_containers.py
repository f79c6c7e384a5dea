"""What a container sees: its environment, its volumes, its neighbours, its limits."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest

Make = Callable[..., str]


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}


def test_a_volume_that_cannot_be_made_is_told_and_made_when_it_can(lab: Lab) -> None:
    hidden, name = lab.name("late"), lab.name("vol")
    volumes = [{"name": "s", "secret": {"secretName": hidden}}]
    lab.apply(manifest(name, SLEEP, {"volumeMounts": [{"name": "s", "mountPath": "/s"}]}, volumes=volumes))
    lab.has_event(name, "FailedMount", f'MountVolume.SetUp failed for volume "s" : secret "{hidden}" not found')
    assert lab.waiting(name, "ContainerCreating")
    lab.apply(secret(hidden, password="hush"))
    lab.ready(name)


def test_containers_of_a_pod_share_address_ipc_and_files(lab: Lab) -> None:
    name = lab.name("shared")
    mount = [{"name": "scratch", "mountPath": "/scratch"}]
    helper = {"name": "helper", "image": "busybox:1", "command": ["sh", "-c", SLEEP], "volumeMounts": mount}
    script = "mkdir -p /www; echo hello > /www/index.html; echo note > /scratch/note; httpd -p 8080 -h /www; " + SLEEP
    volumes = [{"name": "scratch", "emptyDir": {}}]
    spec = {"volumes": volumes, "more": [helper], "shareProcessNamespace": True}
    lab.apply(manifest(name, script, {"volumeMounts": mount}, **spec))
    lab.ready(name)
    assert lab.execute(name, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/", name="helper").strip() == "hello"
    assert lab.execute(name, "cat", "/scratch/note", name="helper").strip() == "note"
    spaces = [lab.execute(name, "readlink", "/proc/self/ns/ipc", name=each) for each in ("main", "helper")]
    assert spaces[0] == spaces[1]
    assert "/pause -P" in lab.execute(name, "ps", name="helper")
    hosts = lab.execute(name, "cat", "/etc/hosts", name="helper")
    assert f"{lab.status(name)['podIP']}\t{name}" in hosts


def test_init_containers_run_in_order_before_the_others(lab: Lab) -> None:
    name = lab.name("init")
    mount = [{"name": "scratch", "mountPath": "/scratch"}]

    def init(order: int) -> dict[str, Any]:
        script = f"echo {order} >> /scratch/order; sleep 0.3"
        return {
            "name": f"init{order}",
            "image": "busybox:1",
            "command": ["sh", "-c", script],
            "volumeMounts": mount,
        }

    spec = {"volumes": [{"name": "scratch", "emptyDir": {}}], "initContainers": [init(1), init(2)]}
    lab.apply(manifest(name, "cat /scratch/order; " + SLEEP, {"volumeMounts": mount}, **spec))
    lab.ready(name)
    assert lab.logs(name, "2") == ["1", "2"]
    ended = lab.container(name, "init2")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert lab.conditions(name)["Initialized"] == "True"


def test_limits_reach_the_cgroups(lab: Lab, pod: Make) -> None:
    resources = {"requests": {"cpu": "100m", "memory": "16Mi"}, "limits": {"cpu": "500m", "memory": "32Mi"}}
    name = pod(SLEEP, {"resources": resources})
    lab.ready(name)
    body = json.loads(lab.docker("inspect", lab.containers(name, "main")[0]))[0]["HostConfig"]
    assert (body["CpuShares"], body["CpuQuota"], body["CpuPeriod"]) == (102, 50000, 100000)
    assert body["Memory"] == body["MemorySwap"] == 32 << 20
    uid = lab.kubectl.get("pod", name)["metadata"]["uid"]
    assert body["CgroupParent"].endswith(f"/kubepods/burstable/pod{uid}")
    assert lab.status(name)["qosClass"] == "Burstable"
    memory = lab.execute(
        name, "sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max;:"
    )
    assert memory.split()[0] == str(32 << 20)


def test_out_of_memory_is_told_as_such(lab: Lab, pod: Make) -> None:
    hungry = "sleep 0.5; x=a; while true; do x=$x$x$x$x; done"
    name = pod(hungry, {"resources": {"limits": {"memory": "8Mi"}}}, restartPolicy="Never")
    lab.phase(name, "Failed")
    ended = lab.container(name)["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
