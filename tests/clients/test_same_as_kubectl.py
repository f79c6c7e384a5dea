"""Patches, quantities and names, held against the real kubectl working on local files: both must come to the same.

kubectl carries the API's own Go code for these, and `--local` runs it without any server. The patches are drawn from a
seeded generator, so that a failure can be had again.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from api import quantity
from api.errors import StatusError
from api.names import label_value
from api.patch import json_patch, merge_patch, strategic_merge, three_way
from api.schema import load, type_error
from tests.harness.kubectl import Answer, Kubectl
from tests.unit.api.objects import deployment

DEPLOYMENT = load("io.k8s.api.apps.v1.Deployment")
CONTAINERS = ("app", "side", "new", "other")
FINALIZERS = ("example.com/a", "example.com/b", "example.com/c")


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    config = tmp_path / "config"
    config.write_text('{"apiVersion":"v1","kind":"Config"}')
    (tmp_path / "doc.json").write_text(json.dumps(deployment()))
    return Kubectl(config)


def local(kubectl: Kubectl, *words: str) -> Answer:
    file = str(kubectl.kubeconfig.with_name("doc.json"))
    return kubectl.run(*words, "--local", "-f", file, "-o", "json")


def patched(kubectl: Kubectl, patch: Any, kind: str = "strategic") -> dict[str, Any] | None:
    """What kubectl makes of the Deployment, or None if it refuses."""
    answer = local(kubectl, "patch", "--type", kind, "-p", json.dumps(patch))
    return json.loads(answer.out) if answer.code == 0 else None


def bare(value: Any) -> Any:
    """Without what Go's encoder leaves out, and without directives that met nothing to merge with: Go keeps them."""
    if isinstance(value, dict):
        cleaned = {key: bare(item) for key, item in value.items() if not key.startswith("$")}
        return {key: item for key, item in cleaned.items() if item not in ({}, [], None)}
    if isinstance(value, list):
        return [bare(item) for item in value if not (isinstance(item, dict) and item.get("$patch") == "delete")]
    return value


def draw_env(random: Random) -> dict[str, Any]:
    env: dict[str, Any] = {"name": random.choice("ABCD")}
    return env | random.choice([{"$patch": "delete"}, {"value": "8"}, {"value": "9"}])


def draw_container(random: Random, name: str) -> dict[str, Any]:
    container: dict[str, Any] = {"name": name}
    if random.random() < 0.2:
        return container | {"$patch": "delete"}
    if random.random() < 0.6:
        container["image"] = random.choice(["hello:2", "other:1", None])
    if random.random() < 0.5:
        container["env"] = [draw_env(random) for _ in range(random.randint(1, 3))]
    if random.random() < 0.3:
        port: dict[str, Any] = {"containerPort": random.choice([8080, 9090])}
        container["ports"] = [port | random.choice([{"name": "p"}, {"$patch": "delete"}])]
    if random.random() < 0.3:
        container["command"] = random.choice([["a", "b"], None])
    if random.random() < 0.3:
        container["resources"] = random.choice([{"limits": {"cpu": "1"}}, {"limits": None}])
    return container


