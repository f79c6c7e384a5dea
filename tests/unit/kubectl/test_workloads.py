from __future__ import annotations

from typing import Any

import pytest

from kubectl.commands.apply import difference
from kubectl.commands.create.files import LAST_APPLIED, with_last_applied
from kubectl.commands.rollout.undo import earlier, rollback_patch
from kubectl.errors import CliError
from kubectl.pods import selector_text
from kubectl.workloads import REVISION, rollout_step, same_template, template_of


def deployment(generation: int = 1, replicas: int = 3, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 1, **status},
    }


@pytest.mark.parametrize(
    ("found", "sentence", "done"),
    [
        (deployment(generation=2), "Waiting for deployment spec update to be observed...", False),
        (
            deployment(updatedReplicas=1, replicas_=0),
            'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
            False,
        ),
        (
            deployment(updatedReplicas=3) | {"status": {"observedGeneration": 1, "updatedReplicas": 3, "replicas": 4}},
            'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
            False,
        ),
        (
            deployment()
            | {"status": {"observedGeneration": 1, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}},
            'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
            False,
        ),
        (
            deployment()
            | {"status": {"observedGeneration": 1, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}},
            'deployment "web" successfully rolled out',
            True,
        ),
    ],
)
def test_how_far_a_rollout_is(found: dict[str, Any], sentence: str, done: bool) -> None:
    assert rollout_step(found) == (sentence, done)


def test_a_rollout_past_its_deadline_has_failed() -> None:
    late = deployment(conditions=[{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}])
    with pytest.raises(CliError, match='deployment "web" exceeded its progress deadline'):
        rollout_step(late)


def replica_set(revision: int, image: str) -> dict[str, Any]:
    labels = {"app": "web", "pod-template-hash": f"h{revision}"}
    return {
        "metadata": {"name": f"web-{revision}", "annotations": {REVISION: str(revision), "note": image}},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}},
    }


def test_undo_goes_to_the_last_but_one_or_to_the_revision_asked_for() -> None:
    history = [replica_set(1, "a"), replica_set(3, "b"), replica_set(4, "c")]
    assert earlier(history, 0)["metadata"]["name"] == "web-3"
    assert earlier(history, 1)["metadata"]["name"] == "web-1"
    with pytest.raises(CliError, match="unable to find specified revision 2 in history"):
        earlier(history, 2)
    with pytest.raises(CliError, match="no rollout history found"):
        earlier(history[:1], 0)


def test_undo_takes_the_template_without_its_hash_and_keeps_the_deployments_own_annotations() -> None:
    old = replica_set(1, "a")
    template = template_of(old)
    assert template["metadata"]["labels"] == {"app": "web"}
    assert same_template(template, old["spec"]["template"])
    now = {"metadata": {"annotations": {REVISION: "4", LAST_APPLIED: "{}", "other": "x"}}}
    assert rollback_patch(now, old, template) == [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": {REVISION: "4", LAST_APPLIED: "{}", "note": "a"}},
    ]


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"app": "web", "a": "b"}, "a=b,app=web"),
        ({"matchLabels": {"app": "web"}}, "app=web"),
        (
            {
                "matchLabels": {"a": "b"},
                "matchExpressions": [
                    {"key": "t", "operator": "In", "values": ["x", "y"]},
                    {"key": "u", "operator": "Exists"},
                    {"key": "v", "operator": "DoesNotExist"},
                ],
            },
            "a=b,t in (x,y),u,!v",
        ),
        (None, ""),
    ],
)
def test_selectors_as_text(selector: dict[str, Any] | None, text: str) -> None:
    assert selector_text(selector) == text


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "a", "image": "1"}]},
}


def test_apply_removes_what_the_file_no_longer_says_and_leaves_what_others_set() -> None:
    before = {**POD, "metadata": {"name": "p", "labels": {"gone": "x", "kept": "y"}}}
    live: dict[str, Any] = with_last_applied(before)
    live["metadata"]["labels"] |= {"others": "z"}
    live["spec"] = {"containers": [{"name": "a", "image": "1"}, {"name": "injected", "image": "2"}], "nodeName": "n"}
    now = {
        **POD,
        "metadata": {"name": "p", "labels": {"kept": "y"}},
        "spec": {"containers": [{"name": "a", "image": "9"}]},
    }
    patch, kind = difference(with_last_applied(now), live)
    assert kind == "strategic"
    assert patch["metadata"]["labels"] == {"gone": None}
    assert patch["spec"]["containers"] == [{"name": "a", "image": "9"}]
    assert "nodeName" not in patch["spec"]


def test_apply_of_the_same_again_is_no_patch() -> None:
    live = with_last_applied(POD)
    assert difference(with_last_applied(POD), {**live, "status": {"phase": "Running"}}) == ({}, "strategic")


def test_kinds_of_somebody_else_get_merge_patches() -> None:
    mine = {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"list": [1, 2]}}
    patch, kind = difference(with_last_applied({**mine, "spec": {"list": [3]}}), with_last_applied(mine))
    assert (patch["spec"], kind) == ({"list": [3]}, "merge")
