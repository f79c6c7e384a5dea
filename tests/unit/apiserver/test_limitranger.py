"""Limit ranges: what is refused, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.admission.limitranger import claim_problems, pod_problems
from apiserver.registry.kind import Object


def limits(kind: str, **fields: Any) -> Object:
    return {"spec": {"limits": [{"type": kind, **fields}]}}


def spec(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None) -> Object:
    return {"containers": [{"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}}]}


LEAST, MOST = "minimum cpu usage per Container is 1", "maximum cpu usage per Container is 2"
RATIO = "cpu max limit to request ratio per Container is 2, but"
CASES: list[tuple[Object, Object, list[str]]] = [
    (limits("Container", min={"cpu": "1"}), spec(), [f"{LEAST}.  No request is specified"]),
    (limits("Container", min={"cpu": "1"}), spec({"cpu": "500m"}), [f"{LEAST}, but request is 500m"]),
    (limits("Container", min={"cpu": "1"}), spec({"cpu": "1"}), []),
    (limits("Container", max={"cpu": "2"}), spec({"cpu": "3"}), [f"{MOST}.  No limit is specified"]),
    (limits("Container", max={"cpu": "2"}), spec({"cpu": "1"}, {"cpu": "3"}), [f"{MOST}, but limit is 3"]),
    (limits("Container", maxLimitRequestRatio={"cpu": "2"}), spec({"cpu": "1"}), [
        f"{RATIO} no limit is specified or limit is 0"]),
    (limits("Container", maxLimitRequestRatio={"cpu": "2"}), spec({"cpu": "2"}, {"cpu": "5"}), [
        f"{RATIO} provided ratio is 2.500000"]),
    (limits("Pod", max={"cpu": "2"}), {"containers": spec({}, {"cpu": "1500m"})["containers"] * 2}, [
        "maximum cpu usage per Pod is 2, but limit is 3"]),
    (limits("PersistentVolumeClaim", max={"cpu": "2"}), spec(), []),
]  # fmt: skip


@pytest.mark.parametrize(("limit_range", "pod", "problems"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_pods(limit_range: Object, pod: Object, problems: list[str]) -> None:
    assert list(pod_problems(limit_range, pod)) == problems


def test_claims() -> None:
    limit_range = limits("PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"})
    claim = {"resources": {"requests": {"storage": "512Mi"}}}
    usage = "storage usage per PersistentVolumeClaim is"
    assert list(claim_problems(limit_range, claim)) == [f"minimum {usage} 1Gi, but request is 512Mi"]
    assert list(claim_problems(limit_range, {})) == [
        f"minimum {usage} 1Gi.  No request is specified",
        f"maximum {usage} 2Gi.  No request is specified",
    ]
