"""What a pod's priority class stands for is written into the pod, and there is one default class at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiserver.admission import lookup
from apiserver.admission.remembered import Remembered
from apiserver.registry.kind import Object
from apiserver.registry.priorityclass import PREEMPT

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

GROUP = "scheduling.k8s.io"
_NONE: Object = {"value": 0, "preemptionPolicy": PREEMPT}
_CALLED = {"priority": "integer value of priority", "preemptionPolicy": "string value of PreemptionPolicy"}


def _least_default(classes: list[Object]) -> Object | None:
    """The class of pods that name none: of several that say so, the one that is worth least."""
    return min((each for each in classes if each.get("globalDefault")), key=lambda each: each["value"], default=None)


_DEFAULT: Remembered[Object | None] = Remembered("priorityclasses", GROUP, _least_default)


async def resolve(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Fill in a new pod's priority; an update that leaves it out keeps it."""
    kind = attributes.resource.kind
    if obj is None or (kind.plural, kind.group) != ("pods", "") or attributes.subresource:
        return
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    if attributes.operation == "update" and old is not None:
        for field in _CALLED:
            if spec.get(field) is None and old["spec"].get(field) is not None:
                spec[field] = old["spec"][field]
    elif attributes.operation == "create":
        await _resolve(state, attributes, spec)


async def _resolve(state: State, attributes: Attributes, spec: Object) -> None:
    name = spec.get("priorityClassName")
    if name:
        named = await lookup.find(state, "priorityclasses", GROUP, name)
        if named is None:
            raise attributes.forbidden(f"no PriorityClass with name {name} was found")
        found = named
    else:
        found = _DEFAULT.of(state) or _NONE
        if "metadata" in found:
            spec["priorityClassName"] = found["metadata"]["name"]
    computed: dict[str, Any] = {
        "priority": found["value"],
        "preemptionPolicy": found.get("preemptionPolicy") or PREEMPT,
    }
    for field, called in _CALLED.items():
        given = spec.get(field)
        if given is not None and given != computed[field]:
            text = f"the {called} ({given}) must not be provided in pod spec; priority admission controller computed"
            raise attributes.forbidden(f"{text} {computed[field]} from the given PriorityClass name")
        spec[field] = computed[field]


async def one_default(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse a second class that says it is the default."""
    kind = attributes.resource.kind
    if obj is None or (kind.plural, kind.group) != ("priorityclasses", GROUP) or not obj.get("globalDefault"):
        return
    await state.feed.fresh()
    default = _DEFAULT.of(state)
    if default is not None and default["metadata"]["name"] != obj["metadata"].get("name"):
        name = default["metadata"]["name"]
        raise attributes.forbidden(f"PriorityClass {name} is already marked as default. Only one default can exist")
