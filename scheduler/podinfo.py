"""A pod as the scheduler's core sees it: everything the plugins ask, worked out once when the pod arrives.

The fields are plain and hashable, so that what is computed for one pod (a mask of nodes, a vector of requests) is found
again for the next one of the same shape: the thousand pods of one ReplicaSet are one shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.metadata import controller_of
from api.types import core_v1, meta_v1
from scheduler import requests
from scheduler.objects import Node, Pod, PodSpec

Requests = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Toleration:
    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, taint: Taint) -> bool:
        """The rule of `v1.Toleration.ToleratesTaint`: empty fields of a toleration stand for any."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator == "Exists":
            return True
        return self.operator in ("", "Equal") and bool(self.key) and self.value == taint.value


@dataclass(frozen=True, slots=True)
class Taint:
    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{{{self.key}: {self.value}}}"


@dataclass(frozen=True, slots=True)
class Expression:
    """One requirement on a node's labels (or, with `field`, on its name)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    field: bool = False


Term = tuple[Expression, ...]
"""Expressions that must all hold. A term without any matches no node."""


@dataclass(frozen=True, slots=True)
class NodeWish:
    """Which nodes a pod may be on: all of `selector`, and one of `terms` (None: no such condition)."""

    selector: Term = ()
    terms: tuple[Term, ...] | None = None


@dataclass(frozen=True, slots=True)
class HostPort:
    ip: str
    protocol: str
    port: int


@dataclass(frozen=True, slots=True, eq=False)
class PodInfo:
    uid: str
    namespace: str
    name: str
    priority: int
    node_name: str
    requests: Requests
    compared: Requests
    """CPU and memory as the scores see them: with defaults for containers that ask for nothing."""
    wish: NodeWish | None
    preferred: tuple[tuple[int, Term], ...]
    tolerations: tuple[Toleration, ...]
    ports: tuple[HostPort, ...]
    claims: tuple[str, ...]
    """The names of the PersistentVolumeClaims that the pod's volumes are."""
    group: str
    """Pods of one group should spread over nodes: those with one controller, or without any the same labels."""
    pod: Pod

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def digest(pod: Pod) -> PodInfo:
    """Raises ValueError when the pod asks for an amount that is no quantity."""
    metadata = pod.metadata or meta_v1.ObjectMeta()
    spec = pod.spec or PodSpec()
    affinity = spec.affinity.nodeAffinity if spec.affinity is not None else None
    held = requests.held_by(pod)
    compared = requests.of_pod(spec, defaults=True, held=held)
    return PodInfo(
        uid=metadata.uid or "",
        namespace=metadata.namespace or "",
        name=metadata.name or "",
        priority=spec.priority or 0,
        node_name=spec.nodeName or "",
        requests=tuple(sorted(requests.of_pod(spec, held=held).items())),
        compared=((requests.CPU, compared.get(requests.CPU, 0)), (requests.MEMORY, compared.get(requests.MEMORY, 0))),
        wish=_wish(spec, affinity),
        preferred=_preferred(affinity),
        tolerations=tuple(_toleration(toleration) for toleration in spec.tolerations or ()),
        ports=_ports(spec),
        claims=_claims(metadata.name or "", spec) if spec.volumes else (),
        group=_group(metadata),
        pod=pod,
    )


def _claims(pod: str, spec: PodSpec) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for volume in spec.volumes or ():
        if volume.persistentVolumeClaim is not None:
            found[volume.persistentVolumeClaim.claimName] = None
        elif volume.ephemeral is not None:
            found[f"{pod}-{volume.name}"] = None
    return tuple(found)


def _group(metadata: meta_v1.ObjectMeta) -> str:
    owner = controller_of_metadata(metadata)
    if owner:
        return owner
    labels = metadata.labels or {}
    return f"{metadata.namespace}:{sorted(labels.items())}" if labels else ""


def controller_of_metadata(metadata: meta_v1.ObjectMeta) -> str:
    """The uid of the object's controller, or ""."""
    owner = controller_of(Pod(metadata=metadata)) if metadata.ownerReferences else None
    return (owner.uid or "") if owner is not None else ""


def _toleration(toleration: core_v1.Toleration) -> Toleration:
    return Toleration(toleration.key or "", toleration.operator or "", toleration.value or "", toleration.effect or "")


def taints_of(node: Node) -> tuple[Taint, ...]:
    taints = (node.spec.taints if node.spec is not None else None) or ()
    return tuple(Taint(taint.key or "", taint.value or "", taint.effect or "") for taint in taints)


def _ports(spec: PodSpec) -> tuple[HostPort, ...]:
    found: dict[HostPort, None] = {}
    for container in (*spec.containers, *(spec.initContainers or ())):
        if container in (spec.initContainers or ()) and container.restartPolicy != "Always":
            continue
        for port in container.ports or ():
            number = port.hostPort or (port.containerPort if spec.hostNetwork else 0)
            if number:
                found[HostPort(port.hostIP or "0.0.0.0", port.protocol or "TCP", number)] = None
    return tuple(found)


def _wish(spec: PodSpec, affinity: core_v1.NodeAffinity | None) -> NodeWish | None:
    selector = tuple(Expression(key, "In", (value,)) for key, value in sorted((spec.nodeSelector or {}).items()))
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity is not None else None
    terms = tuple(term_of(term) for term in required.nodeSelectorTerms or ()) if required is not None else None
    return NodeWish(selector, terms) if selector or terms is not None else None


def _preferred(affinity: core_v1.NodeAffinity | None) -> tuple[tuple[int, Term], ...]:
    wanted = (affinity.preferredDuringSchedulingIgnoredDuringExecution if affinity is not None else None) or ()
    return tuple((part.weight, term_of(part.preference)) for part in wanted if part.weight)


def term_of(term: core_v1.NodeSelectorTerm) -> Term:
    labels = [_expression(part, False) for part in term.matchExpressions or ()]
    return tuple(labels + [_expression(part, True) for part in term.matchFields or ()])


def _expression(part: core_v1.NodeSelectorRequirement, field: bool) -> Expression:
    return Expression(part.key, part.operator, tuple(part.values or ()), field)
