"""A policy's binding: which requests the policy is for, with which parameters, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.admission.matching import Matching
from apiserver.registry.kind import Object


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding object of any kind of policy."""

    name: str
    policy: str
    matching: Matching
    param_ref: Mapping[str, Any] | None
    actions: tuple[str, ...]
    """What follows from a refusal (`Deny`, `Warn`, `Audit`)."""

    @classmethod
    def of(cls, obj: Object) -> Binding:
        spec = obj["spec"]
        return cls(
            name=obj["metadata"]["name"],
            policy=spec["policyName"],
            matching=Matching.of(spec.get("matchResources") or {}, any_resource=True),
            param_ref=spec.get("paramRef"),
            actions=tuple(spec.get("validationActions") or ()),
        )
