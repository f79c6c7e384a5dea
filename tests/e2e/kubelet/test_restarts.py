"""The node's daemons and the machine itself going away and coming back, on a node of these tests' own."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kubelet.conftest import MANIFESTS, SLEEP, Lab, manifest
from tests.harness.cluster import Cluster
from tests.harness.host import Host
from tests.harness.process import wait_until

PROBED = {"readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}
MEMORY = {"volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}]}
MOUNTED = {"volumeMounts": [{"name": "m", "mountPath": "/m"}]}

SHUTDOWN = ("--shutdown-grace-period", "6s", "--shutdown-grace-period-critical-pods", "4s")


@pytest.fixture(scope="module")
def own() -> Iterator[Lab]:
    flags = ("--pod-manifest-path", MANIFESTS, *SHUTDOWN)
    with Cluster("pyn2", nodes=1, prefix="172.29.68", flags={"kubelet": flags}) as cluster:
        cluster.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        yield Lab(cluster)


@pytest.fixture
def lab(own: Lab) -> Iterator[Lab]:
    yield own
    own.clear()


def apply(lab: Lab, stem: str, container: dict[str, Any] | None = None, **spec: Any) -> str:
    name = lab.name(stem)
    lab.apply(manifest(name, SLEEP, container, **spec))
    lab.ready(name)
    return name


def ready_since(lab: Lab, name: str) -> str:
    (found,) = [each for each in lab.status(name)["conditions"] if each["type"] == "Ready"]
    return str(found["lastTransitionTime"])


def restart_engine(lab: Lab, *flags: str) -> None:
    host = lab.node.host
    assert host.engine is not None
    host.engine.kill()
    # Nobody reaps the dead containerd here, so its pid file would make the next engine take it for alive.
    host.run("rm", "-f", "/run/docker.pid", "/run/docker/containerd/containerd.pid")
    host.start_engine(*flags)
    wait_until("the node to be ready", lambda: lab.cluster.is_ready(lab.node.name), 60, every=0.2)


def test_static_pods_need_no_api_server(lab: Lab) -> None:
    host, control = lab.node.host, lab.cluster.control
    host.run("tee", f"{MANIFESTS}/old.json", stdin=json.dumps(manifest("old", SLEEP, PROBED)))
    old, new = f"old-{lab.node.name}", f"new-{lab.node.name}"
    wait_until("the mirror", lambda: lab.kubectl.run("get", "pod", old).code == 0, 20)
    lab.ready(old)
    before = lab.containers(old, every=True)
    control.apiserver.kill()
    lab.node.kubelet.kill()
    lab.node.kubelet.start()
    host.run("tee", f"{MANIFESTS}/new.json", stdin=json.dumps(manifest("new", SLEEP)))
    wait_until("a pod without an API server", lambda: len(lab.containers(new)) == 2, 30)
    assert lab.containers(old, every=True) == before
    control.apiserver.start()
    wait_until("its mirror", lambda: lab.kubectl.run("get", "pod", new).code == 0, 40, every=0.2)
    lab.ready(new)
    assert lab.containers(old, every=True) == before
    assert lab.container(old)["restartCount"] == 0
    host.run("sh", "-c", f"rm {MANIFESTS}/*.json")
    wait_until("both to go", lambda: not lab.containers(old, every=True) + lab.containers(new, every=True), 20)
    wait_until("the mirrors, too", lambda: lab.kubectl.run("get", "pod", old, new).code != 0, 20)


def test_live_restore_keeps_containers_over_the_engines_death(lab: Lab) -> None:
    restart_engine(lab, "--live-restore")
    name = apply(lab, "kept", PROBED | MOUNTED, **MEMORY)
    before, since = lab.containers(name, every=True), ready_since(lab, name)
    restart_engine(lab, "--live-restore")
    later = apply(lab, "later")  # the kubelet works with the engine again
    assert lab.containers(name, every=True) == before
    assert lab.container(name)["restartCount"] == 0
    assert ready_since(lab, name) == since
    assert lab.execute(name, "echo", "alive") == "alive\n"
    lab.delete(f"pod/{later}")


def test_without_it_they_die_with_the_engine_and_come_back(lab: Lab) -> None:
    restart_engine(lab)
    names = [apply(lab, "dies", MOUNTED, **MEMORY), apply(lab, "dies")]
    restart_engine(lab)
    wait_until("restarts", lambda: all(lab.container(each)["restartCount"] == 1 for each in names), 60, every=0.2)
    for name in names:
        lab.ready(name)


def test_a_reboot(lab: Lab) -> None:
    name, done = apply(lab, "again", MOUNTED, **MEMORY), lab.name("done")
    lab.apply(manifest(done, "exit 0", restartPolicy="Never"))
    lab.phase(done, "Succeeded")
    lab.execute(name, "touch", "/m/file")
    address = lab.status(name)["podIP"]
    reboot(lab)
    wait_until("the pod to be restarted", lambda: lab.container(name)["restartCount"] == 1, 60, every=0.2)
    lab.ready(name)
    assert lab.execute(name, "ls", "/m") == "", "memory does not outlive the machine"
    assert "tmpfs /m " in lab.execute(name, "cat", "/proc/mounts")
    assert lab.status(done)["phase"] == "Succeeded"
    state = lab.node.host.folder / "state" / "kubelet"
    reserved = {each.name for each in (state / "cni" / "networks" / "pytheas").iterdir() if each.name[0].isdigit()}
    assert lab.status(name)["podIP"] in reserved
    assert address == lab.status(name)["podIP"] or address not in reserved
    assert len(lab.containers(name)) == 2
    events = lab.kubectl.get("events", "--field-selector", f"involvedObject.name={lab.node.name}")["items"]
    (told,) = [each["message"] for each in events if each["reason"] == "Rebooted"]
    assert told == f"Node {lab.node.name} has been rebooted, boot id: {NEXT_BOOT}"


def test_a_graceful_shutdown(lab: Lab) -> None:
    """With no logind here, the signal of a failing power supply."""
    plain = apply(lab, "plain", terminationGracePeriodSeconds=30)
    critical = apply(lab, "critical", priorityClassName="system-cluster-critical")
    os.kill(lab.node.kubelet.pid, signal.SIGPWR)
    late = lab.name("late")
    wait_until("the node to say so", lambda: not lab.cluster.is_ready(lab.node.name), 10)
    lab.apply(manifest(late, SLEEP, nodeName=lab.node.name))
    for name in (plain, critical):
        lab.phase(name, "Failed")
        status = lab.status(name)
        assert status["reason"] == "Terminated"
        assert status["message"] == "Pod was terminated in response to imminent node shutdown."
        assert lab.conditions(name)["DisruptionTarget"] == "True"
    ended = [lab.container(name)["state"]["terminated"]["finishedAt"] for name in (plain, critical)]
    assert ended == sorted(ended)
    lab.phase(late, "Failed")
    assert lab.status(late)["reason"] == "NodeShutdown"
    node = lab.kubectl.get("node", lab.node.name)["status"]["conditions"]
    assert [each["message"] for each in node if each["type"] == "Ready"] == ["node is shutting down"]
    lab.node.kubelet.kill()
    lab.node.kubelet.start()
    lab.cluster.wait_ready(lab.node)


NEXT_BOOT = "00000000-0000-4000-8000-000000000002"


def reboot(lab: Lab) -> None:
    """What is left of a machine after its power was cut: its disk."""
    host, node = lab.node.host, lab.node
    assert host.engine is not None
    node.kubelet.kill()
    pids = lab.docker("inspect", "-f", "{{.State.Pid}}", *lab.docker("ps", "-q").split()).split()
    host.engine.kill()
    for pid in [*_engine_processes(host), *pids]:
        host.run("kill", "-KILL", pid, check=False)
    state = host.folder / "state" / "kubelet"
    host.run("sh", "-c", f"grep -o '{state}[^ ]*' /proc/self/mountinfo | sort -ru | xargs -r umount -l")
    for link in host.run("ip", "-br", "link").splitlines():
        name = link.split()[0].partition("@")[0]
        if name not in ("lo", "eth0"):
            host.run("ip", "link", "del", name, check=False)  # one end of a pair takes the other with it
    host.run("sh", "-c", "umount -l /run/docker/netns/* 2>/dev/null; rm -rf /run/docker /run/docker.pid")
    host.run("sh", "-c", f"echo {NEXT_BOOT} > /run/boot && mount --bind /run/boot /proc/sys/kernel/random/boot_id")
    host.engine.start()
    node.kubelet.start()


def _engine_processes(host: Host) -> list[str]:
    """The engine's containerd and its shims: those that see the host's mounts."""
    mounts = os.readlink(f"/proc/{host.enter[2]}/ns/mnt")
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (entry / "comm").read_text().startswith("containerd") and os.readlink(entry / "ns/mnt") == mounts:
                found.append(entry.name)
        except OSError:
            continue  # no process, or one that has ended
    return found
