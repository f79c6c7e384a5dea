"""Whether an ended container runs again, and which init containers are still to run. Shared by the decision and the
status."""

from __future__ import annotations

import hashlib

from api.types import core_v1
from kubelet.lifecycle.backoff import ready_at
from kubelet.lifecycle.rules import runs_again
from kubelet.lifecycle.view import TERMINAL, View, is_sidecar
from kubelet.runtime.container import Container, State


def spec_hash(container: core_v1.Container) -> str:
    """Changes with what may change in a running pod's container: its image."""
    return hashlib.sha256(f"{container.name}\0{container.image}".encode()).hexdigest()[:12]


def wanted(view: View, container: core_v1.Container) -> bool:
    """Whether a main container should be running now (back-off aside)."""
    newest = view.newest(container.name)
    if newest is None:
        return not _told_final(view, container)
    if newest.state is not State.EXITED or newest.round != view.round:
        return True
    return tries_again(view, container, newest) or newest.spec_hash != spec_hash(container)


def tries_again(view: View, container: core_v1.Container, ended: Container) -> bool:
    """What the restart policies and rules say of a main or init container that has ended."""
    init = any(each.name == container.name for each in view.init_containers)
    return runs_again(container, view.policy, ended.exit_code, init=init)


def _told_final(view: View, container: core_v1.Container) -> bool:
    """Docker has lost a container that had ended for good, so the API server is believed."""
    told = view.told(container.name)
    ended = told.state.terminated if told is not None and told.state is not None else None
    return ended is not None and not runs_again(container, view.policy, ended.exitCode)


def current(view: View, name: str) -> Container | None:
    """The newest container of a name, if it belongs to the sandbox of now and to the last start of all containers;
    while there is no sandbox, the last is what counts."""
    newest = view.newest(name)
    if newest is None or newest.round != view.round:
        return None
    return None if view.sandbox is not None and newest.sandbox_id != view.sandbox.id else newest


def restart_at(view: View, ended: Container, now: float) -> float:
    """When the back-off lets a container run again that ended; one that all restart with doesn't wait."""
    return min(ended.finished_at, now) if ended.round != view.round else ready_at(ended, now)


def init_done(view: View, container: core_v1.Container) -> bool:
    """Whether this init container no longer holds up what follows it."""
    newest = current(view, container.name)
    if newest is None:
        return False
    if is_sidecar(container):
        health = view.health.get(newest.id)
        return newest.state is State.RUNNING and (health.started if health else container.startupProbe is None)
    return newest.state is State.EXITED and newest.exit_code == 0


def initialized(view: View) -> bool:
    """Whether the main containers may start: all init containers are done, or main containers have started already."""
    return pending_init(view) is None


def pending_init(view: View) -> core_v1.Container | None:
    """The init container that is next, or is running."""
    if _main_started(view):
        return None
    return next((each for each in view.init_containers if not init_done(view, each)), None)


def init_failed(view: View) -> bool:
    """An init container has failed that is never tried again."""
    if _main_started(view):
        return False
    for each in view.init_containers:
        newest = current(view, each.name)
        if newest is None or newest.state is not State.EXITED or is_sidecar(each):
            continue
        if newest.exit_code != 0 and not tries_again(view, each, newest):
            return True
    return False


def _main_started(view: View) -> bool:
    """In the sandbox of now: a new sandbox runs the init containers anew."""
    return any(current(view, each.name) is not None for each in view.spec.containers)


def finished(view: View) -> bool:
    """Whether the pod has run to its end, and only its traces are left to clear."""
    status = view.pod.status
    if view.evicted is not None or (status is not None and status.phase in TERMINAL):
        return True
    if view.restarting_all:
        return False
    if init_failed(view):
        return True
    newest = [view.newest(each.name) for each in view.spec.containers]
    if any(each is None for each in newest):
        return all(_told_final(view, each) for each in view.spec.containers)
    return not any(wanted(view, each) for each in view.spec.containers)
