"""Evictions and the disruption budgets that guard the pods, against a real server."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.integration.apiserver.api import MERGE, Answer, Api

LABELS = {"app": "web"}


async def running(api: Api, name: str, ready: bool = True) -> None:
    spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}
    meta = {"name": name, "labels": LABELS}
    made = await api.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    assert made.code == 201, made.message
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]}
    answer = await api.patch(api.path("pods", name, "status"), {"status": status})
    assert answer.code == 200, answer.message


def budget_path(api: Api, name: str, part: str = "") -> str:
    return api.path("poddisruptionbudgets", name, part, "policy")


async def budget(api: Api, name: str, **status: Any) -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": LABELS}}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
    made = await api.create("poddisruptionbudgets", body, group="policy")
    assert made.code == 201, made.message
    answer = await api.patch(budget_path(api, name, "status"), {"status": {"observedGeneration": 1, **status}})
    assert answer.code == 200, answer.message


async def evict(api: Api, name: str, **options: Any) -> Answer:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options}
    return await api.send("POST", api.path("pods", name, "eviction"), body)


async def test_as_many_go_as_the_budget_allows(api: Api) -> None:
    names = [f"p{number}" for number in range(6)]
    for name in names:
        await running(api, name)
    await budget(api, "web", disruptionsAllowed=2, desiredHealthy=4, currentHealthy=6)
    answers = await asyncio.gather(*(evict(api, name) for name in names))
    assert sorted(answer.code for answer in answers) == [201, 201, 429, 429, 429, 429]
    status = (await api.get(budget_path(api, "web"))).body["status"]
    gone = [name for name, answer in zip(names, answers, strict=True) if answer.code == 201]
    assert (status["disruptionsAllowed"], sorted(status["disruptedPods"])) == (0, gone)
    refused = next(answer for answer in answers if answer.code == 429)
    assert refused.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert refused.body["details"] == {
        "causes": [
            {
                "reason": "DisruptionBudget",
                "message": "The disruption budget web needs 4 healthy pods and has 6 currently",
            }
        ]
    }
    pod = (await api.get(api.path("pods", gone[0]))).body
    assert pod["metadata"]["deletionTimestamp"]
    types = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
    assert types["DisruptionTarget"] == "True"


async def test_a_budget_that_nobody_has_counted(api: Api) -> None:
    await running(api, "one")
    await budget(api, "web", observedGeneration=0, disruptionsAllowed=5)
    answer = await evict(api, "one")
    assert (answer.code, answer.body["details"]["retryAfterSeconds"]) == (429, 10)
    assert answer.headers["retry-after"] == "10"


async def test_dry_runs_take_nothing(api: Api) -> None:
    await running(api, "one")
    await budget(api, "web", disruptionsAllowed=1)
    assert (await evict(api, "one", dryRun=["All"])).code == 201
    assert (await api.get(budget_path(api, "web"))).body["status"]["disruptionsAllowed"] == 1
    pod = (await api.get(api.path("pods", "one"))).body
    assert "deletionTimestamp" not in pod["metadata"]
    assert [each["type"] for each in pod["status"]["conditions"]] == ["Ready"]


async def test_several_budgets(api: Api) -> None:
    await running(api, "one")
    await budget(api, "a")
    await budget(api, "b")
    answer = await evict(api, "one")
    assert (answer.code, answer.reason) == (500, "")
    assert "more than one PodDisruptionBudget" in answer.message


async def test_pods_that_are_not_ready_or_have_ended(api: Api) -> None:
    await running(api, "sick", ready=False)
    await running(api, "done")
    await api.patch(api.path("pods", "done", "status"), {"status": {"phase": "Succeeded"}})
    await budget(api, "web", disruptionsAllowed=0, desiredHealthy=2, currentHealthy=1)
    assert (await evict(api, "sick")).code == 429
    await api.patch(budget_path(api, "web"), {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}, MERGE)
    assert (await evict(api, "sick")).code == 201
    assert (await evict(api, "done")).code == 201
    assert (await api.get(api.path("pods", "done"))).code == 404


async def test_only_the_pod_that_is_meant(api: Api) -> None:
    await running(api, "one")
    answer = await evict(api, "one", preconditions={"uid": "another"})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "the UID in the precondition (another) does not match the UID in record" in answer.message
    pod = (await api.get(api.path("pods", "one"))).body
    stale = await evict(api, "one", preconditions={"resourceVersion": "1"})
    assert (stale.code, "ResourceVersion in the precondition (1)" in stale.message) == (409, True)
    assert (await evict(api, "one", preconditions={"resourceVersion": pod["metadata"]["resourceVersion"]})).code == 201
