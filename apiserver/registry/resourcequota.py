"""ResourceQuota: how much of everything a namespace may have in all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from api.field import FieldError, invalid, required
from apiserver.registry import resources, rules
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_PAIRS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_POD_COUNT = frozenset({"pods"})
_POD_COMPUTE = _POD_COUNT | {f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory")}
_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
_SCOPES = {
    "BestEffort": _POD_COUNT,
    "CrossNamespacePodAffinity": _POD_COMPUTE,
    "NotBestEffort": _POD_COMPUTE,
    "NotTerminating": _POD_COMPUTE,
    "PriorityClass": _POD_COMPUTE,
    "Terminating": _POD_COMPUTE,
    "VolumeAttributesClass": _CLAIMS,
}
"""Each scope, and which of the standard resources can be counted within it."""
_ONLY_EXISTS = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")


class ResourceQuotaStrategy(StatusStrategy):
    returns_deleted = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        resources.default_list(obj["spec"].get("hard"))

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        for field in ("hard", "used"):
            resources.default_list((new.get("status") or {}).get(field))

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        hard = spec.get("hard") or {}
        errors = resources.quota_list(hard, "spec.hard")
        if scopes := spec.get("scopes"):
            errors += _scopes(scopes, hard, "spec.scopes")
        if selector := spec.get("scopeSelector"):
            errors += _selector(selector, hard, "spec.scopeSelector.matchExpressions")
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        scopes = new["spec"].get("scopes") or []
        if set(scopes) != set(old["spec"].get("scopes") or []):
            errors.append(invalid("spec.scopes", scopes, rules.IMMUTABLE))
        return errors

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        errors = resources.quota_list(status.get("hard") or {}, "status.hard")
        return errors + resources.quota_list(status.get("used") or {}, "status.used")


def _fits(scope: str, hard: Iterable[str]) -> bool:
    fitting = _SCOPES.get(scope)
    return fitting is None or all(name in fitting for name in hard if resources.standard_for_quota(name))


def _scopes(scopes: list[str], hard: Iterable[str], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for scope in scopes:
        if scope not in _SCOPES:
            errors.append(invalid(at, scopes, "unsupported scope"))
        if not _fits(scope, hard):
            errors.append(invalid(at, scopes, "unsupported scope applied to resource"))
    return errors + _conflicts(scopes, scopes, at)


def _conflicts(found: Iterable[str], shown: list[str], at: str) -> list[FieldError]:
    return [invalid(at, shown, "conflicting scopes") for pair in _PAIRS if set(pair) <= set(found)]


def _selector(selector: Object, hard: Iterable[str], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    requirements = selector.get("matchExpressions") or []
    for requirement in requirements:
        scope, operator = requirement.get("scopeName") or "", requirement.get("operator") or ""
        values = requirement.get("values") or []
        if scope not in _SCOPES:
            errors.append(invalid(f"{at}.scopeName", scope, "unsupported scope"))
        if not _fits(scope, hard):
            errors.append(invalid(at, selector, "unsupported scope applied to resource"))
        if scope in _ONLY_EXISTS and operator != "Exists":
            text = (
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                "ResourceQuotaScopeCrossNamespacePodAffinity"
            )
            errors.append(invalid(f"{at}.operator", operator, text))
        errors += _values(operator, values, at)
    return errors + _conflicts([each.get("scopeName") or "" for each in requirements], [], at)


def _values(operator: str, values: list[str], at: str) -> list[FieldError]:
    if operator in ("In", "NotIn"):
        text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        return [] if values else [required(f"{at}.values", text)]
    if operator in ("Exists", "DoesNotExist"):
        text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        return [invalid(f"{at}.values", values, text)] if values else []
    return [invalid(f"{at}.operator", operator, "not a valid selector operator")]


def _shares(obj: Object, limits: bool) -> str:
    """`used/hard` of each resource: of the limits, or of all that is no limit."""
    status = obj.get("status") or {}
    used = status.get("used") or {}
    return ", ".join(
        f"{name}: {used.get(name) or '0'}/{most}"
        for name, most in sorted((status.get("hard") or {}).items())
        if name.startswith("limits.") == limits
    )


def _request(obj: Object, now: datetime) -> str:
    return _shares(obj, limits=False)


def _limit(obj: Object, now: datetime) -> str:
    return _shares(obj, limits=True)


KIND = Kind(
    group="",
    version="v1",
    kind="ResourceQuota",
    plural="resourcequotas",
    definition="io.k8s.api.core.v1.ResourceQuota",
    singular="resourcequota",
    strategy=ResourceQuotaStrategy(),
    short_names=("quota",),
    status=True,
    columns=(
        Column("Request", _request, description="How much is used of what may be asked for"),
        Column("Limit", _limit, description="How much is used of what may be set as limits"),
    ),
)
