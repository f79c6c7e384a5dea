"""Containers that get other amounts of CPU and memory while they run (KEP-1287): pure.

Three things are told apart. What the pod's spec *desires*; what the node has *allocated* to it, which is what every
decision works from (the view's pod carries it as its spec); and what each running container was *given*. A resize is
first allocated, if the node has room, and then given to one container after the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from api import requests
from api.types import core_v1

Resources = core_v1.ResourceRequirements
Amounts = tuple[requests.Amounts, requests.Amounts]
RESIZABLE = ("cpu", "memory")
PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"


@dataclass(frozen=True, slots=True)
class Pending:
    """Why a resize is not allocated: `Deferred` until there is room, or `Infeasible` on this node."""

    reason: str
    message: str


@dataclass(frozen=True)
class Resizing:
    """What a view knows of its pod's resizes."""

    pending: Pending | None = None
    given: Mapping[str, Resources] = field(default_factory=dict)
    """By container id, of those that were started or resized by this kubelet."""


def amounts(of: Resources | None) -> Amounts:
    """Requests and limits of what can be resized."""
    stated = of or Resources()
    limits = _only(stated.limits)
    return limits | _only(stated.requests), limits


def _only(stated: Mapping[str, str] | None) -> requests.Amounts:
    return {name: number for name, number in requests.amounts(stated).items() if name in RESIZABLE}


def changes(one: Resources | None, other: Resources | None) -> set[str]:
    """The resources in which they differ."""
    pairs = zip(amounts(one), amounts(other), strict=True)
    return {name for before, after in pairs for name in RESIZABLE if before.get(name) != after.get(name)}


def differ(desired: core_v1.Pod, allocated: core_v1.Pod) -> bool:
    """Whether a resize is asked for."""
    before = _by_name(allocated)
    return any(name in before and changes(before[name], wanted) for name, wanted in _by_name(desired).items())


def keep(desired: core_v1.Pod, allocated: core_v1.Pod) -> core_v1.Pod:
    """The desired pod, but with what its containers were allocated before."""
    return _with(desired, _by_name(allocated)) if differ(desired, allocated) else desired


def remembered(pod: core_v1.Pod) -> core_v1.Pod:
    """The pod with what it was allocated as its status tells: what a restarted kubelet begins with."""
    status = pod.status
    told: dict[str, Resources | None] = {}
    for each in [*(status.initContainerStatuses or ()), *(status.containerStatuses or ())] if status else ():
        if each.allocatedResources and each.resources is not None:
            told[each.name] = Resources(requests=each.allocatedResources, limits=each.resources.limits)
    return _with(pod, told) if told else pod


def _by_name(pod: core_v1.Pod) -> dict[str, Resources | None]:
    assert pod.spec is not None
    return {each.name: each.resources for each in [*(pod.spec.initContainers or ()), *pod.spec.containers]}


def _with(pod: core_v1.Pod, known: Mapping[str, Resources | None]) -> core_v1.Pod:
    """Only what can be resized is taken: the rest of a container's resources never changes."""
    spec = pod.spec
    assert spec is not None

    def one(container: core_v1.Container) -> core_v1.Container:
        if container.name not in known or not changes(container.resources, known[container.name]):
            return container
        own, old = container.resources or Resources(), known[container.name] or Resources()
        mixed = msgspec.structs.replace(
            own, requests=_mixed(own.requests, old.requests), limits=_mixed(own.limits, old.limits)
        )
        return msgspec.structs.replace(container, resources=mixed)

    inits = [one(each) for each in spec.initContainers or ()]
    changed = msgspec.structs.replace(
        spec, containers=[one(each) for each in spec.containers], initContainers=inits or spec.initContainers
    )
    return msgspec.structs.replace(pod, spec=changed)


def _mixed(own: Mapping[str, str] | None, old: Mapping[str, str] | None) -> dict[str, str] | None:
    rest = {name: text for name, text in (own or {}).items() if name not in RESIZABLE}
    return {**rest, **{name: text for name, text in (old or {}).items() if name in RESIZABLE}} or None


def must_restart(container: core_v1.Container, changed: set[str]) -> bool:
    """Whether the container wants to be started anew for such a change."""
    return any(
        each.resourceName in changed and each.restartPolicy == "RestartContainer" for each in policies(container)
    )


def policies(container: core_v1.Container) -> list[core_v1.ContainerResizePolicy]:
    return container.resizePolicy or []


def message(what: str, pod: core_v1.Pod, error: str = "") -> str:
    """An event's, with all the amounts."""
    assert pod.spec is not None
    said: dict[str, object] = {}
    for kind in ("initContainers", "containers"):
        stated = [_stated(each) for each in getattr(pod.spec, kind) or ()]
        if stated:
            said[kind] = stated
    said["generation"] = (pod.metadata.generation or 0) if pod.metadata else 0
    if error:
        said["error"] = error
    return f"Pod resize {what}: {json.dumps(said, separators=(',', ':'))}"


def _stated(container: core_v1.Container) -> dict[str, object]:
    own = container.resources or Resources()
    both = {"limits": own.limits, "requests": own.requests}
    return {"name": container.name, "resources": {kind: stated for kind, stated in both.items() if stated}}
