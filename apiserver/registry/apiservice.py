"""APIService: who answers for a group and version, this server or another one behind a Service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, invalid, not_supported, required
from api.metadata import rfc3339
from apiserver.registry import rules
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy
from apiserver.registry.webhookclient import default_service, port_of_service

AVAILABLE = "Available"
_STATUSES = ("False", "True", "Unknown")


class APIServiceStrategy(StatusStrategy):
    allow_unconditional_update = False

    def validate_name(self, name: str) -> list[str]:
        return names.path_segment(name)

    def default(self, obj: Object) -> None:
        default_service((obj.get("spec") or {}).get("service"))

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {}
        if (obj.get("spec") or {}).get("service") is None:
            obj["status"]["conditions"] = [local_condition(ctx.now)]

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
        wanted = f"{spec.get('version') or ''}.{spec.get('group') or ''}"
        errors = _group_and_version(spec)
        if name != wanted:
            why = f'must be `spec.version+"."+spec.group`: "{wanted}"'
            errors.insert(0, invalid("metadata.name", name, why))
        for field, limit in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
            value = spec.get(field) or 0
            if not 0 < value <= limit:
                errors.append(invalid(f"spec.{field}", value, f"must be positive and less than {limit}"))
        return errors + (_local(spec) if spec.get("service") is None else _remote(spec))

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        conditions = (new.get("status") or {}).get("conditions") or ()
        return [
            not_supported(f"status.conditions[{index}].status", condition.get("status") or "", _STATUSES)
            for index, condition in enumerate(conditions)
            if condition.get("status") not in _STATUSES
        ]


def local_condition(now: datetime) -> Object:
    """What holds of every group that this server itself answers for."""
    return {
        "type": AVAILABLE,
        "status": "True",
        "lastTransitionTime": rfc3339(now),
        "reason": "Local",
        "message": "Local APIServices are always available",
    }


def condition(obj: Object) -> Object:
    """The Available condition, or nothing."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == AVAILABLE), {})


def _group_and_version(spec: Object) -> list[FieldError]:
    group, version = spec.get("group") or "", spec.get("version") or ""
    errors: list[FieldError] = []
    if group:
        errors += rules.each(names.dns1123_subdomain, group, "spec.group")
    elif version != "v1":
        errors.append(required("spec.group", "only v1 may have an empty group and it better be legacy kube"))
    return errors + rules.each(names.dns1035_label, version, "spec.version")


def _local(spec: Object) -> list[FieldError]:
    errors = []
    if bundle := spec.get("caBundle"):
        why = "local APIServices may not have a caBundle"
        errors.append(invalid("spec.caBundle", f"{len(bundle)} bytes", why))
    if spec.get("insecureSkipTLSVerify"):
        why = "local APIServices may not have insecureSkipTLSVerify"
        errors.append(invalid("spec.insecureSkipTLSVerify", True, why))
    return errors


def _remote(spec: Object) -> list[FieldError]:
    service: dict[str, Any] = spec["service"]
    errors = [required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field)]
    errors += port_of_service(service, "spec.service")
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        errors.append(invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present"))
    return errors


def _service(obj: Object, now: datetime) -> str:
    service = (obj.get("spec") or {}).get("service")
    return f"{service.get('namespace')}/{service.get('name')}" if service else "Local"


def _available(obj: Object, now: datetime) -> str:
    found = condition(obj)
    status, reason = found.get("status") or "Unknown", found.get("reason")
    return status if status == "True" or not reason else f"{status} ({reason})"


KIND = Kind(
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    definition="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
    singular="apiservice",
    strategy=APIServiceStrategy(),
    namespaced=False,
    categories=("api-extensions",),
    status=True,
    columns=(
        Column("Service", _service, description="The reference to the service that hosts this API endpoint"),
        Column("Available", _available, description="Whether this service is available"),
    ),
)
