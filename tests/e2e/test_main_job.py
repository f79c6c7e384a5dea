"""The main job as a user does it: a Deployment and a Service on real nodes, with the real kubectl."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import pytest

from tests.harness import manifests
from tests.harness.cluster import Cluster
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until


@pytest.fixture
def hello(namespace: Kubectl) -> Kubectl:
    """The sample application, rolled out."""
    for each in (manifests.deployment("hello"), manifests.service("hello", kind="NodePort")):
        namespace("apply", "-f", "-", stdin=json.dumps(each))
    namespace("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    return namespace


def answered_by(curl: Callable[..., str], url: str, times: int = 30) -> set[str]:
    return {curl(url).split()[2].rstrip(",") for _ in range(times)}


def pod_names(kubectl: Kubectl) -> set[str]:
    return {pod["metadata"]["name"] for pod in kubectl.get("pods", "-l", "app=hello")["items"]}


def test_all_pods_answer_through_cluster_ip_and_node_port(
    hello: Kubectl, curl: Callable[..., str], cluster: Cluster
) -> None:
    service = hello.get("service", "hello")["spec"]
    node_port = service["ports"][0]["nodePort"]
    names = pod_names(hello)
    assert len(names) == 3
    for number in (0, 1):
        seen = {curl(f"http://{service['clusterIP']}/", node=number).split()[2].rstrip(",") for _ in range(30)}
        assert seen == names
    for node in cluster.nodes:
        assert answered_by(curl, f"http://{node.host.address}:{node_port}/") == names


def test_get_wide_shows_addresses_and_nodes(hello: Kubectl, cluster: Cluster) -> None:
    lines = hello("get", "pods", "-o", "wide").splitlines()
    assert lines[0].split() == [
        "NAME",
        "READY",
        "STATUS",
        "RESTARTS",
        "AGE",
        "IP",
        "NODE",
        "NOMINATED",
        "NODE",
        "READINESS",
        "GATES",
    ]
    assert len(lines) == 4
    for line in lines[1:]:
        assert re.search(r"\s1/1\s+Running\s+0\s+\d+s\s+10\.244\.\d+\.\d+\s+pye-[12]\s+<none>\s+<none>$", line), line


def test_get_watch_shows_a_pod_come_up(namespace: Kubectl) -> None:
    watch = subprocess.Popen(namespace.argv("get", "pods", "-w"), stdout=subprocess.PIPE, text=True)
    assert watch.stdout is not None
    try:
        namespace("apply", "-f", "-", stdin=json.dumps(manifests.pod("one", "sleep 600")))
        seen = []
        for line in watch.stdout:
            seen.append(line.split()[2])
            if line.split()[2] == "Running":
                break
        assert seen[0] == "STATUS"
        assert seen[1] == "Pending"
        assert set(seen[2:-1]) <= {"Pending", "ContainerCreating"}  # a quick start leaves no time to tell of it
    finally:
        watch.kill()
        watch.wait()
        watch.stdout.close()


def test_describe(hello: Kubectl, cluster: Cluster) -> None:
    name = sorted(pod_names(hello))[0]
    pod = hello("describe", "pod", name)
    assert re.search(r"^Status:\s+Running$", pod, re.MULTILINE)
    assert re.search(r"^Controlled By:\s+ReplicaSet/hello-", pod, re.MULTILINE)
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert re.search(rf"\sNormal\s+{reason}\s", pod), f"{reason} is not among the events:\n{pod}"
    deployment = hello("describe", "deployment", "hello")
    assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in deployment
    assert re.search(r"Available\s+True\s+MinimumReplicasAvailable", deployment)
    assert re.search(r"Scaled up replica set hello-\w+ from 0 to 3", deployment)
    node = hello("describe", "node", cluster.nodes[0].name)
    assert re.search(r"Ready\s+True\s.*KubeletReady", node)
    assert re.search(r"HolderIdentity:\s+pye-1", node)
    assert "Container Runtime Version:" in node
    assert "docker://" in node


def test_logs_follow(namespace: Kubectl) -> None:
    script = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); sleep 0.1; done"
    namespace("apply", "-f", "-", stdin=json.dumps(manifests.pod("talker", script)))
    namespace("wait", "--for=condition=Ready", "pod/talker", "--timeout=30s")
    follow = subprocess.Popen(namespace.argv("logs", "-f", "talker"), stdout=subprocess.PIPE, text=True)
    assert follow.stdout is not None
    try:
        lines = [follow.stdout.readline().strip() for _ in range(30)]
    finally:
        follow.kill()
        follow.wait()
        follow.stdout.close()
    assert lines == [f"line {number}" for number in range(30)]
    assert len(namespace("logs", "talker", "--tail=3").splitlines()) == 3


def test_scale_set_image_history_undo(hello: Kubectl, curl: Callable[..., str]) -> None:
    hello("scale", "deployment/hello", "--replicas=5")
    hello("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    assert len(pod_names(hello)) == 5
    hello("scale", "deployment/hello", "--replicas=2")
    wait_until("two pods", lambda: len(pod_names(hello)) == 2)

    hello("set", "env", "deployment/hello", "VERSION=2")
    assert "successfully rolled out" in hello("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    url = f"http://{hello.get('service', 'hello')['spec']['clusterIP']}/"
    wait_until("only version 2", lambda: all("version 2" in curl(url) for _ in range(10)))
    history = hello("rollout", "history", "deployment/hello")
    assert re.findall(r"^(\d+)\s", history, re.MULTILINE) == ["1", "2"]

    hello("set", "image", "deployment/hello", "web=pytheas/hello:2")
    hello("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    images = hello("get", "pods", "--field-selector=status.phase=Running", "-o", "jsonpath={..spec..image}").split()
    assert set(images) == {"pytheas/hello:2"}

    hello("rollout", "undo", "deployment/hello", "--to-revision=1")
    hello("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    wait_until("only version 1", lambda: all("version 1" in curl(url) for _ in range(10)))
    history = hello("rollout", "history", "deployment/hello")
    assert re.findall(r"^(\d+)\s", history, re.MULTILINE) == ["2", "3", "4"]


def test_set_image_to_a_missing_one_keeps_the_old_pods(hello: Kubectl, curl: Callable[..., str]) -> None:
    before = pod_names(hello)
    hello("set", "image", "deployment/hello", "web=pytheas/absent:9")

    def waiting() -> bool:
        return bool({"ErrImagePull", "ImagePullBackOff"} & set(hello("get", "pods").split()))

    wait_until("the new pod's image error", waiting)
    ready = {line.split()[0] for line in hello("get", "pods").splitlines() if " 1/1 " in line}
    assert len(ready & before) == 3
    hello("rollout", "undo", "deployment/hello")
    hello("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    wait_until("the bad pod to be gone", lambda: len(hello("get", "pods").splitlines()) == 4)


def test_an_unready_pod_gets_no_requests(namespace: Kubectl, curl: Callable[..., str], cluster: Cluster) -> None:
    probe = {"exec": {"command": ["test", "-e", "/www/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    command = ["sh", "-c", "touch /www/ready; exec httpd -f -p 8080 -h /www"]
    web = manifests.deployment("hello", 2, container={"readinessProbe": probe, "command": command})
    for each in (web, manifests.service("hello")):
        namespace("apply", "-f", "-", stdin=json.dumps(each))
    namespace("rollout", "status", "deployment/hello", "--timeout=60s", seconds=90)
    url = f"http://{namespace.get('service', 'hello')['spec']['clusterIP']}/"
    assert len(answered_by(curl, url)) == 2

    victim = namespace.get("pods")["items"][0]
    host = next(node.host for node in cluster.nodes if node.name == victim["spec"]["nodeName"])
    container = victim["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    host.run("docker", "-H", host.docker, "exec", container, "rm", "/www/ready")
    name = victim["metadata"]["name"]
    wait_until("only the other pod to answer", lambda: name not in answered_by(curl, url, times=10))
    slices = namespace.get("endpointslices", "-l", "kubernetes.io/service-name=hello")["items"]
    ready = [point["conditions"]["ready"] for each in slices for point in each["endpoints"]]
    assert sorted(ready) == [False, True]


def test_wait_delete_and_endpoints_follow(hello: Kubectl) -> None:
    hello("delete", "deployment", "hello")
    hello("wait", "--for=delete", "pod", "-l", "app=hello", "--timeout=60s", seconds=90)
    addresses = hello("get", "endpoints", "hello", "-o", "jsonpath={.subsets}")
    assert addresses in ("", "[]", "null")


def test_cordon_keeps_new_pods_away(namespace: Kubectl, cluster: Cluster) -> None:
    first, second = (node.name for node in cluster.nodes)
    namespace("cordon", first)
    try:
        assert "SchedulingDisabled" in namespace("get", "node", first)
        namespace("create", "deployment", "away", "--image=pytheas/hello:1", "--replicas=4")
        namespace("rollout", "status", "deployment/away", "--timeout=60s", seconds=90)
        nodes = namespace("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}").split()
        assert set(nodes) == {second}
    finally:
        namespace("uncordon", first)


def test_a_pod_that_fits_nowhere_says_why(namespace: Kubectl) -> None:
    big = manifests.pod("big", "sleep 1", container={"resources": {"requests": {"cpu": "1000"}}})
    namespace("apply", "-f", "-", stdin=json.dumps(big))

    def told() -> bool:
        return "0/2 nodes are available: 2 Insufficient cpu" in namespace("describe", "pod", "big")

    wait_until("the reason among the events", told)
    assert namespace.get("pod", "big")["status"]["phase"] == "Pending"


def test_containers_of_a_pod_share_address_ipc_and_volume(namespace: Kubectl) -> None:
    both = manifests.pod("both", "echo shared > /data/file; httpd -p 127.0.0.1:8000 -h /data; sleep 600")
    mount = [{"name": "data", "mountPath": "/data"}]
    both["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    both["spec"]["containers"][0]["volumeMounts"] = mount
    script = "until wget -q -O - http://127.0.0.1:8000/file; do sleep 0.1; done; cat /data/file; sleep 600"
    other = {"name": "other", "image": "busybox:1", "command": ["sh", "-c", script], "volumeMounts": mount}
    both["spec"]["containers"].append(other)
    namespace("apply", "-f", "-", stdin=json.dumps(both))
    namespace("wait", "--for=condition=Ready", "pod/both", "--timeout=30s")
    wait_until("both lines", lambda: namespace("logs", "both", "-c", "other").splitlines()[:2] == ["shared", "shared"])


def test_a_pod_succeeds_or_fails(namespace: Kubectl) -> None:
    for name, code, phase in (("good", 0, "Succeeded"), ("bad", 3, "Failed")):
        namespace("apply", "-f", "-", stdin=json.dumps(manifests.pod(name, f"exit {code}", restartPolicy="Never")))
        namespace("wait", f"--for=jsonpath={{.status.phase}}={phase}", f"pod/{name}", "--timeout=30s")
        state = namespace.get("pod", name)["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (state["exitCode"], state["reason"]) == (code, "Completed" if code == 0 else "Error")
