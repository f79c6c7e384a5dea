"""Logs: through rotations and restarts, by many readers, and after their containers are gone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.harness.host import run
from tests.harness.process import SCRIPTS, wait_until

Make = Callable[..., str]
LINES = 120_000
"""Of a hundred bytes each: Docker's files, of 10 MiB, are rotated once."""


def pytheas(lab: Lab, *words: str) -> list[str]:
    return [str(SCRIPTS / "pytheas"), f"--kubeconfig={lab.kubectl.kubeconfig}", *words]


def test_a_follower_survives_a_rotation(lab: Lab, pod: Make) -> None:
    padding = "x" * 60
    count = f"i=0; while [ $i -lt {LINES} ]; do echo $i {padding}; i=$((i+1)); done"
    name = pod(f"until [ -e /go ]; do usleep 100000; done; {count}; echo end", restartPolicy="Never")
    lab.ready(name)
    argv = lab.kubectl.argv("logs", "-f", name)
    readers = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(2)]
    lab.execute(name, "touch", "/go")
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(lambda reader: reader.communicate(timeout=60)[0], readers))
    for output in outputs:
        lines = output.splitlines()
        assert [int(line.split()[0]) for line in lines[:-1]] == list(range(LINES))
        assert lines[-1] == b"end"
    assert lab.kubectl("logs", name, f"--tail={LINES}").startswith("1 ")
    folder = lab.docker("inspect", "-f", "{{.LogPath}}", lab.containers(name, every=True, name="main")[0]).strip()
    assert lab.node.host.run("sh", "-c", f"ls {folder}*").split() == [folder, f"{folder}.1"]


def test_following_over_restarts(lab: Lab, pod: Make) -> None:
    """kubectl's stream ends with the container, as in Kubernetes; our own CLI goes on with the next."""
    script = "n=$(cat /data/n 2>/dev/null || echo 0); echo $((n+1)) > /data/n; for i in 1 2 3; do echo $n.$i; done; "
    script += "[ $n -lt 1 ] && sleep 1 && exit 1; sleep 1"
    volume: dict[str, Any] = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    name = pod(script, volume, restartPolicy="OnFailure", volumes=[{"name": "data", "emptyDir": {}}])
    lab.ready(name)
    by_kubectl = subprocess.Popen(lab.kubectl.argv("logs", "-f", name), stdout=subprocess.PIPE, text=True)
    by_pytheas = subprocess.Popen(pytheas(lab, "logs", "-f", name), stdout=subprocess.PIPE, text=True)
    assert by_pytheas.communicate(timeout=40)[0].split() == [f"{n}.{i}" for n in range(2) for i in (1, 2, 3)]
    assert by_pytheas.returncode == 0
    seen = by_kubectl.communicate(timeout=5)[0].split()
    assert by_kubectl.returncode == 0
    assert seen == [f"{seen[0][0]}.{i}" for i in (1, 2, 3)]


def test_all_containers_and_one_stream(lab: Lab) -> None:
    name = lab.name("several")
    init = {"name": "first", "image": "busybox:1", "command": ["echo", "initialized"]}
    lab.apply(manifest(name, "echo out; echo err >&2; echo out; " + SLEEP, initContainers=[init]))
    lab.ready(name)
    wait_until("the lines", lambda: lab.kubectl("logs", name).count("out") == 2)
    every = lab.kubectl("logs", name, "--all-containers", "--prefix")
    assert every.splitlines()[0] == f"[pod/{name}/first] initialized"
    assert run(*pytheas(lab, "logs", name, "--all-containers", "--prefix")).splitlines()[0] == every.splitlines()[0]
    path = f"/api/v1/namespaces/default/pods/{name}/log?container=main"
    assert lab.kubectl("get", "--raw", f"{path}&stream=Stderr") == "err\n"
    assert lab.kubectl("get", "--raw", f"{path}&stream=Stdout") == "out\nout\n"
    refused = lab.kubectl.fails("get", "--raw", f"{path}&stream=Stdout&tailLines=1")
    assert "`tailLines` and specific `stream` are mutually exclusive for now" in refused


def test_logs_outlive_their_pod(lab: Lab) -> None:
    name = lab.name("gone")
    template = manifest("x", "echo I am $HOSTNAME; trap 'echo bye; exit 0' TERM; sleep 3600 & wait")
    labels = {"app": name}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
    }
    lab.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
    lab.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    pods = sorted(each["metadata"]["name"] for each in lab.kubectl.get("pods", "-l", f"app={name}")["items"])
    lab.delete(f"deployment/{name}")
    wait_until("the pods to go", lambda: not lab.kubectl.get("pods", "-l", f"app={name}")["items"])
    lab.node.kubelet.stop()
    lab.node.kubelet.start()
    lab.node.kubelet.wait_for("the kubelet", lambda: pods[0] in listed(lab), 30)
    both = run(*pytheas(lab, "logs", "--deleted", f"deploy/{name}", "--prefix"))
    for each in pods:
        assert f"[pod/{each}/main] I am {each}\n[pod/{each}/main] bye\n" in both
    assert run(*pytheas(lab, "logs", "--deleted", pods[1], "--tail=1")) == "bye\n"


def listed(lab: Lab) -> str:
    done = subprocess.run(pytheas(lab, "logs", "--deleted"), capture_output=True, text=True, check=False)
    return done.stdout
