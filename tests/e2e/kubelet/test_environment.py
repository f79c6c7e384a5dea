"""A container's variables, and its command made from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.e2e.kubelet.test_containers import config_map, secret

Make = Callable[..., str]


def test_environment(lab: Lab) -> None:
    config, hidden, name = lab.name("config"), lab.name("hidden"), lab.name("env")
    lab.apply(config_map(config, color="red", size="9"), secret(hidden, password="hush"))
    env = [
        {"name": "PLAIN", "value": "one"},
        {"name": "EXPANDED", "value": "$(PLAIN)-$(P_size)-$(ABSENT)-$$(PLAIN)"},
        {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": config, "key": "color"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": hidden, "key": "password"}}},
        {"name": "MAYBE", "valueFrom": {"configMapKeyRef": {"name": "no-such", "key": "x", "optional": True}}},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    container = {
        "env": env,
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": config}}],
        "args": ["$(PLAIN)", "$(ABSENT)"],
        "command": ["sh", "-c", 'echo "args $0 $1"; env; echo complete; ' + SLEEP],
        "resources": {"limits": {"memory": "48Mi", "cpu": "250m"}},
    }
    lab.apply(manifest(name, "", container))
    lab.ready(name)
    lines = lab.logs(name, "complete")
    assert lines[0] == "args one $(ABSENT)"
    seen = dict(line.partition("=")[::2] for line in lines[1:])
    assert seen["EXPANDED"] == "one-9-$(ABSENT)-$(PLAIN)"
    assert (seen["COLOR"], seen["PASSWORD"], seen["P_color"]) == ("red", "hush", "red")
    assert "MAYBE" not in seen
    assert (seen["POD_IP"], seen["NODE"]) == (lab.status(name)["podIP"], lab.node.name)
    assert (seen["APP"], seen["LIMIT"], seen["HOSTNAME"]) == (name, "48", name)
    assert seen["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"


def test_a_missing_key_keeps_a_container_waiting_until_it_is_there(lab: Lab, pod: Make) -> None:
    config = lab.name("late")
    env = [{"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": config, "key": "color"}}}]
    name = pod(SLEEP, {"env": env})
    waiting = lab.waiting(name, "CreateContainerConfigError")["state"]["waiting"]
    assert waiting["message"] == f'configmap "{config}" not found'
    lab.apply(config_map(config, color="blue"))
    lab.ready(name)
    assert lab.execute(name, "sh", "-c", "echo $COLOR").strip() == "blue"


def test_variables_from_fields_resources_and_files(lab: Lab) -> None:
    name = lab.name("fields")
    fields = {
        "NAME": "metadata.name",
        "UID": "metadata.uid",
        "NOTE": "metadata.annotations['note']",
        "ACCOUNT": "spec.serviceAccountName",
        "HOSTS": "status.hostIPs",
        "IPS": "status.podIPs",
    }
    env = [{"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in fields.items()]
    env += [
        {"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {
            "name": "SIDE",
            "valueFrom": {"resourceFieldRef": {"containerName": "side", "resource": "limits.memory", "divisor": "1Ki"}},
        },
        {"name": "FILE", "valueFrom": {"fileKeyRef": {"volumeName": "made", "path": "env", "key": "A"}}},
        {
            "name": "MAYBE",
            "valueFrom": {"fileKeyRef": {"volumeName": "made", "path": "x", "key": "A", "optional": True}},
        },
        {"name": "with.dots-and spaces", "value": "$(FILE)!"},
    ]
    init = {
        "name": "init",
        "image": "busybox:1",
        "command": ["sh", "-c", "echo \"A='one two'\" > /made/env"],
        "volumeMounts": [{"name": "made", "mountPath": "/made"}],
    }
    side: dict[str, Any] = {"name": "side", "image": "busybox:1", "command": ["sh", "-c", SLEEP]}
    side |= {"resources": {"limits": {"memory": "15360Ki"}}}
    made = manifest(
        name,
        "cat /proc/1/environ; echo; echo complete; " + SLEEP,
        {"env": env},
        more=[side],
        initContainers=[init],
        volumes=[{"name": "made", "emptyDir": {}}],
        enableServiceLinks=False,
    )
    made["metadata"]["annotations"] = {"note": "a note"}
    lab.apply(made)
    lab.ready(name)
    lines = "\n".join(lab.kubectl("logs", name, "-c", "main").splitlines()).split("\0")
    seen = dict(line.partition("=")[::2] for line in lines)
    pod = lab.kubectl.get("pod", name)
    assert (seen["NAME"], seen["UID"], seen["NOTE"]) == (name, pod["metadata"]["uid"], "a note")
    assert (seen["ACCOUNT"], seen["HOSTS"], seen["IPS"]) == (
        "default",
        pod["status"]["hostIP"],
        pod["status"]["podIP"],
    )
    allocatable = lab.kubectl.get("node", lab.node.name)["status"]["allocatable"]
    assert (seen["CPUS"], seen["SIDE"]) == (allocatable["cpu"], "15360")
    assert (seen["FILE"], seen["with.dots-and spaces"]) == ("one two", "one two!")
    assert "MAYBE" not in seen
    assert "KUBERNETES_SERVICE_HOST" in seen
