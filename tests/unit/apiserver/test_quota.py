"""What objects take from quotas, which quotas are about them, and the sums."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import quantity
from apiserver.quota import counting
from apiserver.quota.scopes import covers
from apiserver.quota.usage import unstated, usage
from apiserver.registry import pod_usage
from apiserver.registry.kind import Object
from tests.unit.registry.objects import deployment, pod, service
from tests.unit.registry.support import BY_KIND


def container(cpu: str = "", memory: str = "", **more: Any) -> Object:
    requests = {name: amount for name, amount in (("cpu", cpu), ("memory", memory)) if amount}
    return {"name": "c", "image": "x", "resources": {"requests": requests}, **more}


SIDECAR = {"restartPolicy": "Always"}
TOTALS: list[tuple[Object, dict[str, str]]] = [
    ({"containers": [container("1", "1Gi"), container("500m")]}, {"cpu": "1500m", "memory": "1Gi"}),
    ({"containers": [container("1")], "initContainers": [container("3"), container("2")]}, {"cpu": "3"}),
    ({"containers": [container("1")], "initContainers": [container("3", **SIDECAR), container("2")]}, {"cpu": "5"}),
    ({"containers": [container("1")], "initContainers": [container("2"), container("3", **SIDECAR)]}, {"cpu": "4"}),
    ({"containers": [container("1")], "overhead": {"cpu": "100m"}}, {"cpu": "1100m"}),
    ({"containers": [container("1")], "resources": {"requests": {"cpu": "4"}}}, {"cpu": "4"}),
]


@pytest.mark.parametrize(("spec", "total"), TOTALS, ids=[str(n) for n in range(len(TOTALS))])
def test_what_a_pod_asks_for(spec: Object, total: dict[str, str]) -> None:
    assert pod_usage.total(spec, "requests") == total


CLAIM = {"spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1Gi"}}}}
GOLD = "gold.storageclass.storage.k8s.io"
USAGES: list[tuple[str, Object, dict[str, str]]] = [
    ("Pod", pod(containers=[container("1")]), {"count/pods": "1", "pods": "1", "cpu": "1", "requests.cpu": "1"}),
    ("Pod", {**pod(containers=[container("1")]), "status": {"phase": "Succeeded"}}, {"count/pods": "1"}),
    ("Pod", pod(containers=[{"resources": {"requests": {"a.com/gpu": "2", "hugepages-2Mi": "4Mi"}}}]),
     {"count/pods": "1", "pods": "1", "requests.a.com/gpu": "2", "hugepages-2Mi": "4Mi",
      "requests.hugepages-2Mi": "4Mi"}),
    ("Deployment", deployment(), {"count/deployments.apps": "1"}),
    ("ConfigMap", {}, {"count/configmaps": "1", "configmaps": "1"}),
    ("Service", service(type="NodePort", ports=[{}, {}]),
     {"count/services": "1", "services": "1", "services.nodeports": "2", "services.loadbalancers": "0"}),
    ("Service", service(type="LoadBalancer", allocateLoadBalancerNodePorts=False, ports=[{"nodePort": 1}, {}]),
     {"count/services": "1", "services": "1", "services.nodeports": "1", "services.loadbalancers": "1"}),
    ("PersistentVolumeClaim", CLAIM,
     {"count/persistentvolumeclaims": "1", "persistentvolumeclaims": "1", "requests.storage": "1Gi",
      f"{GOLD}/persistentvolumeclaims": "1", f"{GOLD}/requests.storage": "1Gi"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "taken"), USAGES, ids=[f"{n}-{each[0]}" for n, each in enumerate(USAGES)])
def test_usage(kind: str, obj: Object, taken: dict[str, str]) -> None:
    assert usage(BY_KIND[kind], obj) == taken


def test_what_containers_do_not_state() -> None:
    given = pod(containers=[{**container("1"), "name": "a"}, {"name": "b"}], initContainers=[{"name": "c"}])
    assert unstated(BY_KIND["Pod"], given, ["pods", "cpu"]) == "must specify cpu for: b,c"
    assert unstated(BY_KIND["Pod"], given, ["limits.memory", "requests.cpu"]) == (
        "must specify limits.memory for: a,b,c; requests.cpu for: b,c"
    )
    assert unstated(BY_KIND["Pod"], given, ["pods"]) == unstated(BY_KIND["Service"], given, ["cpu"]) == ""


def scoped(*scopes: str, **requirement: Any) -> Object:
    expressions = [{"scopeName": "PriorityClass", **requirement}] if requirement else []
    return {"spec": {"scopes": list(scopes), "scopeSelector": {"matchExpressions": expressions}}}


AFFINE = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["a"]}]}}
SCOPES: list[tuple[Object, Object, bool]] = [
    (scoped(), pod(), True),
    (scoped("BestEffort"), pod(), True),
    (scoped("NotBestEffort"), pod(), False),
    (scoped("BestEffort"), pod(containers=[container("1")]), False),
    (scoped("Terminating"), pod(activeDeadlineSeconds=5), True),
    (scoped("NotTerminating", "BestEffort"), pod(), True),
    (scoped("CrossNamespacePodAffinity"), pod(affinity=AFFINE), True),
    (scoped("CrossNamespacePodAffinity"), pod(), False),
    (scoped(operator="In", values=["high"]), pod(priorityClassName="high"), True),
    (scoped(operator="NotIn", values=["high"]), pod(priorityClassName="high"), False),
    (scoped(operator="Exists"), pod(), False),
    (scoped(operator="DoesNotExist"), pod(), True),
    (scoped("BestEffort"), service(), False),
]


@pytest.mark.parametrize(("quota", "obj", "covered"), SCOPES, ids=[str(n) for n in range(len(SCOPES))])
def test_scopes(quota: Object, obj: Object, covered: bool) -> None:
    assert covers(quota, BY_KIND[obj["kind"]], obj) is covered


def quota(hard: dict[str, str], used: dict[str, str]) -> Object:
    return {"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}}


def test_too_much() -> None:
    full = quota({"pods": "1", "requests.memory": "1Gi", "cpu": "2"}, {"pods": "1", "requests.memory": "512Mi"})
    assert counting.exceeded(full, {"pods": "1", "requests.memory": "1Gi", "cpu": "1"}) == (
        "exceeded quota: q, requested: pods=1,requests.memory=1Gi, used: pods=1,requests.memory=512Mi, "
        "limited: pods=1,requests.memory=1Gi"
    )
    assert counting.exceeded(full, {"requests.memory": "512Mi", "cpu": "2"}) == ""


def test_growth() -> None:
    assert counting.growth({"a": "3", "b": "1", "c": "0"}, {"a": "1", "b": "2"}, "abc") == {"a": "2"}


amounts = st.dictionaries(
    st.sampled_from(["cpu", "memory", "pods"]), st.sampled_from(["0", "1", "250m", "1Gi", "512Mi", "3k"])
)


@given(st.lists(amounts))
def test_charging_one_by_one_is_counting_all_at_once(taken: list[dict[str, str]]) -> None:
    names = ["cpu", "memory"]
    one_by_one = dict.fromkeys(names, "0")
    for each in taken:
        one_by_one = counting.charged(one_by_one, counting.growth(each, {}, names))
    at_once = counting.total(taken, names)
    assert {name: quantity.parse(one_by_one[name]) for name in names} == {
        name: quantity.parse(at_once[name]) for name in names
    }
