"""Job: pods that run to their end, so many times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from api import names
from api.field import FieldError, invalid, required
from api.metadata import parse_time
from api.selectors import LabelSelector, SelectorError
from apiserver.registry import job_status, job_update, rules, workload
from apiserver.registry.columns import human_duration
from apiserver.registry.job_rules import job_spec, job_warnings
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_UID_LABEL, _NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_UID_LABEL, _OLD_NAME_LABEL = "controller-uid", "job-name"
_FOREVER = 2**31 - 1


class JobStrategy(StatusStrategy):
    has_generation = True
    orphans = True
    orphans_warning = (
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
        "set propagationPolicy=Orphan to suppress this warning"
    )
    field_names = ("status.successful",)

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        workload.default_template(spec)
        _default_spec(spec)
        labels = spec["template"]["metadata"].get("labels")
        if labels and not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {}
        if not obj["spec"].get("manualSelector"):
            _select_own_pods(obj)
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(obj["spec"]["template"]["metadata"].get("labels") or {})

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors = _generated(obj) if not spec.get("manualSelector") else []
        errors += job_spec(spec, "spec")
        errors += _selector(spec)
        return errors + _hostname(obj)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx) + job_update.changes(new, old)

    def warnings(self, obj: Object) -> list[str]:
        return workload.name_warnings(obj) + job_warnings(obj["spec"], "spec")

    def update_warnings(self, new: Object, old: Object) -> list[str]:
        return [] if workload.same_generation(new, old) else job_warnings(new["spec"], "spec")

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return job_status.validate(new, old)

    def unselectable(self, field: str) -> str:
        return f'field label "{field}" not supported for batchv1.Job'

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {"status.successful": str((obj.get("status") or {}).get("succeeded") or 0)}


def _default_spec(spec: Object) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    policy = "Failed" if spec.get("podFailurePolicy") is not None else "TerminatingOrFailed"
    values = {
        "parallelism": 1,
        "backoffLimit": 6 if spec.get("backoffLimitPerIndex") is None else _FOREVER,
        "completionMode": "NonIndexed",
        "suspend": False,
        "manualSelector": False,
        "podReplacementPolicy": policy,
    }
    for name, value in values.items():
        if spec.get(name) is None:
            spec[name] = value
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for condition in rule.get("onPodConditions") or ():
            if not condition.get("status"):
                condition["status"] = "True"


def _select_own_pods(obj: Object) -> None:
    """Labels that no other Job's pods have, and a selector for them. What a client has set itself stays, and is judged
    later.
    """
    meta, spec = obj["metadata"], obj["spec"]
    uid, name = meta.get("uid") or "", meta.get("name") or ""
    own = {_NAME_LABEL: name, _OLD_NAME_LABEL: name, _UID_LABEL: uid, _OLD_UID_LABEL: uid}
    template = spec["template"]["metadata"]
    template["labels"] = {**own, **(template.get("labels") or {})}
    selector = spec["selector"] = spec.get("selector") or {}
    selector["matchLabels"] = {_UID_LABEL: uid, **(selector.get("matchLabels") or {})}


def _generated(obj: Object) -> list[FieldError]:
    """Whether the labels and the selector are those that were made, and not a client's."""
    meta, selector = obj["metadata"], obj["spec"].get("selector")
    if selector is None:
        return []
    uid, name = meta.get("uid") or "", meta.get("name") or ""
    errors = [] if uid else [required("metadata.uid")]
    wanted = {_OLD_UID_LABEL: uid, _OLD_NAME_LABEL: name, _UID_LABEL: uid, _NAME_LABEL: name}
    labels = obj["spec"]["template"]["metadata"].get("labels") or {}
    at = "spec.template.metadata.labels"
    for key, value in wanted.items():
        if key not in labels:
            errors.append(required(at, f"must be '{value}'"))
        elif labels[key] != value:
            errors.append(invalid(at, labels, f"must be '{value}'"))
    try:
        if not LabelSelector.of(selector).matches(wanted):
            errors.append(invalid("spec.selector", selector, "`selector` not auto-generated"))
    except SelectorError:
        pass  # what is wrong with it is said where the selector itself is checked
    return errors


def _selector(spec: Object) -> list[FieldError]:
    selector = spec.get("selector")
    errors = [required("spec.selector")] if selector is None else rules.label_selector(selector, "spec.selector")
    labels = spec["template"]["metadata"].get("labels") or {}
    try:
        if not LabelSelector.of(selector).matches(labels):
            errors.append(invalid("spec.template.metadata.labels", labels, workload.MISMATCH))
    except SelectorError:
        pass  # said already
    return errors


def _hostname(obj: Object) -> list[FieldError]:
    """An indexed Job's pods have the index in their hostnames, which must not get too long."""
    spec, name = obj["spec"], obj["metadata"].get("name") or ""
    completions = spec.get("completions") or 0
    if spec["completionMode"] != "Indexed" or completions <= 0:
        return []
    longest = f"{name}-{completions - 1}"
    if not names.dns1123_label(longest):
        return []
    return [invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {longest}")]


def _completions(obj: Object, now: datetime) -> str:
    spec, done = obj.get("spec") or {}, (obj.get("status") or {}).get("succeeded") or 0
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    at_once = spec.get("parallelism") or 0
    return f"{done}/1 of {at_once}" if at_once > 1 else f"{done}/1"


_STATES = ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet")


def _status(obj: Object, now: datetime) -> str:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    true = {each.get("type") for each in conditions if each.get("status") == "True"}
    ended = next((name for name in _STATES[:2] if name in true), "")
    if ended or not obj["metadata"].get("deletionTimestamp"):
        return ended or next((name for name in _STATES if name in true), "Running")
    return "Terminating"


def _duration(obj: Object, now: datetime) -> str:
    status = obj.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = parse_time(status["completionTime"]) if status.get("completionTime") else now
    return human_duration((end - parse_time(status["startTime"])).total_seconds())


KIND = Kind(
    group="batch",
    version="v1",
    kind="Job",
    plural="jobs",
    definition="io.k8s.api.batch.v1.Job",
    singular="job",
    strategy=JobStrategy(),
    categories=("all",),
    status=True,
    columns=(
        Column("Status", _status, description="Status of the job."),
        Column("Completions", _completions, description="How many pods have run to their end"),
        Column("Duration", _duration, description="Time required to complete the job."),
        *workload.COLUMNS,
    ),
)
