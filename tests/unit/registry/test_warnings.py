"""What is taken with a warning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.registry.objects import deployment, pod
from tests.unit.registry.support import BY_KIND, create, edited

A = "spec.containers[0]"
CASES: list[tuple[str, Any, list[str]]] = [
    ("spec.nodeSelector", {"beta.kubernetes.io/os": "linux"}, [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']),
    ("spec.containers.0.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}], [
        f'{A}.env[1]: hides previous definition of "A", which may be dropped when using apply']),
    ("spec.containers.0.resources", {"requests": {"memory": "100m"}}, [
        f'{A}.resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer']),
    ("spec.containers.0.ports", [{"containerPort": 80}, {"containerPort": 80}], [
        f"{A}.ports[1]: duplicate port definition with {A}.ports[0]"]),
    ("spec.imagePullSecrets", [{"name": ""}], ['spec.imagePullSecrets[0]: invalid empty name ""']),
    ("spec.terminationGracePeriodSeconds", -1, [
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]),
    ("spec.topologySpreadConstraints", [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}], [
        "spec.topologySpreadConstraints[0]: a null labelSelector results in matching no pod"]),
    ("metadata.name", "web.v2", [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
        "recommended: [must not contain dots]"]),
    ("metadata.labels", {"a": "b"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "sentences"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_a_pod(path: str, value: Any, sentences: list[str]) -> None:
    stored, errors = create(edited(pod(), path, value))
    assert errors == []
    assert BY_KIND["Pod"].strategy.warnings(stored) == sentences


def test_a_template_warns_where_it_stands() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    stored, _ = create(edited(deployment(), "spec.template.spec.containers.0.env", env))
    assert BY_KIND["Deployment"].strategy.warnings(stored) == [
        'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using '
        "apply"
    ]
