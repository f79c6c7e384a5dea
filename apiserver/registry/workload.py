"""What a ReplicaSet and a Deployment share: a selector, a template that it matches, and columns about both."""

from __future__ import annotations

from datetime import datetime

from api import names
from api.field import FieldError, forbidden, invalid, not_supported, required
from api.selectors import LabelSelector, SelectorError
from apiserver.registry import rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Object
from apiserver.registry.podspec import defaults, validation
from apiserver.registry.podspec.warnings import of_spec


def default_template(spec: Object) -> None:
    template = spec.get("template")
    if template is None:
        template = spec["template"] = {}
    if template.get("metadata") is None:
        template["metadata"] = {}
    if template.get("spec") is None:
        template["spec"] = {}
    defaults.default_spec(template["spec"])


def selector_and_template(spec: Object, called: str) -> list[FieldError]:
    """`called`: the kind's name, as the one message that names it has it."""
    selector = spec.get("selector")
    errors: list[FieldError] = []
    if selector is None:
        errors.append(required("spec.selector"))
    else:
        errors += rules.label_selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            # The word is the same for ReplicaSets, and always has been.
            errors.append(invalid("spec.selector", selector, "empty selector is invalid for deployment"))
    try:
        parsed = LabelSelector.of(selector)
    except SelectorError:
        return [*errors, invalid("spec.selector", selector, "invalid label selector")]
    template = spec["template"]
    if selector is not None and not parsed.everything:
        labels = template["metadata"].get("labels") or {}
        if not parsed.matches(labels):
            text = "`selector` does not match template `labels`"
            errors.append(invalid("spec.template.metadata.labels", labels, text))
    return errors + _template(template, called)


def _template(template: Object, called: str) -> list[FieldError]:
    errors = validation.template(template, "spec.template")
    pod = template["spec"]
    if pod.get("restartPolicy") != "Always":
        errors.append(not_supported("spec.template.spec.restartPolicy", pod.get("restartPolicy"), ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {called} is not Supported"
        errors.append(forbidden("spec.template.spec.activeDeadlineSeconds", text))
    return errors


def warnings(obj: Object) -> list[str]:
    """Of its template, and of a name that no pod could have in its own hostname."""
    found = of_spec(obj["spec"]["template"]["spec"], "spec.template.spec")
    wrong = names.dns1123_label(obj["metadata"].get("name") or "")
    if not wrong:
        return found
    text = (
        "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
    )
    return [f"metadata.name: {text}: [{' '.join(wrong)}]", *found]


def replica_counts(status: Object, counts: tuple[str, ...]) -> list[FieldError]:
    """Numbers of a status: none negative, none above `replicas`, no more available than ready."""
    errors = rules.not_negative(status, ("observedGeneration", "replicas", *counts), "status")
    total, ready = status.get("replicas") or 0, status.get("readyReplicas") or 0
    for name in counts:
        value = status.get(name) or 0
        if name != "unavailableReplicas" and value > total:
            errors.append(invalid(f"status.{name}", value, "cannot be greater than status.replicas"))
    available = status.get("availableReplicas") or 0
    if available > ready:
        errors.append(invalid("status.availableReplicas", available, "cannot be greater than readyReplicas"))
    return errors


def _containers(obj: Object) -> list[Object]:
    template = (obj.get("spec") or {}).get("template") or {}
    return (template.get("spec") or {}).get("containers") or []


def _names(obj: Object, now: datetime) -> str:
    return ",".join(container.get("name") or "" for container in _containers(obj))


def _images(obj: Object, now: datetime) -> str:
    return ",".join(container.get("image") or "" for container in _containers(obj))


def _selector(obj: Object, now: datetime) -> str:
    selector = (obj.get("spec") or {}).get("selector")
    if selector is None:
        return NONE
    try:
        return str(LabelSelector.of(selector)) or NONE
    except SelectorError:
        return "<error>"


COLUMNS = (
    Column("Containers", _names, description="Names of each container in the template.", priority=1),
    Column("Images", _images, description="Images referenced by each container in the template.", priority=1),
    Column("Selector", _selector, description="Which pods are its own.", priority=1),
)
