"""A pod's status as Kubernetes words it: a pure function of the same view that decisions are made from."""

from __future__ import annotations

from datetime import UTC, datetime

from api.types import core_v1
from kubelet.lifecycle.conditions import conditions
from kubelet.lifecycle.restart import initialized, restart_at, runs_again, wanted
from kubelet.lifecycle.view import TERMINAL, Failure, View, is_sidecar
from kubelet.pod.identity import Identity
from kubelet.pod.resources import qos_class
from kubelet.runtime.container import USER, Container, State

FLIP_AFTER = 2.0
"""Seconds that the first sight of an image error is shown before the back-off is."""
_BACK_OFF_REASON = {"ErrImagePull": "ImagePullBackOff"}


def pod_status(view: View, now: float) -> core_v1.PodStatus:
    """The whole status that this kubelet owns; what others own in it (a nominated node) is kept."""
    told = view.pod.status or core_v1.PodStatus()
    inits = [_container(view, each, now, init=True) for each in view.init_containers]
    mains = [_container(view, each, now, init=False) for each in view.spec.containers]
    if view.evicted is not None and not view.members and not told.containerStatuses:
        inits, mains = [], []  # refused before it began: there is nothing to tell of its containers
    phase = _phase(view, inits, mains)
    # A pod whose sandbox is gone is still known by the address it had.
    ips = view.network.ips if view.network is not None and view.wired else [each.ip for each in told.podIPs or ()]
    metadata = view.pod.metadata
    return core_v1.PodStatus(
        phase=phase,
        conditions=conditions(view, phase, inits, mains, now),
        containerStatuses=mains or None,
        initContainerStatuses=inits or None,
        hostIP=view.host_ips[0] if view.host_ips else None,
        hostIPs=[core_v1.HostIP(ip) for ip in view.host_ips] or None,
        podIP=ips[0] if ips else None,
        podIPs=[core_v1.PodIP(ip) for ip in ips] or None,
        startTime=told.startTime or moment(view.started_at),
        qosClass=told.qosClass or qos_class(view.spec),
        message=view.evicted.message if view.evicted else told.message,
        reason=view.evicted.reason if view.evicted else told.reason,
        nominatedNodeName=told.nominatedNodeName,
        observedGeneration=metadata.generation if metadata is not None else None,
    )


def moment(seconds: float) -> datetime:
    """Whole seconds, as the wire has them: a finer time would make equal statuses unequal."""
    return datetime.fromtimestamp(int(seconds), UTC)


def _container(view: View, spec: core_v1.Container, now: float, *, init: bool) -> core_v1.ContainerStatus:
    newest, told = view.newest(spec.name), view.told(spec.name)
    if newest is None and told is not None and told.containerID:
        lost = _lost(told)
        if view.deleting or _over(view):
            return lost
        # It will run again, as another container: what was told becomes its past.
        counted = told.restartCount + 1
        told = core_v1.ContainerStatus(spec.image or "", "", spec.name, False, counted, lastState=lost.state)
    health = view.health.get(newest.id) if newest is not None else None
    running = newest is not None and newest.state is State.RUNNING
    started = running and (health.started if health else spec.startupProbe is None)
    ready = started and (health.ready if health else spec.readinessProbe is None)
    state, last = _states(view, spec, newest, now, init=init)
    if init and not is_sidecar(spec):
        ready = state.terminated is not None and state.terminated.exitCode == 0
        started = running
    shown = newest
    if (
        last is None
        and told is not None
        and told.lastState
        and (newest is None or _same(newest, told) or not told.containerID)
    ):
        last = told.lastState
    return core_v1.ContainerStatus(
        name=spec.name,
        image=(shown.image if shown else "") or spec.image or "",
        imageID=f"docker://{shown.image_id}" if shown and shown.image_id else "",
        containerID=f"docker://{shown.id}" if shown else None,
        user=_user(shown),
        ready=ready,
        started=started,
        restartCount=max(newest.attempt if newest else 0, told.restartCount if told else 0),
        state=state,
        lastState=last or core_v1.ContainerState(),
    )


def _user(shown: Container | None) -> core_v1.ContainerUser | None:
    who = Identity.parse(shown.labels.get(USER, "")) if shown is not None else None
    return who.reported() if who is not None else None


def _over(view: View) -> bool:
    return view.pod.status is not None and view.pod.status.phase in TERMINAL


def _lost(told: core_v1.ContainerStatus) -> core_v1.ContainerStatus:
    """A container that Docker no longer has: what was told of its end stays true, and if it was told to be running,
    it has ended in a way that nobody knows."""
    if told.state is not None and told.state.terminated is not None:
        return told
    ended = core_v1.ContainerStateTerminated(
        exitCode=137,
        reason="ContainerStatusUnknown",
        message="The container could not be located when the pod was looked at",
    )
    return core_v1.ContainerStatus(
        name=told.name,
        image=told.image,
        imageID=told.imageID,
        containerID=told.containerID,
        ready=False,
        started=False,
        restartCount=told.restartCount,
        state=core_v1.ContainerState(terminated=ended),
        lastState=told.lastState,
    )


def _same(newest: Container, told: core_v1.ContainerStatus) -> bool:
    return told.containerID == f"docker://{newest.id}"


