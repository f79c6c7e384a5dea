"""Pod: containers that share a network address and a fate."""

from __future__ import annotations

from collections.abc import Mapping

from api import names
from api.field import FieldError, forbidden
from apiserver.registry import pod_columns, pod_rules, pod_update, resources
from apiserver.registry.kind import Context, Kind, Object, Strategy
from apiserver.registry.pod_ephemeral import EphemeralStrategy
from apiserver.registry.pod_resize import ResizeStrategy
from apiserver.registry.podspec import apparmor, defaults, scheduling, warnings

TOLERATION_SECONDS = 300
"""How long a pod stays on a node that is not ready or not reachable, unless it says otherwise."""

_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class PodStrategy(Strategy):
    has_generation = True
    returns_deleted = True
    field_names = (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    )

    def default(self, obj: Object) -> None:
        spec = obj.get("spec")
        if spec is None:
            spec = obj["spec"] = {}
        defaults.default_spec(spec)
        defaults.default_pod(spec)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        spec = obj["spec"]
        _select_own_values(obj["metadata"].get("labels") or {}, spec)
        _tolerate_sick_nodes(spec)
        apparmor.from_annotations(obj)
        obj["status"] = {"phase": "Pending", "qosClass": resources.qos_class(spec)}
        if spec.get("schedulingGates"):
            obj["status"]["conditions"] = [_gated()]

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        new["status"] = old.get("status") or {}

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        pod_update.keep_for_status(new, old)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = pod_rules.whole(obj)
        spec = obj["spec"]
        if spec.get("ephemeralContainers"):
            errors.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
        if spec.get("nodeName") and spec.get("schedulingGates"):
            text = "cannot be set until all schedulingGates have been cleared"
            errors.append(forbidden("spec.nodeName", text))
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return pod_rules.whole(new) + pod_update.validate_spec_change(new, old)

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return pod_update.validate_status_change(new, old)

    def warnings(self, obj: Object) -> list[str]:
        found = warnings.of_pod(obj)
        wrong = names.dns1123_label(obj["metadata"].get("name") or "")
        if not wrong:
            return found
        text = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
        return [f"metadata.name: {text}: [{' '.join(wrong)}]", *found]

    def update_warnings(self, new: Object, old: Object) -> list[str]:
        return []  # people seldom change pods themselves, and controllers often do

    def grace_period(self, obj: Object, asked: int | None) -> int | None:
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
            return 0  # nothing runs anywhere that would need time to stop
        period = asked if asked is not None else spec.get("terminationGracePeriodSeconds") or 0
        return 1 if period < 0 else period

    def fields(self, obj: Object) -> Mapping[str, str]:
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        return {
            "spec.nodeName": spec.get("nodeName") or "",
            "spec.restartPolicy": spec.get("restartPolicy") or "",
            "spec.schedulerName": spec.get("schedulerName") or "",
            "spec.serviceAccountName": spec.get("serviceAccountName") or "",
            "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
            "status.phase": status.get("phase") or "",
            "status.podIP": status.get("podIP") or "",
            "status.nominatedNodeName": status.get("nominatedNodeName") or "",
        }


def _select_own_values(labels: Mapping[str, str], spec: Object) -> None:
    """`matchLabelKeys` mean the pod's own values, which are written into the selectors once, when it is made."""
    for constraint in spec.get("topologySpreadConstraints") or ():
        _add_values(constraint, labels, "matchLabelKeys", "In")
    for term in scheduling.pod_terms(spec):
        _add_values(term, labels, "matchLabelKeys", "In")
        _add_values(term, labels, "mismatchLabelKeys", "NotIn")


def _add_values(term: Object, labels: Mapping[str, str], field: str, operator: str) -> None:
    selector = term.get("labelSelector")
    if selector is None:
        return
    for key in term.get(field) or ():
        if key in labels:
            wanted = {"key": key, "operator": operator, "values": [labels[key]]}
            selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), wanted]


def _tolerate_sick_nodes(spec: Object) -> None:
    given = spec.get("tolerations") or []
    for taint in _TAINTS:
        if not any(_tolerates(toleration, taint) for toleration in given):
            given = [
                *given,
                {
                    "key": taint,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": TOLERATION_SECONDS,
                },
            ]
    spec["tolerations"] = given


def _tolerates(toleration: Object, taint: str) -> bool:
    return toleration.get("key") in (None, "", taint) and toleration.get("effect") in (None, "", "NoExecute")


def _gated() -> Object:
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }


KIND = Kind(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    definition="io.k8s.api.core.v1.Pod",
    singular="pod",
    strategy=PodStrategy(),
    short_names=("po",),
    categories=("all",),
    status=True,
    subresources=("attach", "binding", "eviction", "exec", "log", "portforward", "proxy"),
    parts={"ephemeralcontainers": EphemeralStrategy(), "resize": ResizeStrategy()},
    columns=pod_columns.COLUMNS,
)
