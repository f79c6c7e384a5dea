"""MutatingAdmissionPolicyBinding: which requests a mutating policy is for, with which parameters."""

from __future__ import annotations

from apiserver.registry.kind import Kind
from apiserver.registry.policies import BINDING_COLUMNS, BindingStrategy

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    definition="io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
    singular="mutatingadmissionpolicybinding",
    strategy=BindingStrategy(),
    namespaced=False,
    categories=("api-extensions",),
    columns=BINDING_COLUMNS,
)
