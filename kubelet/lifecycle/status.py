"""A pod's status as Kubernetes words it: a pure function of the same view that decisions are made from."""

from __future__ import annotations

from api.types import core_v1
from kubelet.lifecycle.conditions import conditions
from kubelet.lifecycle.restart import init_failed, initialized
from kubelet.lifecycle.rules import runs_again
from kubelet.lifecycle.states import container_status, ephemeral_status, moment, over
from kubelet.lifecycle.view import TERMINAL, View
from kubelet.pod.resources import qos_class


def pod_status(view: View, now: float) -> core_v1.PodStatus:
    """The whole status that this kubelet owns; what others own in it (a nominated node) is kept."""
    told = view.pod.status or core_v1.PodStatus()
    inits = [container_status(view, each, now) for each in view.init_containers]
    mains = [container_status(view, each, now) for each in view.spec.containers]
    if (view.evicted is not None or over(view)) and not view.members and not told.containerStatuses:
        inits, mains = [], []  # refused before it began: there is nothing to tell of its containers
    coming = _phase(view, mains)
    # A pod is not told to have ended while something of it still runs.
    ending = coming in TERMINAL and bool(view.running)
    phase = (told.phase or "Pending") if ending else coming
    why = None if ending else view.evicted
    # A pod whose sandbox is gone is still known by the address it had.
    ips = view.network.ips if view.network is not None and view.wired else [each.ip for each in told.podIPs or ()]
    metadata = view.pod.metadata
    return core_v1.PodStatus(
        phase=phase,
        conditions=conditions(view, coming, inits, mains, now),
        containerStatuses=mains or None,
        initContainerStatuses=inits or None,
        ephemeralContainerStatuses=[ephemeral_status(view, each) for each in view.ephemeral] or None,
        hostIP=view.host_ips[0] if view.host_ips else None,
        hostIPs=[core_v1.HostIP(ip) for ip in view.host_ips] or None,
        podIP=ips[0] if ips else None,
        podIPs=[core_v1.PodIP(ip) for ip in ips] or None,
        startTime=told.startTime or moment(view.started_at),
        qosClass=told.qosClass or qos_class(view.spec),
        message=why.message if why else told.message,
        reason=why.reason if why else told.reason,
        nominatedNodeName=told.nominatedNodeName,
        observedGeneration=metadata.generation if metadata is not None else None,
    )


def _phase(view: View, mains: list[core_v1.ContainerStatus]) -> str:
    """Kubernetes' phase. A pod that is being deleted and has stopped counts as one that never restarts. Sidecars
    keep a pod running, but how they end doesn't matter."""
    if over(view) and view.pod.status is not None and view.pod.status.phase:
        return view.pod.status.phase
    if view.evicted is not None:
        return "Failed"
    last = view.deleting and not view.running
    if not last and not initialized(view):
        return "Failed" if init_failed(view) and not view.restarting_all else "Pending"
    if last and not initialized(view) and _broke(view):
        return "Failed"
    up = [each for each in mains if each.state and each.state.running]
    codes = [code for each in mains if (code := _exit_code(each)) is not None]
    if up:
        return "Running" if len(up) + len(codes) == len(mains) else "Pending"
    if len(codes) < len(mains):
        return "Failed" if last and codes else "Pending"
    sidecars = [each for each in view.running if each.name in view.sidecars]
    if not last and (sidecars or _any_again(view, codes)):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def _any_again(view: View, codes: list[int]) -> bool:
    pairs = zip(view.spec.containers, codes, strict=True)
    return view.restarting_all or any(runs_again(each, view.policy, code) for each, code in pairs)


def _broke(view: View) -> bool:
    """An init container of a pod that was stopped before it was up has failed."""
    newest = [view.newest(each.name) for each in view.init_containers if each.name not in view.sidecars]
    return any(each is not None and each.exit_code != 0 for each in newest)


def _exit_code(status: core_v1.ContainerStatus) -> int | None:
    """Of one that has ended: also one that waits to be started again."""
    state, last = status.state, status.lastState
    if state is None:
        return None
    if state.terminated is not None:
        return state.terminated.exitCode
    ended = last.terminated if state.waiting is not None and last is not None else None
    return ended.exitCode if ended is not None else None
