"""The Node object as this kubelet wants it: pure, made from the machine, the options and what is wrong at the
moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from api.types import core_v1, meta_v1
from daemon.fatal import Fatal
from kubelet.node.machine import Machine

VERSION = "v1.36.0"


@dataclass(frozen=True)
class Identity:
    """Who the node is, by its options."""

    name: str
    ips: tuple[str, ...]
    port: int = 10250
    engine_version: str = ""
    labels: Mapping[str, str] | None = None
    capacity: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[core_v1.Taint, ...] = ()
    """Those of a new Node."""
    provider_id: str = ""


@dataclass(frozen=True)
class Health:
    """What is wrong: sentences, empty where all is well."""

    runtime: str = ""
    network: str = ""
    pressures: frozenset[str] = frozenset()
    """The conditions of running short that hold: MemoryPressure, DiskPressure, PIDPressure."""
    shutdown: str = ""

    @property
    def problem(self) -> str:
        problems = []
        if self.runtime:
            problems.append(f"container runtime is down: {self.runtime}")
        if self.network:
            problems.append(
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
                f"message:Network plugin returns error: {self.network}"
            )
        if self.shutdown:
            problems.append(self.shutdown)
        return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def default_labels(identity: Identity, machine: Machine) -> dict[str, str]:
    """The labels that follow from what the node is; put right again when somebody changes them."""
    return {
        "kubernetes.io/hostname": identity.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": machine.architecture,
    }


def labels(identity: Identity, machine: Machine) -> dict[str, str]:
    return default_labels(identity, machine) | dict(identity.labels or {})


def node(identity: Identity, machine: Machine) -> core_v1.Node:
    """The object to register, without a status."""
    metadata = meta_v1.ObjectMeta(name=identity.name, labels=labels(identity, machine), annotations=dict(ANNOTATIONS))
    return core_v1.Node(
        metadata=metadata,
        spec=core_v1.NodeSpec(taints=list(identity.taints) or None, providerID=identity.provider_id or None),
    )


ANNOTATIONS = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def taints(given: Iterable[str]) -> tuple[core_v1.Taint, ...]:
    """Each from `key=value:effect` or `key:effect`. Raises Fatal for one that is neither."""
    return tuple(_taint(each) for each in given)


def _taint(text: str) -> core_v1.Taint:
    pair, colon, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    if not colon or not key or effect not in _EFFECTS:
        raise Fatal(f"invalid taint {text!r}: key=value:effect is wanted, with one of {', '.join(_EFFECTS)}")
    return core_v1.Taint(key=key, value=value or None, effect=effect)


def reference(name: str) -> core_v1.ObjectReference:
    """The Node as the kubelet's events name it: with its name for a uid, as the real one may not be known yet."""
    return core_v1.ObjectReference(kind="Node", name=name, uid=name, apiVersion="v1")


def status(
    identity: Identity,
    machine: Machine,
    health: Health,
    images: Sequence[core_v1.ContainerImage],
    before: core_v1.NodeStatus | None,
    now: datetime,
) -> core_v1.NodeStatus:
    """The status; a condition that did not change keeps its transition time."""
    addresses = [core_v1.NodeAddress(address=each, type="InternalIP") for each in identity.ips]
    addresses.append(core_v1.NodeAddress(address=identity.name, type="Hostname"))
    told = {each.type: each for each in (before.conditions or ())} if before else {}
    return core_v1.NodeStatus(
        addresses=addresses,
        capacity=dict(identity.capacity),
        allocatable=dict(identity.allocatable),
        conditions=[
            *(each for kind, each in told.items() if kind not in _KINDS),
            *(
                _condition(kind, holds, reason, text, told.get(kind), now)
                for kind, holds, reason, text in _held(health)
            ),
        ],
        daemonEndpoints=core_v1.NodeDaemonEndpoints(kubeletEndpoint=core_v1.DaemonEndpoint(Port=identity.port)),
        images=list(images) or None,
        nodeInfo=core_v1.NodeSystemInfo(
            architecture=machine.architecture,
            bootID=machine.boot_id,
            containerRuntimeVersion=f"docker://{identity.engine_version}",
            kernelVersion=machine.kernel,
            kubeProxyVersion="",
            kubeletVersion=VERSION,
            machineID=machine.machine_id,
            operatingSystem="linux",
            osImage=machine.os_image,
            systemUUID=machine.system_uuid,
            swap=core_v1.NodeSwapStatus(capacity=machine.swap) if machine.swap else None,
        ),
        features=core_v1.NodeFeatures(supplementalGroupsPolicy=True),
        runtimeHandlers=[core_v1.NodeRuntimeHandler(name="", features=_HANDLER)],
    )


_HANDLER = core_v1.NodeRuntimeHandlerFeatures(recursiveReadOnlyMounts=True, userNamespaces=False)


def _held(health: Health) -> list[tuple[str, str, str, str]]:
    ready = (
        ("Ready", "False", "KubeletNotReady", health.problem)
        if health.problem
        else ("Ready", "True", "KubeletReady", "kubelet is posting ready status")
    )
    pressures = []
    for kind, (held, free) in _PRESSURES.items():
        holds = kind in health.pressures
        pressures.append((kind, str(holds), *(held if holds else free)))
    return [*pressures, ready]


_PRESSURES = {
    "MemoryPressure": (
        ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
        ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ),
    "DiskPressure": (
        ("KubeletHasDiskPressure", "kubelet has disk pressure"),
        ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ),
    "PIDPressure": (
        ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
        ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ),
}
"""Reason and message of each condition when it holds, and when it doesn't."""
_KINDS = (*_PRESSURES, "Ready")


def _condition(
    kind: str, holds: str, reason: str, message: str, told: core_v1.NodeCondition | None, now: datetime
) -> core_v1.NodeCondition:
    same = told is not None and told.status == holds
    return core_v1.NodeCondition(
        type=kind,
        status=holds,
        reason=reason,
        message=message,
        lastHeartbeatTime=now,
        lastTransitionTime=told.lastTransitionTime if told is not None and same else now,
    )


def gist(of: core_v1.NodeStatus) -> core_v1.NodeStatus:
    """The status without its heartbeat times: when this changes, the API server is told."""
    conditions = [msgspec.structs.replace(each, lastHeartbeatTime=None) for each in of.conditions or ()]
    return msgspec.structs.replace(of, conditions=conditions)


MOST_NAMES = 5
"""Names of one image in a status."""


def images(listed: Sequence[Mapping[str, object]], most: int = 50) -> list[core_v1.ContainerImage]:
    """The images present, the largest first, as a node's status tells them; all of them if `most` is negative."""
    found = []
    for each in listed:
        tags, digests, size = each.get("RepoTags"), each.get("RepoDigests"), each.get("Size")
        names = [
            str(name)
            for group in (digests, tags)
            if isinstance(group, list)
            for name in group
            if "<none>" not in str(name)
        ]
        if names:
            found.append(
                core_v1.ContainerImage(names=names[:MOST_NAMES], sizeBytes=size if isinstance(size, int) else 0)
            )
    return sorted(found, key=lambda each: (-(each.sizeBytes or 0), each.names or []))[: most if most >= 0 else None]
