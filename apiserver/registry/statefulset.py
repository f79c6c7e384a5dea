"""StatefulSet: pods with names of their own that stay, each with volumes of its own."""

from __future__ import annotations

from api import intstr, names
from api.field import FieldError, forbidden, invalid, not_supported, required
from api.selectors import LabelSelector, SelectorError
from apiserver.registry import claims, metadata, rules, workload
from apiserver.registry.kind import Context, Kind, Object, Scale
from apiserver.registry.podspec import validation

_RETENTION = {"whenDeleted": "Retain", "whenScaled": "Retain"}
_ORDERS = ("OrderedReady", "Parallel")
_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_COUNTS = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")


class StatefulSetStrategy(workload.WorkloadStrategy):
    def validate_name(self, name: str) -> list[str]:
        return names.dns1123_label(name)

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        if not spec.get("podManagementPolicy"):
            spec["podManagementPolicy"] = "OrderedReady"
        for name, value in (("replicas", 1), ("revisionHistoryLimit", 10)):
            if spec.get(name) is None:
                spec[name] = value
        spec["updateStrategy"] = _defaulted(spec.get("updateStrategy") or {})
        policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        spec["persistentVolumeClaimRetentionPolicy"] = {
            name: policy.get(name) or value for name, value in _RETENTION.items()
        }
        workload.default_template(spec)
        for claim in spec.get("volumeClaimTemplates") or ():
            _default_claim(claim)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"replicas": 0, "availableReplicas": 0}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors = _policies(spec)
        errors += rules.not_negative(spec, ("replicas", "minReadySeconds"), "spec")
        errors += rules.not_negative(spec.get("ordinals") or {}, ("start",), "spec.ordinals")
        if service := spec.get("serviceName"):
            errors += rules.each(names.dns1123_label, service, "spec.serviceName")
        errors += _claims(spec.get("volumeClaimTemplates") or [], "spec.volumeClaimTemplates")
        errors += _selector_and_template(spec)
        return errors + workload.runs_forever(spec["template"], "StatefulSet")

    def warnings(self, obj: Object) -> list[str]:
        return self.template_warnings(obj)  # of its name, the rules say enough

    def template_warnings(self, obj: Object) -> list[str]:
        spec, found = obj["spec"], super().template_warnings(obj)
        for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            found += claims.warnings(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}]")
        if spec["revisionHistoryLimit"] < 0:
            text = "a negative value retains all historical revisions; a value >= 0 is recommended"
            found.append(f"spec.revisionHistoryLimit: {text}")
        return found

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        kept, before = ({k: v for k, v in obj["spec"].items() if k not in _MUTABLE} for obj in (new, old))
        if not rules.same(kept, before):
            fields = ", ".join(f"'{name}'" for name in _MUTABLE[:-1])
            text = f"updates to statefulset spec for fields other than {fields} and '{_MUTABLE[-1]}' are forbidden"
            errors.append(forbidden("spec", text))
        return errors

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        errors = rules.not_negative(status, ("replicas", *_COUNTS, "observedGeneration", "collisionCount"), "status")
        total = status.get("replicas") or 0
        for name in _COUNTS:
            if (status.get(name) or 0) > total:
                errors.append(invalid(f"status.{name}", status[name], "cannot be greater than status.replicas"))
        available = status.get("availableReplicas") or 0
        if available > (status.get("readyReplicas") or 0):
            text = "cannot be greater than status.readyReplicas"
            errors.append(invalid("status.availableReplicas", available, text))
        return errors + rules.not_less(status, old.get("status") or {}, "collisionCount", "status")


def _defaulted(strategy: Object) -> Object:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for name, value in (("partition", 0), ("maxUnavailable", 1)):
            if strategy["rollingUpdate"].get(name) is None:
                strategy["rollingUpdate"][name] = value
    return strategy


def _default_claim(claim: Object) -> None:
    claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
    for part in ("metadata", "spec"):
        if claim.get(part) is None:
            claim[part] = {}
    claims.default_claim(claim["spec"])
    claim["status"] = {**(claim.get("status") or {}), "phase": "Pending"}


def _policies(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    order = spec["podManagementPolicy"]
    if order not in _ORDERS:
        errors.append(invalid("spec.podManagementPolicy", order, "must be 'OrderedReady' or 'Parallel'"))
    errors += _update_strategy(spec["updateStrategy"], "spec.updateStrategy")
    for name, policy in spec["persistentVolumeClaimRetentionPolicy"].items():
        if policy not in ("Retain", "Delete"):
            at = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
            errors.append(not_supported(at, policy, ("Retain", "Delete")))
    return errors


def _update_strategy(strategy: Object, at: str) -> list[FieldError]:
    kind, rolling = strategy["type"], strategy.get("rollingUpdate")
    if kind == "OnDelete":
        text = "only allowed for updateStrategy 'RollingUpdate'"
        return [] if rolling is None else [invalid(f"{at}.rollingUpdate", rolling, text)]
    if kind != "RollingUpdate":
        return [invalid(at, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
    errors = rules.not_negative(rolling or {}, ("partition",), f"{at}.rollingUpdate")
    unavailable = (rolling or {}).get("maxUnavailable")
    if unavailable is not None:
        here = f"{at}.rollingUpdate.maxUnavailable"
        errors += rules.count_or_percent(unavailable, here)
        if intstr.amount(unavailable) == 0:
            errors.append(invalid(here, unavailable, "cannot be 0"))
        errors += rules.at_most_all(unavailable, here)
    return errors


def _claims(templates: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, claim in enumerate(templates):
        here, meta = f"{at}[{index}]", claim["metadata"]
        if name := meta.get("name"):
            errors += rules.each(names.dns1123_subdomain, name, f"{here}.metadata.name")
        else:
            errors.append(required(f"{here}.metadata.name"))
        errors += rules.labels(meta.get("labels"), f"{here}.metadata.labels")
        errors += metadata.validate_annotations(meta.get("annotations"), f"{here}.metadata.annotations")
        errors += claims.claim(claim["spec"], f"{here}.spec")
    return errors


def _selector_and_template(spec: Object) -> list[FieldError]:
    selector, template = spec.get("selector"), spec["template"]
    errors = workload.given_selector(selector, "statefulset")
    try:
        parsed = LabelSelector.of(selector)
    except SelectorError:
        return [*errors, invalid("spec.selector", selector, "")]
    errors += workload.matched(parsed, template)
    return errors + validation.template(_with_claims(template, spec), "spec.template")


def _with_claims(template: Object, spec: Object) -> Object:
    """The template with a volume for each claim template, as its pods will have it."""
    own = {claim["metadata"].get("name"): claim for claim in spec.get("volumeClaimTemplates") or ()}
    if not own:
        return template
    kept = [volume for volume in template["spec"].get("volumes") or () if volume.get("name") not in own]
    made = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in own if name]
    return {**template, "spec": {**template["spec"], "volumes": [*kept, *made]}}


KIND = Kind(
    group="apps",
    version="v1",
    kind="StatefulSet",
    plural="statefulsets",
    definition="io.k8s.api.apps.v1.StatefulSet",
    singular="statefulset",
    strategy=StatefulSetStrategy(),
    short_names=("sts",),
    categories=("all",),
    status=True,
    scale=Scale(),
    columns=(workload.READY, *workload.template_columns("spec", "template")),
)
