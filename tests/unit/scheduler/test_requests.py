"""What a pod of several containers asks for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scheduler import requests
from scheduler.objects import Pod, PodSpec
from scheduler.podinfo import digest


def container(cpu: str = "", memory: str = "", always: bool = False) -> dict[str, Any]:
    asked = {name: amount for name, amount in (("cpu", cpu), ("memory", memory)) if amount}
    return {"name": "c", "resources": {"requests": asked}, **({"restartPolicy": "Always"} if always else {})}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [container("100m", "64Mi"), container("200m")]}, {"cpu": 300, "memory": 64 << 20}),
        ({"containers": [container("100m")], "initContainers": [container("1"), container("500m")]}, {"cpu": 1000}),
        ({"containers": [container("2")], "initContainers": [container("1")]}, {"cpu": 2000}),
        # A sidecar runs beside the others, and beside the init containers after it.
        ({"containers": [container("100m")], "initContainers": [container("300m", always=True)]}, {"cpu": 400}),
        (
            {"containers": [container("100m")], "initContainers": [container("300m", always=True), container("1")]},
            {"cpu": 1300},
        ),
        (
            {"containers": [container("100m")], "initContainers": [container("1"), container("300m", always=True)]},
            {"cpu": 1000},
        ),
        ({"containers": [container("100m")], "overhead": {"cpu": "50m"}}, {"cpu": 150}),
        ({"containers": [container("100m")], "resources": {"requests": {"cpu": "1"}}}, {"cpu": 1000}),
        ({"containers": [container()]}, {}),
    ],
)
def test_of_pod(spec: dict[str, Any], expected: dict[str, int]) -> None:
    assert requests.of_pod(msgspec.convert(spec, PodSpec)) == expected


def test_defaults_are_for_comparing_only() -> None:
    spec = msgspec.convert({"containers": [container(), container("1", "1Gi")]}, PodSpec)
    assert requests.of_pod(spec) == {"cpu": 1000, "memory": 1 << 30}
    assert requests.of_pod(spec, defaults=True) == {"cpu": 1100, "memory": (1 << 30) + 200 * (1 << 20)}


def test_a_resized_pod_holds_what_it_had_until_that_is_given_back() -> None:
    def pod(generation: int) -> Pod:
        given = {"name": "c", "allocatedResources": {"cpu": "200m"}, "resources": {"requests": {"cpu": "500m"}}}
        whole = {
            "metadata": {"name": "p", "generation": generation},
            "spec": {"containers": [container("100m", "1Gi")]},
            "status": {"containerStatuses": [given]},
        }
        return msgspec.convert(whole, Pod)

    spec = pod(1).spec
    assert spec is not None
    assert requests.held_by(pod(1)) == {}
    assert requests.of_pod(spec, held=requests.held_by(pod(2))) == {"cpu": 500, "memory": 1 << 30}
    assert dict(digest(pod(2)).requests)["cpu"] == 500