def draw_pod(random: Random) -> dict[str, Any]:
    pod: dict[str, Any] = {}
    if random.random() < 0.8:
        pod["containers"] = [draw_container(random, name) for name in random.sample(CONTAINERS, random.randint(1, 3))]
        if random.random() < 0.1:
            pod["containers"].append({"$patch": "replace"})
    # Deleting and ordering at once makes Go's result depend on how it reuses the deleted element's memory.
    if random.random() < 0.5 and not any("$patch" in each for each in pod.get("containers", ())):
        names = random.sample(CONTAINERS, random.randint(1, 4))
        pod["$setElementOrder/containers"] = [{"name": name} for name in names]
    if random.random() < 0.4:
        change = {"$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}
        scratch: list[dict[str, Any]] = [{"configMap": {"name": "c"}, "emptyDir": None}, change, {"$patch": "delete"}]
        pod["volumes"] = [{"name": "scratch"} | random.choice(scratch), {"name": "more", "hostPath": {"path": "/x"}}]
    return pod


def draw_patch(random: Random) -> dict[str, Any]:
    patch: dict[str, Any] = {"spec": {}, "metadata": {}}
    if random.random() < 0.8:
        patch["spec"]["template"] = {"spec": draw_pod(random)}
    if random.random() < 0.4:
        strategies: list[dict[str, Any]] = [{"type": "Recreate", "$retainKeys": ["type"]}, {"rollingUpdate": None}]
        patch["spec"]["strategy"] = random.choice([*strategies, {"$patch": "replace", "type": "Recreate"}])
    if random.random() < 0.4:
        patch["metadata"]["finalizers"] = random.sample(FINALIZERS, random.randint(1, 3))
    elif random.random() < 0.4:
        patch["metadata"]["$deleteFromPrimitiveList/finalizers"] = random.sample(FINALIZERS, 1)
    if random.random() < 0.3:
        patch["metadata"]["$setElementOrder/finalizers"] = random.sample(FINALIZERS, 3)
    if random.random() < 0.4:
        labels: list[Any] = [{"app": None}, {"b": "c"}, {"$patch": "replace", "z": "y"}, {"$patch": "delete"}, None]
        patch["metadata"]["labels"] = random.choice(labels)
    return patch


def merged(patch: dict[str, Any]) -> dict[str, Any] | None:
    """What we make of the Deployment, or None if we refuse."""
    try:
        return strategic_merge(deployment(), patch, DEPLOYMENT)
    except StatusError:
        return None


def test_strategic_merge_patches(kubectl: Kubectl) -> None:
    random, refused = Random(2026), 0
    for _ in range(80):
        patch = draw_patch(random)
        theirs = patched(kubectl, patch)
        refused += theirs is None
        assert bare(merged(patch)) == bare(theirs), json.dumps(patch)
    assert 0 < refused < 40


def test_what_apply_would_send(kubectl: Kubectl) -> None:
    random = Random(1999)
    for _ in range(25):
        manifest = strategic_merge(deployment(), {"spec": {"replicas": random.randint(1, 9)}}, DEPLOYMENT)
        containers = manifest["spec"]["template"]["spec"]["containers"]
        containers[0]["env"] = [{"name": name, "value": "x"} for name in random.sample("ABCD", random.randint(0, 4))]
        random.shuffle(containers)
        del containers[random.randint(1, 2) :]
        manifest["metadata"]["finalizers"] = random.sample(FINALIZERS, 2)
        patch = three_way(deployment(), manifest, deployment(), DEPLOYMENT)
        assert bare(patched(kubectl, patch)) == bare(manifest), json.dumps(patch)


def test_json_and_merge_patches(kubectl: Kubectl) -> None:
    operations: list[dict[str, Any]] = [
        {"op": "test", "path": "/spec/replicas", "value": 3},
        {"op": "add", "path": "/spec/template/spec/containers/0/env/1", "value": {"name": "N", "value": "1"}},
        {"op": "move", "from": "/spec/template/spec/containers/1", "path": "/spec/template/spec/containers/0"},
        {"op": "copy", "from": "/metadata/labels/app", "path": "/metadata/labels/example.com~1copy"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/z"},
    ]
    assert bare(json_patch(deployment(), operations)) == bare(patched(kubectl, operations, "json"))
    for bad in ({"op": "remove", "path": "/spec/nothing"}, {"op": "test", "path": "/spec/replicas", "value": 4}):
        assert patched(kubectl, [bad], "json") is None
        with pytest.raises(StatusError):
            json_patch(deployment(), [bad])
    patch = {"metadata": {"labels": {"app": None, "x": "y"}}, "spec": {"template": {"spec": {"containers": []}}}}
    assert bare(merge_patch(deployment(), patch)) == bare(patched(kubectl, patch, "merge"))


POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
CPU = (*CONTAINER, "resources", "limits", "cpu")
CREATED = ("metadata", "creationTimestamp")
SURGE = ("spec", "strategy", "rollingUpdate", "maxSurge")
WRONG: list[tuple[tuple[str | int, ...], Any]] = [
    (("spec", "replicas"), "3"),
    (("spec", "replicas"), 1.5),
    (("spec", "replicas"), 2**31),
    (("spec", "paused"), "x"),
    (("spec",), []),
    (("metadata", "labels", "app"), 1),
    (("metadata", "labels"), "x"),
    (("metadata", "finalizers"), [1]),
    (("metadata", "uid"), 5),
    (("metadata", "ownerReferences"), [{"controller": "x"}]),
    (("metadata", "managedFields"), [{"time": 1}]),
    (("status",), {"conditions": [{"status": 1}]}),
    ((*POD, "containers"), {}),
    (CONTAINER, "x"),
    ((*CONTAINER, "image"), True),
    ((*CONTAINER, "command"), "ls"),
    ((*CONTAINER, "command"), [1]),
    ((*CONTAINER, "imagePullPolicy"), 1),
    ((*CONTAINER, "ports", 0, "containerPort"), "80"),
    ((*CONTAINER, "ports", 0, "protocol"), 1),
    ((*CONTAINER, "livenessProbe"), {"httpGet": {"port": True}}),
    ((*CONTAINER, "livenessProbe"), {"periodSeconds": "1"}),
    ((*CONTAINER, "securityContext"), {"capabilities": {"add": "x"}}),
    ((*CONTAINER, "envFrom"), [{"configMapRef": {"name": 1}}]),
    ((*POD, "volumes", 0, "emptyDir"), {"medium": 1}),
    ((*POD, "volumes", 0, "name"), 1),
    ((*POD, "restartPolicy"), 1),
    ((*POD, "tolerations"), [{"tolerationSeconds": "1"}]),
    ((*CONTAINER, "resources", "limits"), "x"),
    (CPU, "1x"),
    (CPU, "1Mm"),
    (CPU, True),
    (CPU, ""),
    (SURGE, True),
    (SURGE, 1.5),
    (CREATED, "yesterday"),
    (CREATED, "2026-11-22 11:00:00Z"),
    (CREATED, "2026-13-22T11:00:00Z"),
    (CREATED, "2026-02-30T11:00:00Z"),
    (CREATED, "2026-11-22T11:61:00Z"),
    (CREATED, "2026-11-22T11:00:00+25:00"),
    (CREATED, "2026-11-22T11:00:00Zx"),
    (CREATED, 7),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_type_errors(kubectl: Kubectl, path: tuple[str | int, ...], value: Any) -> None:
    doc = deployment()
    place: Any = doc
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    file = kubectl.kubeconfig.with_name("doc.json")
    file.write_text(json.dumps(doc))
    answer = local(kubectl, "set", "image", "*=x")
    problem = type_error(DEPLOYMENT, "Deployment", "v1", doc)
    assert problem is not None
    words = problem.partition("cannot be handled as a Deployment: ")[2]
    assert answer.err.strip() == f'error: unable to decode "{file}": {words}'


@pytest.mark.parametrize(
    "text",
    ["0.5", "1000m", "1500m", "1.5Gi", "0.1Gi", "1024Ki", "0.5Ki", "1e3", "12E2", "1000k", "0.1n", "100", "1023Ki"],
)
def test_quantities(kubectl: Kubectl, text: str) -> None:
    answer = local(kubectl, "set", "resources", f"--limits=memory={text}", "-c", "app")
    limits = json.loads(answer.out)["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits["memory"] == quantity.canonical(text)


@pytest.mark.parametrize("text", ["1x", "1.2.3", "1Mm", "one"])
def test_bad_quantities(kubectl: Kubectl, text: str) -> None:
    answer = local(kubectl, "set", "resources", f"--limits=memory={text}")
    with pytest.raises(quantity.QuantityError) as raised:
        quantity.parse(text)
    assert str(raised.value) in answer.err


@pytest.mark.parametrize("value", ["_b", "a b", "x" * 64])
def test_bad_label_values(kubectl: Kubectl, value: str) -> None:
    answer = local(kubectl, "label", f"key={value}")
    (sentence,) = label_value(value)
    assert sentence in answer.err
