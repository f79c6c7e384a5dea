"""What the kinds that make pods from a template share: the template, a selector that matches it, columns about both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from api import names
from api.field import FieldError, forbidden, invalid, not_supported, required
from api.selectors import LabelSelector, SelectorError
from apiserver.registry import rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Object, StatusStrategy
from apiserver.registry.podspec import defaults, validation
from apiserver.registry.podspec.warnings import of_pod

MISMATCH = "`selector` does not match template `labels`"


class WorkloadStrategy(StatusStrategy):
    """A kind with a pod template, and a selector that stays."""

    has_generation = True

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        return errors + rules.immutable(new["spec"].get("selector"), old["spec"].get("selector"), "spec.selector")

    def warnings(self, obj: Object) -> list[str]:
        return name_warnings(obj) + self.template_warnings(obj)

    def update_warnings(self, new: Object, old: Object) -> list[str]:
        return [] if same_generation(new, old) else self.template_warnings(new)

    def template_warnings(self, obj: Object) -> list[str]:
        """Sentences about everything but the name."""
        template = obj["spec"].get("template")
        return of_pod(template, "spec.template") if template else []


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
    selector, template = spec.get("selector"), spec["template"]
    # The word is the same for ReplicaSets, and always has been.
    errors = given_selector(selector, "deployment")
    try:
        parsed = LabelSelector.of(selector)
    except SelectorError:
        return [*errors, invalid("spec.selector", selector, "invalid label selector")]
    errors += matched(parsed, template)
    return errors + validation.template(template, "spec.template") + runs_forever(template, called)


def given_selector(selector: Object | None, called: str) -> list[FieldError]:
    """A selector that must be there and select something."""
    if selector is None:
        return [required("spec.selector")]
    errors = rules.label_selector(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(invalid("spec.selector", selector, f"empty selector is invalid for {called}"))
    return errors


def matched(selector: LabelSelector, template: Object) -> list[FieldError]:
    """Whether a selector finds the pods of a template. One that finds nothing or everything has its own error."""
    labels = template["metadata"].get("labels") or {}
    if selector.nothing or selector.everything or selector.matches(labels):
        return []
    return [invalid("spec.template.metadata.labels", labels, MISMATCH)]


def runs_forever(template: Object, called: str) -> list[FieldError]:
    """What pods must be told that are replaced whenever they end."""
    errors: list[FieldError] = []
    pod = template["spec"]
    if pod.get("restartPolicy") != "Always":
        errors.append(not_supported("spec.template.spec.restartPolicy", pod.get("restartPolicy"), ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {called} is not Supported"
        errors.append(forbidden("spec.template.spec.activeDeadlineSeconds", text))
    return errors


def same_generation(new: Object, old: Object) -> bool:
    return bool(new["metadata"].get("generation") == old["metadata"].get("generation"))


def name_warnings(obj: Object) -> list[str]:
    """Of a name that no pod could have in its own hostname."""
    wrong = names.dns1123_label(obj["metadata"].get("name") or "")
    if not wrong:
        return []
    text = (
        "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
    )
    return [f"metadata.name: {text}: [{' '.join(wrong)}]"]


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


def _at(obj: Object, path: tuple[str, ...]) -> Object:
    for name in path:
        obj = obj.get(name) or {}
    return obj


def template_columns(*path: str, priority: int = 1) -> tuple[Column, Column]:
    """The containers of the pod template at `path`, and their images."""

    def containers(obj: Object, field: str) -> str:
        return ",".join(each.get(field) or "" for each in _at(obj, (*path, "spec")).get("containers") or ())

    return (
        Column(
            "Containers",
            lambda obj, now: containers(obj, "name"),
            description="Names of each container in the template.",
            priority=priority,
        ),
        Column(
            "Images",
            lambda obj, now: containers(obj, "image"),
            description="Images referenced by each container in the template.",
            priority=priority,
        ),
    )


def selector_column(*path: str) -> Column:
    """The label selector at `path`, in its text form."""
    *parents, last = path

    def cell(obj: Object, now: datetime) -> str:
        try:
            return str(LabelSelector.of(_at(obj, tuple(parents)).get(last))) or NONE
        except SelectorError:
            return "<error>"

    return Column("Selector", cell, description="Which pods are its own.", priority=1)


def number(*path: str) -> Callable[[Object, datetime], int]:
    """The cell that shows a number of the object, 0 if it is not there."""
    *parents, last = path
    return lambda obj, now: _at(obj, tuple(parents)).get(last) or 0


def count(name: str, *path: str, description: str, type: str = "integer") -> Column:
    return Column(name, number(*path), type=type, description=description)


def _ready(obj: Object, now: datetime) -> str:
    return f"{number('status', 'readyReplicas')(obj, now)}/{number('spec', 'replicas')(obj, now)}"


READY = Column("Ready", _ready, description="Number of the pod with ready state")
REPLICAS = (
    count("Desired", "spec", "replicas", description="How many pods there should be"),
    count("Current", "status", "replicas", description="How many pods there are"),
    count("Ready", "status", "readyReplicas", description="How many of them are ready"),
)
COLUMNS = (*template_columns("spec", "template"), selector_column("spec", "selector"))
