"""How pods start, fail, wait, restart and end, as Kubernetes tells it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from kubelet.runtime.container import seconds
from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.harness.host import run
from tests.harness.process import wait_until

Make = Callable[..., str]


def test_a_crashing_container_backs_off(lab: Lab, pod: Make) -> None:
    name = pod("echo last words; echo -n farewell > /dev/termination-log; exit 3")
    told = lab.waiting(name, "CrashLoopBackOff")
    assert told["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=main pod=")
    assert told["restartCount"] == 1
    last = told["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], last["message"]) == (3, "Error", "farewell")
    assert last["containerID"] == told["containerID"]
    assert lab.status(name)["phase"] == "Running"
    lab.has_event(name, "BackOff", "Back-off restarting failed container main in pod")
    wait_until("the second restart", lambda: lab.container(name)["restartCount"] == 2, 20, every=0.2)
    assert lab.kubectl("logs", name, "--previous").strip() == "last words"


def test_a_job_like_pod_succeeds_or_fails(lab: Lab, pod: Make) -> None:
    good = pod("exit 0", restartPolicy="Never")
    bad = pod("echo oops >&2; exit 5", {"terminationMessagePolicy": "FallbackToLogsOnError"}, restartPolicy="Never")
    lab.phase(good, "Succeeded")
    lab.phase(bad, "Failed")
    assert lab.container(good)["state"]["terminated"]["reason"] == "Completed"
    assert lab.container(bad)["state"]["terminated"]["message"].strip() == "oops"
    assert lab.container(bad)["restartCount"] == 0
    wait_until("the sandbox to go", lambda: not lab.containers(good, "POD", every=True))
    assert lab.kubectl("logs", bad).strip() == "oops"


def test_a_program_that_is_not_there(lab: Lab, pod: Make) -> None:
    name = pod("", {"command": ["no-such-program"]})
    told = lab.waiting(name, "CrashLoopBackOff")["lastState"]["terminated"]
    assert told["reason"] == "StartError"
    assert "executable file not found" in told["message"]
    lab.has_event(name, "Failed", "executable file not found")


def test_images_that_cannot_be_had(lab: Lab, pod: Make) -> None:
    never = pod(SLEEP, {"image": "absent:1", "imagePullPolicy": "Never"})
    absent = pod(SLEEP, {"image": "127.0.0.1:9/absent:1"})
    assert lab.waiting(never, "ErrImageNeverPull")["state"]["waiting"]["message"] == (
        'Container image "absent:1" is not present with pull policy of Never'
    )
    lab.waiting(absent, "ErrImagePull")
    lab.waiting(absent, "ImagePullBackOff")
    lab.has_event(absent, "Failed", 'Failed to pull image "127.0.0.1:9/absent:1"')
    assert lab.status(absent)["phase"] == "Pending"
    lab.docker("tag", "busybox:1", "absent:1")
    lab.ready(never)
    lab.docker("rmi", "absent:1")


def test_grace_and_what_overruns_it(lab: Lab, pod: Make) -> None:
    polite = pod("trap 'sleep 0.5; exit 0' TERM; sleep 100 & wait; sleep 100", terminationGracePeriodSeconds=20)
    stubborn = pod("trap '' TERM; while true; do sleep 1; done", terminationGracePeriodSeconds=3)
    lab.ready(polite)
    lab.ready(stubborn)
    began = time.monotonic()
    lab.delete(f"pod/{polite}")
    assert time.monotonic() - began < 8
    began = time.monotonic()
    lab.delete(f"pod/{stubborn}")
    assert 2.5 < time.monotonic() - began < 10
    assert not lab.containers(polite, every=True)
    assert not lab.containers(stubborn, every=True)


def test_pre_stop_and_post_start(lab: Lab, pod: Make) -> None:
    lab.node.host.run("mkdir", "-p", "/var/tmp/hooks")
    mounts = [{"name": "h", "mountPath": "/h"}]
    volumes = [{"name": "h", "hostPath": {"path": "/var/tmp/hooks"}}]
    hooks = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo begun > /h/post"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo ending > /h/pre"]}},
    }
    name = pod(SLEEP, {"lifecycle": hooks, "volumeMounts": mounts}, volumes=volumes)
    lab.ready(name)
    assert lab.node.host.run("cat", "/var/tmp/hooks/post").strip() == "begun"
    lab.delete(f"pod/{name}")
    assert lab.node.host.run("cat", "/var/tmp/hooks/pre").strip() == "ending"


def test_liveness_restarts_and_readiness_tells(lab: Lab, pod: Make) -> None:
    probes = {
        "livenessProbe": {"exec": {"command": ["cat", "/alive"]}, "periodSeconds": 1, "failureThreshold": 1},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1},
        "startupProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 30},
    }
    script = "touch /alive; mkdir -p /www; sleep 1; httpd -p 8080 -h /www; " + SLEEP
    name = pod(script, probes)
    wait_until("the startup probe", lambda: lab.container(name)["started"], 20)
    assert not lab.container(name)["ready"]
    lab.has_event(name, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
    lab.execute(name, "touch", "/www/ready")
    lab.ready(name)
    lab.execute(name, "rm", "/www/ready")
    wait_until("not ready", lambda: lab.conditions(name)["Ready"] == "False", 10)
    assert lab.container(name)["restartCount"] == 0
    lab.execute(name, "rm", "/alive")
    wait_until("the restart", lambda: lab.container(name)["restartCount"] == 1, 20)
    lab.has_event(name, "Killing", "Container main failed liveness probe, will be restarted")
    lab.has_event(name, "Unhealthy", "Liveness probe failed: cat: can't open '/alive'")


def test_a_killed_container_is_back_within_a_second(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP)
    lab.ready(name)
    (container,) = lab.containers(name, "main")
    lab.docker("kill", "--signal", "KILL", container)
    wait_until("another container", lambda: lab.containers(name, "main") not in ([], [container]), 10)
    ended = _docker_time(lab, container, "FinishedAt")
    assert _docker_time(lab, lab.containers(name, "main")[0], "StartedAt") - ended < 1
    wait_until("the count", lambda: lab.container(name)["restartCount"] == 1)
    assert lab.container(name)["lastState"]["terminated"]["exitCode"] == 137


def _docker_time(lab: Lab, container: str, what: str) -> float:
    return seconds(lab.docker("inspect", "--format", f"{{{{.State.{what}}}}}", container).strip())


def test_a_lost_sandbox_is_made_anew_with_all_its_containers(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP, more=[{"name": "helper", "image": "busybox:1", "command": ["sh", "-c", SLEEP]}])
    lab.ready(name)
    (sandbox,) = lab.containers(name, "POD")
    lab.docker("rm", "-f", sandbox)
    wait_until("another sandbox", lambda: lab.containers(name, "POD") not in ([], [sandbox]), 20)
    wait_until("both counted", lambda: _restarts(lab, name) == [1, 1], 20)
    lab.ready(name)
    lab.has_event(name, "SandboxChanged")
    assert f"/{lab.status(name)['podIP']}/" in lab.execute(name, "ip", "addr", "show", "eth0").replace(" ", "/")


def _restarts(lab: Lab, name: str) -> list[int]:
    return [each["restartCount"] for each in lab.status(name)["containerStatuses"]]


def test_logs(lab: Lab, pod: Make) -> None:
    name = pod("for i in 1 2 3 4 5; do echo line $i; done; sleep 2; echo late; " + SLEEP)
    lab.ready(name)
    wait_until("the lines", lambda: "line 5" in lab.kubectl("logs", name))
    assert lab.kubectl("logs", name, "--tail=2").splitlines() == ["line 4", "line 5"]
    assert lab.kubectl("logs", name, "--limit-bytes=8") == "line 1\nl"
    stamp, text = lab.kubectl("logs", name, "--timestamps", "--tail=1").strip().split(" ", 1)
    assert text == "line 5"
    assert stamp.endswith("Z")
    followed = run(*lab.kubectl.argv("logs", "-f", name, "--pod-running-timeout=5s", "--limit-bytes=40"))
    assert followed.splitlines()[-1] == "late"
    assert lab.kubectl("logs", name, "--since=1h").count("\n") == 6
    assert lab.kubectl("logs", name, "--since-time=2099-01-01T00:00:00Z") == ""
    refused = lab.kubectl.fails("logs", name, "--previous")
    assert 'previous terminated container "main" in pod' in refused
    assert "container nosuch is not valid for pod" in lab.kubectl.fails("logs", name, "-c", "nosuch")


def test_logs_of_a_container_that_waits(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP, {"image": "absent:1", "imagePullPolicy": "Never"})
    lab.waiting(name, "ErrImageNeverPull")
    refused = lab.kubectl.fails("logs", name)
    assert f'container "main" in pod "{name}" is waiting to start: ErrImageNeverPull' in refused


def test_a_pods_own_deadline(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP, activeDeadlineSeconds=2)
    lab.phase(name, "Failed")
    status = lab.status(name)
    assert status["reason"] == "DeadlineExceeded"
    wait_until("the container to end", lambda: not lab.containers(name))


def test_a_log_reader_that_goes_leaves_nothing(lab: Lab, pod: Make) -> None:
    name = pod("while true; do echo tick; sleep 0.2; done", terminationGracePeriodSeconds=0)
    lab.ready(name)

    readers = [subprocess.Popen(lab.kubectl.argv("logs", "-f", name), stdout=subprocess.PIPE) for _ in range(5)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"tick\n"
        reader.kill()
        reader.wait()
        reader.stdout.close()
    assert lab.kubectl("logs", name, "--tail=1") == "tick\n"
    wait_until("the streams to end", lambda: _open_log_streams(lab) == 0, 10, every=0.2)


def _open_log_streams(lab: Lab) -> int:
    """How many logs the kubelet is reading for somebody."""
    page = lab.node.host.run("curl", "-sS", f"http://{lab.node.host.address}:10255/metrics")
    line = next(each for each in page.splitlines() if each.startswith("kubelet_log_streams "))
    return int(float(line.split()[1]))


def test_a_finalizer_holds_the_object_and_not_the_containers(lab: Lab) -> None:
    name = lab.name("held")
    held = manifest(name, SLEEP)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    lab.apply(held)
    lab.ready(name)
    lab.kubectl("delete", "pod", name, "--wait=false")
    wait_until("the containers to go", lambda: not lab.containers(name, every=True))
    assert lab.status(name)["phase"] in ("Succeeded", "Failed")
    lab.kubectl("patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    page = f"http://{lab.node.host.address}:10255/pods"
    wait_until("the kubelet to forget it", lambda: name not in lab.node.host.run("curl", "-sS", page))
    assert "NotFound" in lab.kubectl.fails("get", "pod", name)
