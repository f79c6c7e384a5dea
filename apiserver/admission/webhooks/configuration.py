"""The webhooks that are configured, read from their objects once for each change of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.admission.conditions import Conditions
from apiserver.admission.matching import Matching
from apiserver.admission.remembered import Remembered
from apiserver.admission.webhooks.review import VERSIONS
from apiserver.cel import CelError
from apiserver.registry.kind import Object

GROUP = "admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook of a configuration. `reinvoked` is whether it wants to be asked again after others."""

    name: str
    configuration: str
    index: int
    client: Mapping[str, Any]
    matching: Matching
    conditions: Conditions
    version: str
    seconds: int
    ignores_failure: bool
    side_effects: str
    reinvoked: bool

    @classmethod
    def of(cls, spec: Mapping[str, Any], configuration: str, index: int) -> Hook:
        ignores_failure = spec.get("failurePolicy") == "Ignore"
        return cls(
            name=spec["name"],
            configuration=configuration,
            index=index,
            client=spec["clientConfig"],
            matching=Matching.of(spec),
            conditions=_conditions(spec, ignores_failure),
            version=next(each for each in spec["admissionReviewVersions"] if each in VERSIONS),
            seconds=spec.get("timeoutSeconds") or 10,
            ignores_failure=ignores_failure,
            side_effects=spec.get("sideEffects") or "",
            reinvoked=spec.get("reinvocationPolicy") == "IfNeeded",
        )

    @property
    def uid(self) -> tuple[str, int]:
        """What tells the webhook from all others."""
        return self.configuration, self.index

    @property
    def takes_dry_runs(self) -> bool:
        return self.side_effects in ("None", "NoneOnDryRun")


def _conditions(spec: Mapping[str, Any], ignore_failure: bool) -> Conditions:
    try:
        return Conditions.of(spec.get("matchConditions"), ignore_failure=ignore_failure)
    except CelError as error:
        return Conditions(ignore_failure=ignore_failure, problem=f"compilation failed: {error}")


def _hooks(configurations: list[Object]) -> tuple[Hook, ...]:
    return tuple(hook for configuration in configurations for hook in _hooks_of(configuration))


def _hooks_of(configuration: Object) -> tuple[Hook, ...]:
    name = configuration["metadata"]["name"]
    return tuple(Hook.of(spec, name, index) for index, spec in enumerate(configuration.get("webhooks") or ()))


MUTATING = Remembered("mutatingwebhookconfigurations", GROUP, _hooks)
VALIDATING = Remembered("validatingwebhookconfigurations", GROUP, _hooks)
"""All webhooks of a kind, in the order of their configurations' names: ask them `of` a state."""
