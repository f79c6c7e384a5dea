"""What a Job's status may say: its counts, times and conditions must tell one story, and an end is for good."""

from __future__ import annotations

from collections.abc import Iterator

from api.field import FieldError, duplicate, invalid, required
from api.metadata import parse_time
from apiserver.registry import indexes, rules
from apiserver.registry.kind import Object

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_AT = "status.conditions"
_NEVER_TOGETHER = (
    ("Complete", "Failed", "Complete=True and Failed=true conditions"),
    ("Complete", "FailureTarget", "Complete=True and FailureTarget=true conditions"),
    ("SuccessCriteriaMet", "Failed", "SuccessCriteriaMet=True and Failed=true conditions"),
    ("SuccessCriteriaMet", "FailureTarget", "SuccessCriteriaMet=True and FailureTarget=true conditions"),
)
_NEVER_ALONE = (
    ("Failed", "FailureTarget", "Failed=True condition without the FailureTarget=true condition"),
    ("Complete", "SuccessCriteriaMet", "Complete=True condition without the SuccessCriteriaMet=true condition"),
)
_FOR_GOOD = ("Failed", "Complete", "FailureTarget")


def validate(new: Object, old: Object) -> list[FieldError]:
    status, before = new.get("status") or {}, old.get("status") or {}
    errors = rules.not_negative(status, _COUNTS, "status")
    errors += _uncounted(status.get("uncountedTerminatedPods") or {}, "status.uncountedTerminatedPods")
    true = _true(status)
    errors += [rules.wrong(_AT, f"cannot set {what}") for one, other, what in _NEVER_TOGETHER if {one, other} <= true]
    errors += [
        rules.wrong(_AT, f"cannot set {what}") for one, other, what in _NEVER_ALONE if one in true and other not in true
    ]
    errors += _times(status, before, true, suspended=bool(new["spec"].get("suspend")))
    if true & {"Complete", "Failed"}:
        errors += _finished(status)
    if (status.get("ready") or 0) > (status.get("active") or 0):
        errors.append(invalid("status.ready", status["ready"], "cannot set more ready pods than active"))
    errors += _indexes(status, new["spec"])
    return errors + list(_back(status, before, true, new["spec"], old["spec"]))


def _true(status: Object) -> set[str]:
    conditions = status.get("conditions") or ()
    return {each.get("type") or "" for each in conditions if each.get("status") == "True"}


def _uncounted(pods: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for field in ("succeeded", "failed"):
        for index, uid in enumerate(pods.get(field) or ()):
            here = f"{at}.{field}[{index}]"
            if not uid:
                errors.append(invalid(here, uid, "must not be empty"))
            elif uid in seen:
                errors.append(duplicate(here, uid))
            seen.add(uid)
    return errors


def _times(status: Object, before: Object, true: set[str], *, suspended: bool) -> list[FieldError]:
    start, end, at = status.get("startTime"), status.get("completionTime"), "status.completionTime"
    errors: list[FieldError] = []
    if end and "Complete" not in true:
        errors.append(invalid(at, end, "cannot set completionTime when there is no Complete=True condition"))
    if not end and "Complete" in true:
        errors.append(required(at, "completionTime is required for Complete jobs"))
    if start and end and parse_time(end) < parse_time(start):
        errors.append(invalid(at, end, "completionTime cannot be set before startTime"))
    if end and before.get("completionTime") and end != before["completionTime"]:
        errors.append(invalid(at, end, "completionTime cannot be mutated"))
    if before.get("startTime") and start != before["startTime"] and not suspended:
        errors.append(required("status.startTime", "startTime cannot be removed for unsuspended job"))
    return errors


def _finished(status: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for name in ("active", "terminating"):
        if status.get(name):
            errors.append(invalid(f"status.{name}", status[name], f"{name}>0 is invalid for finished job"))
    if not status.get("startTime"):
        errors.append(required("status.startTime", "startTime is required for finished job"))
    waiting = status.get("uncountedTerminatedPods") or {}
    if waiting.get("failed") or waiting.get("succeeded"):
        text = "uncountedTerminatedPods needs to be empty for finished job"
        errors.append(invalid("status.uncountedTerminatedPods", waiting, text))
    return errors


def _indexes(status: Object, spec: Object) -> list[FieldError]:
    done, failed = status.get("completedIndexes") or "", status.get("failedIndexes")
    errors: list[FieldError] = []
    if done and spec.get("completionMode") != "Indexed":
        text = "cannot set non-empty completedIndexes when non-indexed completion mode"
        errors.append(invalid("status.completedIndexes", done, text))
    if failed is not None and spec.get("backoffLimitPerIndex") is None:
        text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        errors.append(invalid("status.failedIndexes", failed, text))
    if spec.get("completions") is None:
        return errors
    for name, text in (("completedIndexes", done), ("failedIndexes", failed or "")):
        try:
            indexes.parse(text, spec["completions"])
        except indexes.IndexesError as error:
            return [*errors, invalid(f"status.{name}", text, f"error parsing {name}: {error}")]
    shared = indexes.overlap(done, failed or "", spec["completions"])
    if shared is not None:
        text = f"failedIndexes and completedIndexes overlap at index: {shared}"
        errors.append(invalid("status.failedIndexes", failed, text))
    return errors


def _back(status: Object, before: Object, true: set[str], spec: Object, old_spec: Object) -> Iterator[FieldError]:
    """What has been said once and may not be taken back."""
    was = _true(before)
    for name in _FOR_GOOD:
        if name in was - true:
            yield rules.wrong(_AT, f"cannot disable the terminal {name}=True condition")
    for name in ("failed", "succeeded"):
        resized = spec.get("completionMode") == "Indexed" and spec.get("completions") != old_spec.get("completions")
        if (status.get(name) or 0) < (before.get(name) or 0) and not (name == "succeeded" and resized):
            yield invalid(f"status.{name}", status.get(name) or 0, f"cannot decrease the {name} counter")
    if "SuccessCriteriaMet" in was - true:
        yield rules.wrong(_AT, "cannot disable the SuccessCriteriaMet=True condition")
    if "Complete" in was and "SuccessCriteriaMet" in true - was:
        yield rules.wrong(_AT, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
