"""A node of these tests' own, and short ways to make pods on it and to look at them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.cluster import Cluster
from tests.harness.host import run
from tests.harness.process import wait_until

_numbers = itertools.count(1)

MANIFESTS = "/etc/opt"
"""The node's folder of static pods: one that is there, and empty, on every Debian."""


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    flags = {"kubelet": ("--pod-manifest-path", MANIFESTS)}
    with Cluster("pyk", nodes=1, prefix="172.29.12", flags=flags) as running:
        running.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        yield running


class Lab:
    """Pods of one test; they go with it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.node = cluster.nodes[0]
        self.kubectl = cluster.kubectl
        self._made: list[str] = []

    def name(self, stem: str) -> str:
        return f"{stem}-{next(_numbers)}"

    def apply(self, *objects: dict[str, Any]) -> None:
        for each in objects:
            self._made.append(f"{each['kind'].lower()}/{each['metadata']['name']}")
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects]}))

    def status(self, pod: str) -> dict[str, Any]:
        found: dict[str, Any] = self.kubectl.get("pod", pod).get("status", {})
        return found

    def container(self, pod: str, name: str = "main") -> dict[str, Any]:
        """A container's status; an AssertionError while there is none."""
        status = self.status(pod)
        statuses = [*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())]
        found = [each for each in statuses if each["name"] == name]
        assert found, f"{pod} tells nothing of {name}"
        return dict(found[0])

    def conditions(self, pod: str) -> dict[str, str]:
        return {each["type"]: each["status"] for each in self.status(pod).get("conditions", ())}

    def ready(self, pod: str) -> None:
        self.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=40s")

    def phase(self, pod: str, wanted: str, seconds: float = 40) -> None:
        wait_until(f"{pod} to be {wanted}", lambda: self.status(pod).get("phase") == wanted, seconds, every=0.2)

    def waiting(self, pod: str, reason: str, seconds: float = 40) -> dict[str, Any]:
        def waits() -> bool:
            return bool(self.container(pod)["state"].get("waiting", {}).get("reason") == reason)

        wait_until(f"{pod} to wait for {reason}", waits, seconds, every=0.1)
        return self.container(pod)

    def execute(self, pod: str, *command: str, name: str = "main") -> str:
        """Run a command in a pod's container, by Docker itself."""
        return self.docker("exec", self.containers(pod, name)[0], *command)

    def containers(self, pod: str, name: str = "", *, every: bool = False) -> list[str]:
        """Docker's ids of a pod's containers; `POD` is the sandbox."""
        words = ["--filter", f"label=io.kubernetes.pod.name={pod}"]
        words += ["--filter", f"label=io.kubernetes.container.name={name}"] if name else []
        return self.docker("ps", "-q", "--no-trunc", *(["-a"] if every else []), *words).split()

    def docker(self, *words: str) -> str:
        return run("docker", "-H", self.node.host.docker, *words)

    def events(self, pod: str) -> list[tuple[str, str]]:
        found = self.kubectl.get("events", "--field-selector", f"involvedObject.name={pod}")
        return [(each["reason"], each["message"]) for each in found["items"]]

    def has_event(self, pod: str, reason: str, part: str = "") -> None:
        def seen() -> bool:
            return any(reason == told and part in message for told, message in self.events(pod))

        wait_until(f"an event {reason} of {pod}", seen, 20, every=0.2)

    def logs(self, pod: str, part: str) -> list[str]:
        """The lines that the pod has written, once `part` is among them: it is ready before it has said anything."""
        wait_until(f"{pod} to say {part!r}", lambda: part in self.kubectl("logs", pod))
        return self.kubectl("logs", pod).splitlines()

    def delete(self, *names: str) -> None:
        self.kubectl("delete", *names, "--ignore-not-found", "--timeout=60s", seconds=90)

    def clear(self) -> None:
        if self._made:
            self.delete(*dict.fromkeys(self._made))


@pytest.fixture
def lab(cluster: Cluster) -> Iterator[Lab]:
    made = Lab(cluster)
    yield made
    made.clear()


@pytest.fixture
def pod(lab: Lab) -> Callable[..., str]:
    """Makes a busybox pod with a container `main` that runs a script; returns its name."""

    def make(script: str, container: dict[str, Any] | None = None, stem: str = "pod", **spec: Any) -> str:
        name = lab.name(stem)
        lab.apply(manifest(name, script, container, **spec))
        return name

    return make


def manifest(name: str, script: str, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", script], **(container or {})}
    containers = [main, *spec.pop("more", ())]
    body = {"containers": containers, "terminationGracePeriodSeconds": 2, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": body}


SLEEP = "trap 'exit 0' TERM; sleep 3600 & wait"
"""A script that runs until it is asked to end, and then ends at once."""