def _states(
    view: View, spec: core_v1.Container, newest: Container | None, now: float, *, init: bool
) -> tuple[core_v1.ContainerState, core_v1.ContainerState | None]:
    """The state now and the one before."""
    before = view.previous(spec.name)
    last = core_v1.ContainerState(terminated=terminated(before)) if before is not None else None
    failure = view.failures.get(spec.name)
    if newest is None or newest.state is State.CREATED:
        return _waiting(view, spec, failure, now, init=init), last
    if newest.state is State.RUNNING:
        since = core_v1.ContainerStateRunning(startedAt=moment(newest.started_at))
        return core_v1.ContainerState(running=since), last
    ended = core_v1.ContainerState(terminated=terminated(newest))
    if not _tries_again(view, spec, newest, init=init):
        return ended, last
    if failure is not None:
        return _waiting(view, spec, failure, now, init=init), ended
    ready = restart_at(view, spec.name, newest)
    if ready > now:
        return _crash_loop(view, spec, ready - newest.finished_at), ended
    return ended, last


def _tries_again(view: View, spec: core_v1.Container, ended: Container, *, init: bool) -> bool:
    if view.deleting or view.evicted is not None or _over(view):
        return False
    if not init:
        return wanted(view, spec)
    policy = "OnFailure" if view.policy == "Always" else view.policy
    return is_sidecar(spec) or (not initialized(view) and runs_again(policy, ended))


def _crash_loop(view: View, spec: core_v1.Container, delay: float) -> core_v1.ContainerState:
    metadata = view.pod.metadata
    assert metadata is not None
    whole = int(delay)
    spoken = f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"
    pod = f"{metadata.name}_{metadata.namespace}({metadata.uid})"
    message = f"back-off {spoken} restarting failed container={spec.name} pod={pod}"
    return core_v1.ContainerState(waiting=core_v1.ContainerStateWaiting(message=message, reason="CrashLoopBackOff"))


def _waiting(
    view: View, spec: core_v1.Container, failure: Failure | None, now: float, *, init: bool
) -> core_v1.ContainerState:
    if failure is None:
        held_up = bool(view.init_containers) and (init or not initialized(view))
        reason = "PodInitializing" if held_up else "ContainerCreating"
        return core_v1.ContainerState(waiting=core_v1.ContainerStateWaiting(reason=reason))
    reason, message = failure.reason, failure.message
    if reason in _BACK_OFF_REASON and (failure.tries > 1 or now - failure.at >= FLIP_AFTER):
        reason, message = _BACK_OFF_REASON[reason], f'Back-off pulling image "{spec.image}": {failure.message}'
    return core_v1.ContainerState(waiting=core_v1.ContainerStateWaiting(message=message or None, reason=reason))


def terminated(ended: Container) -> core_v1.ContainerStateTerminated:
    """How a container ended, in Kubernetes' words."""
    reason = "Completed" if ended.exit_code == 0 else "Error"
    if ended.oom_killed:
        reason = "OOMKilled"
    elif ended.error:
        reason = "StartError"
    return core_v1.ContainerStateTerminated(
        exitCode=ended.exit_code,
        reason=reason,
        message=ended.message or ended.error or None,
        startedAt=moment(ended.started_at),
        finishedAt=moment(ended.finished_at),
        containerID=f"docker://{ended.id}",
    )


def _phase(view: View, inits: list[core_v1.ContainerStatus], mains: list[core_v1.ContainerStatus]) -> str:
    """Kubernetes' phase. A pod that is being deleted and has stopped counts as one that never restarts."""
    if _over(view) and view.pod.status is not None and view.pod.status.phase:
        return view.pod.status.phase
    if view.evicted is not None:
        return "Failed"
    over = view.deleting and not view.running
    policy = "Never" if over else view.policy
    if not over and _init_holds(view, inits):
        return "Pending"
    if _init_failed(view, inits, policy):
        return "Failed"
    running = [each for each in mains if each.state and each.state.running]
    ended = [each for each in mains if _ended(each) is not None]
    if running:
        return "Running" if len(running) + len(ended) == len(mains) else "Pending"
    if len(ended) < len(mains):
        return "Failed" if over and ended else "Pending"
    if policy == "Always":
        return "Running"
    if all(_exit_code(each) == 0 for each in ended):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _init_holds(view: View, inits: list[core_v1.ContainerStatus]) -> bool:
    if initialized(view) or not inits:
        return False
    return not _init_failed(view, inits, view.policy)


def _init_failed(view: View, inits: list[core_v1.ContainerStatus], policy: str) -> bool:
    if policy != "Never" or initialized(view):
        return False
    plain = {each.name for each in view.init_containers if not is_sidecar(each)}
    return any(each.name in plain and _exit_code(each) not in (None, 0) for each in inits)


def _ended(status: core_v1.ContainerStatus) -> core_v1.ContainerStateTerminated | None:
    """How it ended, for one that has: also one that waits to be started again."""
    state, last = status.state, status.lastState
    if state is None:
        return None
    if state.terminated is not None:
        return state.terminated
    return last.terminated if state.waiting is not None and last is not None else None


def _exit_code(status: core_v1.ContainerStatus) -> int | None:
    ended = _ended(status)
    return ended.exitCode if ended is not None else None
