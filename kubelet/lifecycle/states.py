"""The statuses of a pod's containers as Kubernetes words them: waiting, running or ended, and what came before."""

from __future__ import annotations

from datetime import UTC, datetime

from api.types import core_v1
from kubelet.lifecycle.restart import finished, initialized, restart_at, tries_again, wanted
from kubelet.lifecycle.rules import RESTART_ALL, rule_for
from kubelet.lifecycle.view import TERMINAL, Failure, View, is_sidecar
from kubelet.pod.identity import Identity
from kubelet.runtime.container import USER, Container, State

FLIP_AFTER = 2.0
"""Seconds that the first sight of an image error is shown before the back-off is."""
MOST_SAID = 12 * 1024
"""Bytes that the last words of all of a pod's containers may take together."""
BACK_OFF_REASON = {"ErrImagePull": "ImagePullBackOff"}
_LOST = "ContainerStatusUnknown"
_LOST_FOR_GOOD = "The container could not be located when the pod was terminated"
_LOST_AND_REPLACED = "The container could not be located when the pod was deleted.  The container used to be Running"


def moment(seconds: float) -> datetime:
    """Whole seconds, as the wire has them: a finer time would make equal statuses unequal."""
    return datetime.fromtimestamp(int(seconds), UTC)


def over(view: View) -> bool:
    """The pod was told to have ended: no status of it changes any more."""
    return view.pod.status is not None and view.pod.status.phase in TERMINAL


def container_status(view: View, spec: core_v1.Container, now: float) -> core_v1.ContainerStatus:
    """The status of a main container, or of an init container."""
    newest, told = view.newest(spec.name), view.told(spec.name)
    if newest is None and told is not None and told.containerID:
        if view.deleting or over(view):
            return _lost(told, _LOST_FOR_GOOD)
        # It will run again, as another container: what was told becomes its past.
        lost = _lost(told, _LOST_AND_REPLACED)
        counted = told.restartCount + 1
        told = core_v1.ContainerStatus(spec.image or "", "", spec.name, False, counted, lastState=lost.state)
    state, last = _states(view, spec, newest, now)
    started, ready = _verdict(view, spec, state, newest)
    last = last or (_past(newest, told) if told is not None else None)
    status = _blank(spec, newest)
    status.ready, status.started = ready, started
    status.restartCount = max(newest.attempt if newest else 0, told.restartCount if told else 0)
    status.state, status.lastState = state, last or core_v1.ContainerState()
    stated = spec.resources or core_v1.ResourceRequirements()
    status.allocatedResources = stated.requests
    running = newest is not None and newest.state is State.RUNNING
    status.resources = (view.given(newest) if running and newest is not None else None) or stated
    status.volumeMounts = _mounts(spec) if newest is not None else None
    status.stopSignal = spec.lifecycle.stopSignal if spec.lifecycle is not None else None
    return status


def ephemeral_status(view: View, spec: core_v1.Container) -> core_v1.ContainerStatus:
    """The status of a container that was put into the running pod: it counts for nothing and never runs again."""
    newest, told = view.newest(spec.name), view.told(spec.name)
    if newest is None and told is not None and told.containerID:
        return _lost(told, _LOST_FOR_GOOD)
    status = _blank(spec, newest)
    if newest is None or newest.state is State.CREATED:
        status.state = _waiting(view, spec, view.failures.get(spec.name), 0.0)
    elif newest.state is State.RUNNING:
        status.state = _running(newest)
    else:
        status.state = _ended(view, newest)
    return status


def _blank(spec: core_v1.Container, shown: Container | None) -> core_v1.ContainerStatus:
    """Which container it is, and nothing of how it is."""
    return core_v1.ContainerStatus(
        name=spec.name,
        image=(shown.image if shown else "") or spec.image or "",
        imageID=shown.shown_image_id if shown and shown.image_id else "",
        containerID=f"docker://{shown.id}" if shown else None,
        user=_user(shown),
        ready=False,
        restartCount=0,
        lastState=core_v1.ContainerState(),
    )


def _user(shown: Container | None) -> core_v1.ContainerUser | None:
    who = Identity.parse(shown.labels.get(USER, "")) if shown is not None else None
    return who.reported() if who is not None else None


def _mounts(spec: core_v1.Container) -> list[core_v1.VolumeMountStatus] | None:
    return [
        core_v1.VolumeMountStatus(
            mountPath=each.mountPath,
            name=each.name,
            readOnly=each.readOnly or None,
            recursiveReadOnly="Disabled" if each.readOnly else None,
        )
        for each in spec.volumeMounts or ()
    ] or None


def _verdict(
    view: View, spec: core_v1.Container, state: core_v1.ContainerState, newest: Container | None
) -> tuple[bool, bool]:
    """Whether it has started and is ready. One whose hook still runs has done neither."""
    running = newest is not None and state.running is not None
    if _is_init(view, spec) and not is_sidecar(spec):
        return running, state.terminated is not None and state.terminated.exitCode == 0
    health = view.health.get(newest.id) if newest is not None else None
    started = running and (health.started if health else spec.startupProbe is None)
    return started, started and (health.ready if health else spec.readinessProbe is None)


