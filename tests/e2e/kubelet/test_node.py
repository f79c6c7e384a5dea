"""The kubelet itself: its Node, its ports, and what happens when it, or Docker, goes away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from tests.e2e.kubelet.conftest import SLEEP, Lab
from tests.harness.process import wait_until

Make = Callable[..., str]


def test_the_node_object(lab: Lab) -> None:
    node = lab.kubectl.get("node", lab.node.name)
    status = node["status"]
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == lab.node.name
    assert {"address": lab.node.host.address, "type": "InternalIP"} in status["addresses"]
    assert status["capacity"]["pods"] == "110"
    assert status["nodeInfo"]["containerRuntimeVersion"].startswith("docker://")
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
        "Ready": "True",
    }
    lease = lab.kubectl.get("lease", lab.node.name, "-n", "kube-node-lease")
    assert lease["spec"]["holderIdentity"] == lab.node.name
    assert lease["metadata"]["ownerReferences"][0]["uid"] == node["metadata"]["uid"]


def test_the_ports(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP)
    lab.ready(name)
    host = lab.node.host

    def plain(path: str) -> str:
        return host.run("curl", "-sS", f"http://{host.address}:10255{path}")

    assert plain("/healthz") == "ok"
    assert name in [each["metadata"]["name"] for each in json.loads(plain("/pods"))["items"]]
    assert json.loads(plain("/spec"))["num_cores"] >= 1
    assert "kubelet_running_pods" in plain("/metrics")
    secure = f"https://{host.address}:10250/pods"
    stranger = host.run("curl", "-sSk", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}", secure, check=False)
    assert stranger == "401"
    pki = host.folder / "etc" / "pki"
    own = host.run(
        *("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", f"{pki}/ca.crt"),
        *("--cert", f"{pki}/kubelet.crt", "--key", f"{pki}/kubelet.key", secure),
    )
    assert own == "403"


def test_a_restarted_kubelet_adopts_what_runs(lab: Lab, pod: Make) -> None:
    probe = {"readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 2}}
    name, crashing, done = pod(SLEEP, probe), pod("exit 1"), pod("exit 0", restartPolicy="Never")
    lab.ready(name)
    lab.waiting(crashing, "CrashLoopBackOff")
    lab.phase(done, "Succeeded")
    before = {each: lab.containers(each, every=True) for each in (name, done)}
    since = _ready_since(lab, name)
    count = lab.container(crashing)["restartCount"]
    lab.node.kubelet.kill()
    lab.node.kubelet.start()
    lab.cluster.wait_ready(lab.node)
    wait_until("the crashing one to go on", lambda: lab.container(crashing)["restartCount"] > count, 30)
    assert {each: lab.containers(each, every=True) for each in (name, done)} == before
    assert _ready_since(lab, name) == since
    assert lab.container(name)["restartCount"] == 0
    assert lab.status(done)["phase"] == "Succeeded"


def _ready_since(lab: Lab, name: str) -> str:
    found = [each for each in lab.status(name)["conditions"] if each["type"] == "Ready"]
    assert found[0]["status"] == "True"
    return str(found[0]["lastTransitionTime"])


def test_what_was_deleted_while_the_kubelet_was_away_goes(lab: Lab, pod: Make) -> None:
    name, kept = pod(SLEEP), pod(SLEEP)
    lab.ready(name)
    lab.ready(kept)
    uid = lab.kubectl.get("pod", name)["metadata"]["uid"]
    lab.node.kubelet.kill()
    lab.kubectl("delete", "pod", name, "--force", "--grace-period=0")
    lab.node.kubelet.start()
    wait_until("the orphan to go", lambda: not lab.containers(name, every=True), 30)
    folder = lab.node.host.folder / "state" / "kubelet" / "pods"
    wait_until("its folder to go", lambda: uid not in {each.name for each in folder.iterdir()})
    assert len(lab.containers(kept)) == 2


def test_a_restarted_engine_gets_its_pods_back(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP)
    lab.ready(name)
    engine = lab.node.host.engine
    assert engine is not None
    engine.kill()
    wait_until("the node to say so", lambda: not lab.cluster.is_ready(lab.node.name), 40, every=0.5)
    lab.node.host.run("sh", "-c", "rm -f /run/docker.pid /run/docker/containerd/containerd.pid")
    engine.start()
    wait_until("the node to be ready again", lambda: lab.cluster.is_ready(lab.node.name), 60, every=0.5)
    wait_until("the pod to be restarted", lambda: lab.container(name)["restartCount"] >= 1, 60, every=0.5)
    lab.ready(name)
    assert len(lab.containers(name)) == 2


def test_nothing_is_left_of_deleted_pods(lab: Lab, pod: Make) -> None:
    volumes = [{"name": "m", "emptyDir": {"medium": "Memory"}}]
    names = [pod(SLEEP, {"volumeMounts": [{"name": "m", "mountPath": "/m"}]}, volumes=volumes) for _ in range(8)]
    for name in names:
        lab.ready(name)
    uids = [lab.kubectl.get("pod", name)["metadata"]["uid"] for name in names]
    addresses = [lab.status(name)["podIP"] for name in names]
    assert len(set(addresses)) == len(names)
    began = time.monotonic()
    lab.delete(*(f"pod/{name}" for name in names))
    assert time.monotonic() - began < 20
    state = lab.node.host.folder / "state" / "kubelet"
    reserved = {each.name for each in (state / "cni" / "networks" / "pytheas").iterdir()}
    assert not reserved & set(addresses)
    assert not {each.name for each in (state / "pods").iterdir()} & set(uids)
    assert "kubernetes.io~empty-dir" not in lab.node.host.run("cat", "/proc/self/mountinfo")
    assert not [name for name in names if lab.containers(name, every=True)]
    cgroups = lab.node.host.run("find", "/sys/fs/cgroup", "-name", "pod*", "-path", "*kubepods*", "-type", "d")
    assert not [uid for uid in uids if uid in cgroups]


def test_cleanup_takes_everything_away(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP, {"ports": [{"containerPort": 8080, "hostPort": 18092}]})
    lab.ready(name)
    assert "CNI-HOSTPORT-DNAT" in lab.node.host.run("iptables-save")
    lab.docker("run", "-d", "--name", "bystander", "--network", "none", "busybox:1", "sleep", "600")
    host, kubelet = lab.node.host, lab.node.kubelet
    kubelet.stop()
    host.run(*kubelet.argv[len(host.enter) :], "--cleanup")
    assert lab.docker("ps", "-a", "--format", "{{.Names}}").split() == ["bystander"]
    assert "pytheas0" not in host.run("ip", "link")
    assert "veth" not in host.run("ip", "link")
    assert "CNI-" not in host.run("iptables-save")
    assert "proto 80" not in host.run("ip", "route")
    state = host.folder / "state" / "kubelet"
    assert not (state / "pods").exists()
    lab.docker("rm", "-f", "bystander")
    kubelet.start()
    wait_until("the pod to be made anew", lambda: lab.container(name)["restartCount"] >= 1, 40, every=0.5)
    lab.ready(name)
