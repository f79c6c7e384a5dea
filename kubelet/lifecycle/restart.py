"""Whether an ended container runs again, and which init containers are still to run. Shared by the decision and the
status."""

from __future__ import annotations

import hashlib

from api.types import core_v1
from kubelet.lifecycle.backoff import ready_at
from kubelet.lifecycle.view import TERMINAL, View, is_sidecar
from kubelet.runtime.container import Container, State


def spec_hash(container: core_v1.Container) -> str:
    """Changes with what may change in a running pod's container: its image."""
    return hashlib.sha256(f"{container.name}\0{container.image}".encode()).hexdigest()[:12]


def runs_again(policy: str, ended: Container) -> bool:
    """What the restart policy says of a container that has ended."""
    return policy == "Always" or (policy == "OnFailure" and ended.exit_code != 0)


def wanted(view: View, container: core_v1.Container) -> bool:
    """Whether a main container should be running now (back-off aside)."""
    newest = view.newest(container.name)
    if newest is None:
        return not _told_final(view, container.name)
    if newest.state is not State.EXITED:
        return True
    return runs_again(view.policy, newest) or newest.spec_hash != spec_hash(container)


def _told_final(view: View, name: str) -> bool:
    """Docker has lost a container that had ended for good, so the API server is believed."""
    told = view.told(name)
    ended = told.state.terminated if told is not None and told.state is not None else None
    if ended is None or view.policy == "Always":
        return False
    return view.policy == "Never" or ended.exitCode == 0


def restart_at(view: View, name: str, ended: Container) -> float:
    """When the back-off lets a container run again that ended."""
    return ready_at(view.backoffs.get(name), ended.finished_at)


def init_done(view: View, container: core_v1.Container) -> bool:
    """Whether this init container no longer holds up what follows it."""
    newest = _in_sandbox(view, container.name)
    if newest is None:
        return False
    if is_sidecar(container):
        health = view.health.get(newest.id)
        return newest.state is State.RUNNING and (health.started if health else container.startupProbe is None)
    return newest.state is State.EXITED and newest.exit_code == 0


def initialized(view: View) -> bool:
    """Whether the main containers may start: all init containers are done, or main containers have started already."""
    if _main_started(view):
        return True
    return all(init_done(view, each) for each in view.init_containers)


def pending_init(view: View) -> core_v1.Container | None:
    """The init container that is next, or is running."""
    if _main_started(view):
        return None
    return next((each for each in view.init_containers if not init_done(view, each)), None)


def init_failed(view: View) -> bool:
    """An init container failed in a pod that never tries again."""
    if view.policy != "Never" or _main_started(view):
        return False
    plain = [each for each in view.init_containers if not is_sidecar(each)]
    newest = [view.newest(each.name) for each in plain]
    return any(each is not None and each.state is State.EXITED and each.exit_code != 0 for each in newest)


def _in_sandbox(view: View, name: str) -> Container | None:
    """The newest container of a name, if it belongs to the sandbox of now; while there is none, the last is what
    counts."""
    newest = view.newest(name)
    if newest is None or (view.sandbox is not None and newest.sandbox_id != view.sandbox.id):
        return None
    return newest


def _main_started(view: View) -> bool:
    """In the sandbox of now: a new sandbox runs the init containers anew."""
    return any(_in_sandbox(view, each.name) is not None for each in view.spec.containers)


def finished(view: View) -> bool:
    """Whether the pod has run to its end, and only its traces are left to clear."""
    status = view.pod.status
    if view.evicted is not None or (status is not None and status.phase in TERMINAL):
        return True
    if init_failed(view):
        return True
    newest = [view.newest(each.name) for each in view.spec.containers]
    if any(each is None for each in newest):
        return all(_told_final(view, each.name) for each in view.spec.containers)
    return not any(wanted(view, each) for each in view.spec.containers)