def _is_init(view: View, spec: core_v1.Container) -> bool:
    return any(each.name == spec.name for each in view.init_containers)


def _lost(told: core_v1.ContainerStatus, message: str) -> core_v1.ContainerStatus:
    """A container that Docker no longer has: what was told of its end stays true, and if it was told to be running,
    it has ended in a way that nobody knows."""
    if told.state is not None and told.state.terminated is not None:
        return told
    ended = core_v1.ContainerStateTerminated(exitCode=137, reason=_LOST, message=message)
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


def _past(newest: Container | None, told: core_v1.ContainerStatus) -> core_v1.ContainerState | None:
    """How the container before the newest ended, by what was told: that one itself may have been told of last."""
    if newest is None or told.containerID == f"docker://{newest.id}" or not told.containerID:
        return told.lastState
    if told.state is not None and told.state.waiting is not None:
        return told.lastState
    return _lost(told, _LOST_AND_REPLACED).state


def _states(
    view: View, spec: core_v1.Container, newest: Container | None, now: float
) -> tuple[core_v1.ContainerState, core_v1.ContainerState | None]:
    """The state now and the one before."""
    before = view.previous(spec.name)
    last = _ended(view, before) if before is not None else None
    failure = view.failures.get(spec.name)
    if newest is None or newest.state is State.CREATED:
        return _waiting(view, spec, failure, now), last
    if newest.state is State.RUNNING:
        # A container is not up before its postStart hook is done.
        return _waiting(view, spec, failure, now) if newest.id in view.hooks else _running(newest), last
    ended = _ended(view, newest)
    if newest.round != view.round or _restarts_with_all(view, spec, newest):
        return _because("RestartingAllContainers") if view.restarting_all else _waiting(view, spec, failure, now), ended
    if not _tries_again(view, spec, newest):
        return ended, last
    ready = restart_at(view, newest, now)
    if ready > now:
        return _crash_loop(view, spec, ready - newest.finished_at), ended
    return (_waiting(view, spec, failure, now), ended) if failure is not None else (ended, last)


def _restarts_with_all(view: View, spec: core_v1.Container, ended: Container) -> bool:
    """It waits for the others to end; the one whose end began it shows how it ended."""
    return view.restarting_all and rule_for(spec, ended.exit_code) != RESTART_ALL


def _tries_again(view: View, spec: core_v1.Container, ended: Container) -> bool:
    if view.deleting or finished(view):
        return False
    if not _is_init(view, spec):
        return wanted(view, spec)
    return is_sidecar(spec) or (not initialized(view) and ended.exit_code != 0 and tries_again(view, spec, ended))


def _running(container: Container) -> core_v1.ContainerState:
    return core_v1.ContainerState(running=core_v1.ContainerStateRunning(startedAt=moment(container.started_at)))


def _because(reason: str, message: str = "") -> core_v1.ContainerState:
    return core_v1.ContainerState(waiting=core_v1.ContainerStateWaiting(message=message or None, reason=reason))


def _crash_loop(view: View, spec: core_v1.Container, delay: float) -> core_v1.ContainerState:
    metadata = view.pod.metadata
    assert metadata is not None
    whole = int(delay)
    spoken = f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"
    pod = f"{metadata.name}_{metadata.namespace}({metadata.uid})"
    return _because("CrashLoopBackOff", f"back-off {spoken} restarting failed container={spec.name} pod={pod}")


def _waiting(view: View, spec: core_v1.Container, failure: Failure | None, now: float) -> core_v1.ContainerState:
    if failure is None:
        held_up = bool(view.init_containers) and (_is_init(view, spec) or not initialized(view))
        return _because("PodInitializing" if held_up else "ContainerCreating")
    reason, message = failure.reason, failure.message
    if reason in BACK_OFF_REASON and now - failure.at >= FLIP_AFTER:
        reason, message = BACK_OFF_REASON[reason], f'Back-off pulling image "{spec.image}": {reason}: {message}'
    return _because(reason, message)


def _ended(view: View, ended: Container) -> core_v1.ContainerState:
    """How a container ended, in Kubernetes' words."""
    reason = "Completed" if ended.exit_code == 0 else "Error"
    if ended.oom_killed:
        reason = "OOMKilled"
    elif ended.error:
        reason = "StartError"
    message = (ended.message or ended.error).encode()[: MOST_SAID // len(view.specs)].decode(errors="ignore")
    return core_v1.ContainerState(
        terminated=core_v1.ContainerStateTerminated(
            exitCode=ended.exit_code,
            reason=reason,
            message=message or None,
            startedAt=moment(ended.started_at),
            finishedAt=moment(ended.finished_at),
            containerID=f"docker://{ended.id}",
        )
    )
