"""ValidatingAdmissionPolicyBinding: which requests a policy is for, with which parameters, and what a refusal does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.field import FieldError, duplicate, invalid, not_supported, required
from apiserver.registry.kind import Context, Kind, Object
from apiserver.registry.policies import BINDING_COLUMNS, BindingStrategy

ACTIONS = ("Audit", "Deny", "Warn")


class ValidatingBindingStrategy(BindingStrategy):
    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        actions = (obj.get("spec") or {}).get("validationActions") or []
        return [*super().validate(obj, ctx), *_actions(actions, "spec.validationActions")]


def _actions(actions: Sequence[str], at: str) -> Iterator[FieldError]:
    for index, action in enumerate(actions):
        if action not in ACTIONS:
            yield not_supported(f"{at}[{index}]", action, ACTIONS)
        if action in actions[:index]:
            yield duplicate(f"{at}[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        yield invalid(at, list(actions), why)
    if not actions:
        yield required(at, "at least one validation action is required")


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    plural="validatingadmissionpolicybindings",
    definition="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
    singular="validatingadmissionpolicybinding",
    strategy=ValidatingBindingStrategy(),
    namespaced=False,
    categories=("api-extensions",),
    columns=BINDING_COLUMNS,
)
