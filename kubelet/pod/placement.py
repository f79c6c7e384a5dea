"""Whether a pod belongs on this node: the scheduler has seen to it for those that it bound, but not for a pod that
names its node itself, nor for a static one. Pure; the words are Kubernetes'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.selectors import Operator, Requirement
from api.taints import bears
from api.types import core_v1
from kubelet.pod.admission import Refusal
from kubelet.static.annotations import is_static

_OPERATORS: Mapping[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
    "Gt": "gt",
    "Lt": "lt",
}
_EVERY_ADDRESS = ("", "0.0.0.0", "::")


def misplaced(pod: core_v1.Pod, node: core_v1.Node, others: Iterable[core_v1.Pod]) -> Refusal | None:
    """Args: others: the pods that the node has taken and that have not ended."""
    spec, named, tainted = pod.spec, node.metadata, node.spec
    assert spec is not None
    assert named is not None
    if not _matches(spec, named.name or "", named.labels or {}):
        return _refusal("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if _collide(pod, others):
        return _refusal("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    taints = [each for each in (tainted.taints if tainted is not None else None) or () if each.effect == "NoExecute"]
    if not is_static(pod) and not all(bears(spec.tolerations, each) for each in taints):
        return _refusal("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    return None


def _refusal(rule: str, why: str) -> Refusal:
    return Refusal(rule, f"Predicate {rule} failed: {why}")


def _matches(spec: core_v1.PodSpec, name: str, labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (spec.nodeSelector or {}).items()):
        return False
    affinity = spec.affinity.nodeAffinity if spec.affinity is not None else None
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity is not None else None
    fields = {"metadata.name": name}
    return required is None or any(_holds(term, labels, fields) for term in required.nodeSelectorTerms)


def _holds(term: core_v1.NodeSelectorTerm, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    """A term that asks for nothing holds nowhere."""
    asked = [(each, labels) for each in term.matchExpressions or ()]
    asked += [(each, fields) for each in term.matchFields or ()]
    return bool(asked) and all(_requirement(each).matches(values) for each, values in asked)


def _requirement(asked: core_v1.NodeSelectorRequirement) -> Requirement:
    return Requirement(asked.key, _OPERATORS[asked.operator], tuple(asked.values or ()))


def _collide(pod: core_v1.Pod, others: Iterable[core_v1.Pod]) -> bool:
    mine = list(_ports(pod))
    if not mine:
        return False
    taken = [each for other in others for each in _ports(other)]
    return any(one[:2] == two[:2] and _meet(one[2], two[2]) for one in mine for two in taken)


def _ports(pod: core_v1.Pod) -> Iterable[tuple[str, int, str]]:
    """Protocol, port of the host, and its address: of all that runs as long as the pod."""
    assert pod.spec is not None
    sidecars = [each for each in pod.spec.initContainers or () if each.restartPolicy == "Always"]
    for container in (*pod.spec.containers, *sidecars):
        for port in container.ports or ():
            if port.hostPort:
                yield port.protocol or "TCP", port.hostPort, port.hostIP or ""


def _meet(one: str, two: str) -> bool:
    return one == two or one in _EVERY_ADDRESS or two in _EVERY_ADDRESS
