"""The two ways to change a running pod: containers that are put in, and resources."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.kind import Object
from apiserver.registry.pod import KIND
from tests.unit.registry.objects import pod
from tests.unit.registry.support import context, create, edited

DEBUGGER = {"name": "debugger", "image": "busybox"}
AT = "spec.ephemeralContainers"


def through(part: str, new: Object, old: Object) -> tuple[Object, list[str]]:
    strategy = KIND.parts[part]
    KIND.strategy.default(new)
    strategy.prepare_for_update(new, old, context())
    return new, [error.message for error in strategy.validate_update(new, old, context())]


def made(**spec: Any) -> Object:
    stored, errors = create(pod(**spec))
    assert errors == []
    return stored


def with_debugger(old: Object) -> Object:
    new, errors = through("ephemeralcontainers", edited(old, AT, [DEBUGGER]), old)
    assert errors == []
    return new


def test_a_container_is_put_in_and_nothing_else_changes() -> None:
    old = made()
    new = edited(edited(edited(old, AT, [DEBUGGER]), "spec.hostNetwork", True), "metadata.labels", {"a": "b"})
    kept, errors = through("ephemeralcontainers", new, old)
    assert errors == []
    assert kept["spec"].pop("ephemeralContainers")[0]["terminationMessagePolicy"] == "File"
    assert kept == old


ADDITIONS: list[tuple[list[Object], list[str]]] = [
    ([DEBUGGER, {"name": "second", "image": "x"}], []),
    ([], [f'{AT}: Forbidden: existing ephemeral containers "debugger" may not be removed\n']),
    ([{**DEBUGGER, "image": "y"}], [
        f'{AT}: Forbidden: existing ephemeral containers "debugger" may not be changed\n'
        '- debugger.image: "busybox"\n+ debugger.image: "y"']),
    ([DEBUGGER, {"name": "web", "image": "x"}], [f'{AT}[1].name: Duplicate value: "web"']),
    ([DEBUGGER, {"name": "b", "image": "x", "targetContainerName": "none"}], [
        f'{AT}[1].targetContainerName: Not found: "none"']),
    ([DEBUGGER, {"name": "b", "image": "x", "ports": [{"containerPort": 80}]}], [
        f"{AT}[1].ports: Forbidden: cannot be set for an Ephemeral Container"]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "messages"), ADDITIONS, ids=[str(n) for n in range(len(ADDITIONS))])
def test_additions(given: list[Object], messages: list[str]) -> None:
    old = with_debugger(made())
    assert through("ephemeralcontainers", edited(old, AT, given), old)[1] == messages


def sized(**resources: Any) -> Object:
    return made(containers=[{"name": "web", "image": "nginx:1", "resources": resources}])


BOTH = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
PLACE = "spec.containers.0.resources"
RESIZES: list[tuple[Object, str, Any, list[str]]] = [
    (sized(requests={"cpu": "1"}), f"{PLACE}.requests.cpu", "2", []),
    (sized(requests={"cpu": "1"}), f"{PLACE}.limits", {"cpu": "3"}, []),
    (sized(requests={"cpu": "1"}), "spec.containers.0.image", "other", []),
    (sized(**BOTH), f"{PLACE}.requests.cpu", "500m", [
        'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing']),
    (sized(requests={"cpu": "1", "memory": "1Gi"}), f"{PLACE}.requests.memory", None, [
        "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"]),
    (sized(requests={"cpu": "1"}), f"{PLACE}.requests.ephemeral-storage", "1Gi", [
        "spec: Forbidden: only cpu and memory resources are mutable\n"
        "- spec.containers[0].resources.requests.ephemeral-storage: null\n"
        '+ spec.containers[0].resources.requests.ephemeral-storage: "1Gi"']),
    (sized(requests={"cpu": "1"}, limits={"cpu": "2"}), f"{PLACE}.requests.cpu", "3", [
        'spec.containers[0].resources.requests: Invalid value: "3": must be less than or equal to cpu limit of 2']),
    (edited(sized(requests={"cpu": "1"}), "status.containerStatuses", [{"state": {"running": {}}}]),
     f"{PLACE}.requests.cpu", "2", ["spec: Forbidden: Pod running on node without support for resize"]),
    (made(initContainers=[{"name": "first", "image": "x"}], containers=[
        {"name": "web", "image": "x", "resources": {"requests": {"cpu": "1"}}}]),
     "spec.initContainers.0.resources", {"requests": {"cpu": "1"}}, [
        "spec.initContainers[0].resources: Forbidden: resources for non-sidecar init containers are immutable"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "path", "value", "messages"), RESIZES, ids=[f"{n}-{each[1]}" for n, each in enumerate(RESIZES)]
)
def test_resizes(old: Object, path: str, value: Any, messages: list[str]) -> None:
    new, errors = through("resize", edited(old, path, value), old)
    assert errors == messages
    assert new["spec"]["containers"][0]["image"] == old["spec"]["containers"][0]["image"]
    assert new["metadata"] == old["metadata"]
