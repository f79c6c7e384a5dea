"""CronJob: makes a Job whenever its schedule says so."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime

from api import cron
from api.field import FieldError, invalid, not_supported
from apiserver.registry import rules, workload
from apiserver.registry.columns import NONE, UNSET, since
from apiserver.registry.job_rules import job_spec, job_warnings
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_DEFAULTS = {
    "concurrencyPolicy": "Allow",
    "suspend": False,
    "successfulJobsHistoryLimit": 3,
    "failedJobsHistoryLimit": 1,
}
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_LONGEST_NAME = 52
"""A Job's name has the time appended, and becomes a label."""
_ZONE_PART = re.compile(r"[A-Za-z._\-0-9+]{1,14}\Z")


class CronJobStrategy(StatusStrategy):
    has_generation = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        for name, value in _DEFAULTS.items():
            if spec.get(name) in (None, ""):
                spec[name] = value
        made = spec["jobTemplate"] = spec.get("jobTemplate") or {}
        if made.get("metadata") is None:
            made["metadata"] = {}
        if made.get("spec") is None:
            made["spec"] = {}
        workload.default_template(made["spec"])

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = _spec(obj["spec"], None)
        name = obj["metadata"].get("name") or ""
        if len(name) > _LONGEST_NAME:
            errors.append(invalid("metadata.name", name, f"must be no more than {_LONGEST_NAME} characters"))
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return _spec(new["spec"], old["spec"])

    def warnings(self, obj: Object) -> list[str]:
        return workload.name_warnings(obj) + job_warnings(obj["spec"]["jobTemplate"]["spec"], "spec.jobTemplate.spec")

    def update_warnings(self, new: Object, old: Object) -> list[str]:
        same = workload.same_generation(new, old)
        found = [] if same else job_warnings(new["spec"]["jobTemplate"]["spec"], "spec.jobTemplate.spec")
        if "TZ" in new["spec"]["schedule"]:
            page = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
            text = f"use timeZone instead, see {page} for more details"
            found.append(f"cannot use TZ or CRON_TZ in spec.spec.schedule, {text}")
        return found


def _spec(spec: Object, before: Object | None) -> list[FieldError]:
    schedule, zone = spec.get("schedule"), spec.get("timeZone")
    if schedule:
        old_form = before is not None and "TZ" in (before.get("schedule") or "")
        errors = _schedule(schedule, zone, old_form, "spec.schedule")
    else:
        errors = rules.one_of(schedule, (), "spec.schedule")
    errors += rules.not_negative(spec, ("startingDeadlineSeconds",), "spec")
    if zone is not None and (before is None or zone != before.get("timeZone")):
        errors += _zone(zone, "spec.timeZone")
    if spec["concurrencyPolicy"] not in _CONCURRENCY:
        errors.append(not_supported("spec.concurrencyPolicy", spec["concurrencyPolicy"], _CONCURRENCY))
    errors += _job(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")
    return errors + rules.not_negative(spec, ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"), "spec")


def _schedule(schedule: str, zone: str | None, old_form: bool, at: str) -> list[FieldError]:
    """`old_form`: the schedule that is there names a time zone itself, as the API once allowed."""
    errors: list[FieldError] = []
    try:
        cron.parse(schedule)
    except cron.ScheduleError as error:
        errors.append(invalid(at, schedule, str(error)))
    if "TZ" in schedule:
        if not old_form:
            text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            errors.append(invalid(at, schedule, text))
        elif zone is not None:
            text = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
            errors.append(invalid(at, schedule, text))
    return errors


def _zone(name: str, at: str) -> list[FieldError]:
    if not name:
        return [invalid(at, name, "timeZone must be nil or non-empty string")]
    unknown = invalid(at, name, f"unknown time zone {name}")
    for part in name.split("/"):
        if part in (".", "..") or part.startswith("-") or not _ZONE_PART.match(part):
            return [unknown]
    errors: list[FieldError] = []
    if name.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors.append(invalid(at, name, text))
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if name != "Local":  # which always means something, to whom it runs on
            errors.append(unknown)
    return errors


def _job(spec: Object, at: str) -> list[FieldError]:
    errors = job_spec(spec, at)
    if spec.get("selector") is not None:
        errors.append(invalid(f"{at}.selector", spec["selector"], "`selector` will be auto-generated"))
    if spec.get("manualSelector"):
        errors.append(not_supported(f"{at}.manualSelector", True, ("nil", "false")))
    return errors


def _suspended(obj: Object, now: datetime) -> str:
    value = (obj.get("spec") or {}).get("suspend")
    return UNSET if value is None else str(bool(value))


def _active(obj: Object, now: datetime) -> int:
    return len((obj.get("status") or {}).get("active") or ())


def _last(obj: Object, now: datetime) -> str:
    moment = (obj.get("status") or {}).get("lastScheduleTime")
    return since(moment, now) if moment else NONE


KIND = Kind(
    group="batch",
    version="v1",
    kind="CronJob",
    plural="cronjobs",
    definition="io.k8s.api.batch.v1.CronJob",
    singular="cronjob",
    strategy=CronJobStrategy(),
    short_names=("cj",),
    categories=("all",),
    status=True,
    columns=(
        Column("Schedule", lambda obj, now: (obj.get("spec") or {}).get("schedule") or "", description="When it runs"),
        Column(
            "Timezone",
            lambda obj, now: (obj.get("spec") or {}).get("timeZone") or NONE,
            description="Where the schedule's times are read",
        ),
        Column("Suspend", _suspended, type="boolean", description="Whether it makes no more Jobs for now"),
        Column("Active", _active, type="integer", description="How many of its Jobs run"),
        Column("Last Schedule", _last, description="When it last made a Job"),
        *workload.template_columns("spec", "jobTemplate", "spec", "template"),
        workload.selector_column("spec", "jobTemplate", "spec", "selector"),
    ),
)
