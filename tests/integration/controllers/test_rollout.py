"""Deployments as a user handles them with kubectl."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from api.types import apps_v1, core_v1
from controllers.deployment.templates import template_hash, template_of
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until
from tests.integration.controllers.simulation import Simulation


@pytest.fixture(autouse=True)
def _nodes(simulation: Simulation) -> None:
    simulation.ready_if(lambda pod: True)


def manifest(replicas: int = 3, image: str = "app:1", **spec: Any) -> str:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": template,
                **spec,
            },
        }
    )


def rolled_out(kube: Kubectl) -> str:
    return kube("rollout", "status", "deployment/web", "--timeout=30s", seconds=40)


def sets(kube: Kubectl) -> dict[str, dict[str, Any]]:
    """The ReplicaSets by the image they run."""
    items = kube.get("replicasets")["items"]
    return {item["spec"]["template"]["spec"]["containers"][0]["image"]: item for item in items}


def condition(kube: Kubectl, kind: str) -> dict[str, Any]:
    conditions = kube.get("deployment", "web").get("status", {}).get("conditions", [])
    found: dict[str, Any] = next((each for each in conditions if each["type"] == kind), {})
    return found


def image_is(image: str, wanted: bool = True) -> Any:
    def check(pod: core_v1.Pod) -> bool:
        return bool(pod.spec and (pod.spec.containers[0].image == image) == wanted)

    return check


def test_deployment_comes_up(namespace: Kubectl) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    assert 'deployment "web" successfully rolled out' in rolled_out(namespace)
    status = namespace.get("deployment", "web")["status"]
    assert {key: status.get(key) for key in ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")} == {
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "updatedReplicas": 3,
    }
    (made,) = sets(namespace).values()
    name = made["metadata"]["name"]
    described = namespace("describe", "deployment", "web")
    assert f"Scaled up replica set {name} from 0 to 3" in described
    assert f"NewReplicaSet:   {name} (3/3 replicas created)" in described
    assert "MinimumReplicasAvailable" in described
    assert "NewReplicaSetAvailable" in described
    events = namespace("get", "events", "-o", "custom-columns=R:.reason,M:.message", "--no-headers")
    assert events.count("Created pod: ") == 3


def test_update_keeps_to_its_limits_and_is_undone(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest(replicas=8))
    rolled_out(namespace)
    count = simulation.count(namespace.namespace, "web", ready=8)
    namespace("set", "image", "deployment/web", "app=app:2")
    rolled_out(namespace)
    assert count.most <= 10, count.history
    assert count.fewest_ready >= 6, count.history
    assert {image: item["spec"]["replicas"] for image, item in sets(namespace).items()} == {"app:1": 0, "app:2": 8}
    history = namespace("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line.strip()] == ["1", "2"]
    namespace("rollout", "undo", "deployment/web")
    rolled_out(namespace)
    assert {image: item["spec"]["replicas"] for image, item in sets(namespace).items()} == {"app:1": 8, "app:2": 0}
    history = namespace("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line.strip()] == ["2", "3"]
    first = sets(namespace)["app:1"]["metadata"]["annotations"]
    assert first["deployment.kubernetes.io/revision"] == "3"
    assert first["deployment.kubernetes.io/revision-history"] == "1"
    assert count.most <= 10


def test_scale_up_and_down(namespace: Kubectl) -> None:
    namespace("apply", "-f", "-", stdin=manifest(replicas=1))
    rolled_out(namespace)
    namespace("scale", "deployment/web", "--replicas=5")
    rolled_out(namespace)
    assert len(namespace.get("pods")["items"]) == 5
    namespace("scale", "deployment/web", "--replicas=2")
    wait_until("two pods", lambda: len(namespace.get("pods")["items"]) == 2)
    assert len(sets(namespace)) == 1
    events = namespace("get", "events", "-o", "custom-columns=M:.message", "--no-headers")
    assert "from 1 to 5" in events
    assert "from 5 to 2" in events
    assert events.count("Deleted pod: ") == 3


def test_pause_and_resume(namespace: Kubectl) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    namespace("rollout", "pause", "deployment/web")
    namespace("set", "image", "deployment/web", "app=app:2")
    wait_until("the pause is noted", lambda: condition(namespace, "Progressing")["reason"] == "DeploymentPaused")
    assert list(sets(namespace)) == ["app:1"]
    namespace("rollout", "resume", "deployment/web")
    rolled_out(namespace)
    assert sets(namespace)["app:2"]["spec"]["replicas"] == 3


def test_restart_makes_new_pods(namespace: Kubectl) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    before = {item["metadata"]["uid"] for item in namespace.get("pods")["items"]}
    namespace("rollout", "restart", "deployment/web")
    rolled_out(namespace)
    wait_until("old pods to go", lambda: len(namespace.get("pods")["items"]) == 3)
    assert not before & {item["metadata"]["uid"] for item in namespace.get("pods")["items"]}


def test_stuck_rollout_passes_its_deadline(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest(progressDeadlineSeconds=2))
    rolled_out(namespace)
    simulation.ready_if(image_is("app:2", wanted=False))
    namespace("set", "image", "deployment/web", "app=app:2")
    failed = namespace.run("rollout", "status", "deployment/web", "--timeout=30s")
    assert "exceeded its progress deadline" in failed.err
    name = sets(namespace)["app:2"]["metadata"]["name"]
    assert condition(namespace, "Progressing")["message"] == f'ReplicaSet "{name}" has timed out progressing.'
    simulation.ready_if(lambda pod: True)
    rolled_out(namespace)
    assert condition(namespace, "Progressing")["reason"] == "NewReplicaSetAvailable"


def test_recreate_lets_the_old_pods_go_first(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest(strategy={"type": "Recreate"}))
    rolled_out(namespace)
    count = simulation.count(namespace.namespace, "web")
    namespace("set", "image", "deployment/web", "app=app:2")
    rolled_out(namespace)
    assert count.most == 3
    assert (0, 0) in count.history


def test_history_is_limited(namespace: Kubectl) -> None:
    namespace("apply", "-f", "-", stdin=manifest(replicas=1, revisionHistoryLimit=1))
    for number in range(2, 5):
        rolled_out(namespace)
        namespace("set", "image", "deployment/web", f"app=app:{number}")
    rolled_out(namespace)
    wait_until("history to be cut", lambda: sorted(sets(namespace)) == ["app:3", "app:4"])


def test_pods_of_a_minimum_age_only_are_available(namespace: Kubectl) -> None:
    namespace("apply", "-f", "-", stdin=manifest(minReadySeconds=2))
    wait_until("ready", lambda: namespace.get("deployment", "web").get("status", {}).get("readyReplicas") == 3)
    assert "availableReplicas" not in namespace.get("deployment", "web")["status"]
    rolled_out(namespace)


def test_a_taken_name_is_avoided(namespace: Kubectl, simulation: Simulation) -> None:
    """Another's ReplicaSet has the very name that the template's hash gives."""
    namespace("apply", "-f", "-", stdin=manifest(paused=True))
    raw = json.dumps(namespace.get("deployment", "web"))
    deployment = msgspec.json.decode(raw, type=apps_v1.Deployment)
    name = f"web-{template_hash(template_of(deployment), 0)}"
    other = json.loads(manifest(replicas=0))
    other |= {"kind": "ReplicaSet", "metadata": {"name": name}}
    other["spec"]["selector"]["matchLabels"] = other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    namespace("apply", "-f", "-", stdin=json.dumps(other))
    namespace("rollout", "resume", "deployment/web")
    rolled_out(namespace)
    assert namespace.get("deployment", "web")["status"]["collisionCount"] == 1
    made = [item["metadata"]["name"] for item in namespace.get("replicasets", "-l", "app=web")["items"]]
    assert made == [f"web-{template_hash(template_of(deployment), 1)}"]


def test_quick_changes_of_mind(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest(replicas=4))
    count = simulation.count(namespace.namespace, "web")
    for number in range(2, 7):
        namespace("set", "image", "deployment/web", f"app=app:{number}")
    rolled_out(namespace)
    assert count.most <= 5, count.history
    assert {image: item["spec"]["replicas"] for image, item in sets(namespace).items() if item["spec"]["replicas"]} == {
        "app:6": 4
    }
