"""How containers begin and end together: sidecars, hooks, restart rules, debugging, and a probe that takes too long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.e2e.kubelet.conftest import SLEEP, Lab
from tests.harness.process import wait_until

Make = Callable[..., str]


def container(name: str, script: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "busybox:1", "command": ["sh", "-c", script], **fields}


def test_sidecars_start_first_and_end_last(lab: Lab, pod: Make) -> None:
    order = "/var/tmp/order"
    lab.node.host.run("sh", "-c", f"mkdir -p {order}; rm -f {order}/*")
    mounts = {"volumeMounts": [{"name": "o", "mountPath": "/o"}]}
    last = "trap 'echo {0} ends >> /o/log; exit 3' TERM; {1}; while true; do sleep 0.1; done"
    gate = {"exec": {"command": ["cat", "/up"]}, "periodSeconds": 1}
    sidecars = [
        container(
            "first", last.format("first", "sleep 1; touch /up"), **mounts, restartPolicy="Always", startupProbe=gate
        ),
        container("second", last.format("second", "echo second >> /o/log"), **mounts, restartPolicy="Always"),
    ]
    main = "echo main >> /o/log; sleep 2; echo main ends >> /o/log"
    volumes = [{"name": "o", "hostPath": {"path": order}}]
    name = pod(main, mounts, volumes=volumes, initContainers=sidecars, restartPolicy="Never")
    lab.ready(name)
    assert lab.container(name, "first")["started"]
    lab.phase(name, "Succeeded")
    wrote = lab.node.host.run("cat", f"{order}/log").splitlines()
    assert wrote == ["second", "main", "main ends", "second ends", "first ends"]
    assert lab.container(name, "first")["state"]["terminated"]["exitCode"] == 3


def test_hooks(lab: Lab, pod: Make) -> None:
    slow = {"postStart": {"exec": {"command": ["sleep", "2"]}}, "preStop": {"exec": {"command": ["sleep", "60"]}}}
    name = pod(SLEEP, {"lifecycle": slow}, terminationGracePeriodSeconds=1)
    broken = pod(SLEEP, {"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "exit 4"]}}}})
    wait_until("the container to run", lambda: lab.containers(name, "main"))
    assert lab.container(name)["state"] == {"waiting": {"reason": "ContainerCreating"}}
    lab.waiting(broken, "CrashLoopBackOff")
    lab.has_event(broken, "FailedPostStartHook", "PostStartHook failed")
    lab.has_event(broken, "Killing", "FailedPostStartHook")
    lab.ready(name)
    began = time.monotonic()
    lab.delete(f"pod/{name}")
    # The hook takes all of the grace, and the container has a moment of its own after it.
    assert 1 < time.monotonic() - began < 5


def test_restart_rules(lab: Lab, pod: Make) -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    own = {"restartPolicy": "Never", "restartPolicyRules": [rule]}
    code = "test -e /v/again && exit 5; touch /v/again; exit 42"
    mounts = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    scratch = {"volumes": [{"name": "v", "emptyDir": {}}]}
    name = pod(code, {**own, **mounts}, restartPolicy="Never", **scratch)
    everything = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}]
    watcher = container(
        "watcher",
        f"test -e /v/again && {{ {SLEEP}; }}; touch /v/again; sleep 1; exit 88",
        **mounts,
        restartPolicy="Never",
        restartPolicyRules=everything,
    )
    together = pod(SLEEP, more=[watcher], restartPolicy="Never", initContainers=[container("setup", "true")], **scratch)
    lab.phase(name, "Failed")
    told = lab.container(name)
    assert (told["restartCount"], told["state"]["terminated"]["exitCode"]) == (1, 5)
    assert told["lastState"]["terminated"]["exitCode"] == 42
    each = ("setup", "main", "watcher")
    wait_until("all to run anew", lambda: [lab.container(together, one)["restartCount"] for one in each] == [1, 1, 1])
    lab.ready(together)


def test_debugging(lab: Lab, pod: Make) -> None:
    name = pod(SLEEP)
    lab.ready(name)
    debug = ["debug", name, "--image=busybox:1", "--container=shell", "--target=main", "--"]
    lab.kubectl(*debug, "sh", "-c", "ps; exit 3")

    def ended() -> bool:
        told = lab.status(name).get("ephemeralContainerStatuses", [])
        return bool(told and told[0]["state"].get("terminated", {}).get("exitCode") == 3)

    wait_until("the debugger to end", ended, 20)
    assert "sleep 3600" in lab.kubectl("logs", name, "-c", "shell")
    lab.has_event(name, "Started")
    assert lab.conditions(name)["Ready"] == "True"
    assert lab.status(name)["phase"] == "Running"
    assert not lab.containers(name, "shell")


def test_a_probe_that_takes_too_long_leaves_nothing_behind(lab: Lab, pod: Make) -> None:
    probe = {"exec": {"command": ["sh", "-c", "sleep 77; true"]}, "periodSeconds": 1, "timeoutSeconds": 1}
    name = pod(SLEEP, {"readinessProbe": probe})
    lab.has_event(
        name, "Unhealthy", 'Readiness probe failed: command timed out: "sh -c sleep 77; true" timed out after 1s'
    )

    def asked() -> int:
        return lab.execute(name, "ps").count("sleep 77")

    time.sleep(2)
    assert asked() <= 2  # one question is under way: the shell and what it has started
    page = lab.node.host.run("curl", "-sS", f"http://{lab.node.host.address}:10255/metrics/probes")
    line = next(each for each in page.splitlines() if f'pod="{name}"' in each and 'result="failed"' in each)
    assert 'probe_type="Readiness"' in line


def test_a_gate_a_last_word_and_a_second_deletion(lab: Lab, pod: Make) -> None:
    gate = "example.com/open"
    script = "echo -n at last > /words; trap 'exit 7' USR1; trap '' TERM; while true; do sleep 0.1; done"
    fields = {"terminationMessagePath": "/words", "lifecycle": {"stopSignal": "SIGUSR1"}}
    name = pod(script, fields, readinessGates=[{"conditionType": gate}], os={"name": "linux"}, restartPolicy="Never")
    stubborn = pod("trap '' TERM; while true; do sleep 0.1; done", terminationGracePeriodSeconds=60)
    wait_until("its containers to be ready", lambda: lab.conditions(name).get("ContainersReady") == "True")
    told = next(each for each in lab.status(name)["conditions"] if each["type"] == "Ready")
    assert told["status"] == "False"
    assert told["message"] == f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    condition = {"type": gate, "status": "True"}
    patch = json.dumps({"status": {"conditions": [condition]}})
    lab.kubectl("patch", "pod", name, "--subresource=status", "--type=strategic", "-p", patch)
    lab.ready(name)
    lab.docker("kill", "-s", "USR1", *lab.containers(name, "main"))
    lab.phase(name, "Failed")
    ended = lab.container(name)["state"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (7, "at last")
    lab.ready(stubborn)
    lab.kubectl("delete", "pod", stubborn, "--wait=false")
    lab.has_event(stubborn, "Killing", "Stopping container main")
    began = time.monotonic()
    lab.kubectl("delete", "pod", stubborn, "--grace-period=2", "--timeout=30s")
    assert time.monotonic() - began < 8
