"""The next step for one pod, from what Docker says is there: a pure function, so that every path can be read in a
transcript.

The order is the kubelet's own: end what must end; then volumes, sandbox, network; then init containers one after the
other; then the main containers, each with its own back-off; then tidy up old attempts.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.types import core_v1
from kubelet.lifecycle.actions import (
    Action,
    AttachNetwork,
    CleanUp,
    CreateSandbox,
    Forget,
    Kill,
    RemoveContainers,
    RemoveSandbox,
    Report,
    SetUpVolumes,
    StartContainer,
    Stop,
    Wait,
)
from kubelet.lifecycle.restart import finished, pending_init, restart_at, runs_again, spec_hash, wanted
from kubelet.lifecycle.view import View, is_sidecar
from kubelet.runtime.container import Container, State

KILL_AGAIN = 10.0
"""Seconds after which SIGKILL is sent anew to what still runs."""


def decide(view: View, now: float) -> Action:
    """The one action to take now, or how long to wait."""
    if view.deleting:
        return _end(view, now)
    if finished(view):
        return _settle(view, now)
    return _unhealthy(view) or _broken_sandbox(view, now) or _groundwork(view, now) or _containers(view, now)


def _end(view: View, now: float) -> Action:
    """The pod is being deleted: stop it, tell so, take every trace of it away."""
    if (step := _stop_all(view, now)) is not None:
        return step
    if view.sandboxes:
        return RemoveSandbox(view.sandboxes[0].id)
    if not view.reported and not view.gone:
        return _unless_failed(view, "report", Report(), now)
    if view.containers:
        return RemoveContainers(tuple(each.id for each in view.containers))
    if not view.cleaned:
        return _unless_failed(view, "cleanup", CleanUp(), now)
    return _unless_failed(view, "forget", Forget(), now)


def _settle(view: View, now: float) -> Action:
    """The pod has run to its end: its sandbox and volumes go, its containers stay for their logs."""
    if (step := _stop_all(view, now)) is not None:
        return step
    if view.sandboxes:
        return RemoveSandbox(view.sandboxes[0].id)
    if not view.cleaned:
        return _unless_failed(view, "cleanup", CleanUp(), now)
    return Wait()


def _stop_all(view: View, now: float) -> Action | None:
    """Stop what runs: the main containers first, then the sidecars they may lean on."""
    if not view.running:
        return None
    sidecars = {each.name for each in view.init_containers if is_sidecar(each)}
    first = [each for each in view.running if each.name not in sidecars] or view.running
    return _stop(view, first, now, view.grace, "Stopping container {name}")


def _stop(view: View, running: Iterable[Container], now: float, grace: float, why: str) -> Action:
    unasked = [each for each in running if each.id not in view.stops]
    if unasked:
        return Stop(tuple(each.id for each in unasked), grace, why)
    due: dict[str, float] = {}
    for each in running:
        stop = view.stops[each.id]
        # A second deletion with a shorter grace shortens the wait.
        kill_at = min(stop.kill_at, stop.asked_at + grace)
        due[each.id] = stop.killed_at + KILL_AGAIN if stop.killed_at else kill_at
    overdue = tuple(each for each, when in due.items() if when <= now)
    return Kill(overdue) if overdue else Wait(min(due.values()))


def _unhealthy(view: View) -> Action | None:
    """Stop the containers that their probe condemns, or whose image the pod no longer wants."""
    specs = {each.name: each for each in [*view.spec.containers, *view.init_containers]}
    for each in view.running:
        if each.id in view.stops:
            continue
        spec, health = specs.get(each.name), view.health.get(each.id)
        if spec is None or each.spec_hash != spec_hash(spec):
            return Stop((each.id,), view.grace, "Container {name} definition changed, will be restarted")
        if health is not None and not health.alive:
            return Stop((each.id,), _probe_grace(view, spec), f"Container {{name}} {health.why}, will be restarted")
    return None


def _probe_grace(view: View, spec: core_v1.Container) -> float:
    graces = [
        each.terminationGracePeriodSeconds for each in (spec.livenessProbe, spec.startupProbe) if each is not None
    ]
    own = next((each for each in graces if each is not None), None)
    return view.grace if own is None else float(own)


def _broken_sandbox(view: View, now: float) -> Action | None:
    """Containers can't outlive their sandbox: what runs in one that is gone is ended, and the dead sandbox removed."""
    if view.sandbox is None and view.running:
        return _stop(view, view.running, now, view.grace, "Pod sandbox changed, it will be killed and re-created.")
    dead = [each for each in view.sandboxes if each is not view.sandbox]
    return RemoveSandbox(dead[0].id) if dead and view.sandbox is None else None


def _groundwork(view: View, now: float) -> Action | None:
    if not view.volumes_ready:
        return _unless_failed(view, "volumes", SetUpVolumes(), now)
    if view.sandbox is None:
        return _unless_failed(view, "sandbox", CreateSandbox(_sandbox_attempt(view)), now)
    if not view.wired:
        return _unless_failed(view, "network", AttachNetwork(view.sandbox.id), now)
    return None


def _sandbox_attempt(view: View) -> int:
    """One more than any sandbox that is still known, by itself or by a container that was in it."""
    known = view.next_sandbox_attempt
    return known if known or not view.containers else 1 + max(each.attempt for each in view.containers)


def _containers(view: View, now: float) -> Action:
    assert view.sandbox is not None
    steps = [_keep_running(view, each, now) for each in view.init_containers if is_sidecar(each) and _ended(view, each)]
    pending = pending_init(view)
    if pending is not None:
        steps.append(_run_init(view, pending, now))
    else:
        steps += [_keep_running(view, each, now) for each in view.spec.containers]
    for step in steps:
        if not isinstance(step, Wait):
            return step
    old = _old_attempts(view)
    if old:
        return RemoveContainers(old)
    waits = [step.until for step in steps if isinstance(step, Wait) and step.until is not None]
    return Wait(min(waits, default=None))


def _ended(view: View, container: core_v1.Container) -> bool:
    newest = view.newest(container.name)
    return newest is not None and newest.state is State.EXITED and newest.sandbox_id == (view.sandbox or newest).id


def _run_init(view: View, container: core_v1.Container, now: float) -> Action:
    newest = view.newest(container.name)
    assert view.sandbox is not None
    fresh = newest is None or newest.sandbox_id != view.sandbox.id
    if newest is not None and newest.state is State.RUNNING and not fresh:
        return _stopping(view, newest, now)
    if not fresh and newest is not None and newest.state is State.EXITED:
        if not is_sidecar(container) and not runs_again(
            "OnFailure" if view.policy == "Always" else view.policy, newest
        ):
            return Wait()
        return _start(view, container, newest, now, init=True)
    return _start(view, container, None if fresh else newest, now, init=True)


def _keep_running(view: View, container: core_v1.Container, now: float) -> Action:
    newest = view.newest(container.name)
    if newest is not None and newest.state is State.RUNNING:
        return _stopping(view, newest, now)
    init = any(each.name == container.name for each in view.init_containers)
    if not init and not wanted(view, container):
        return Wait()
    return _start(view, container, newest, now, init=init)


def _stopping(view: View, running: Container, now: float) -> Action:
    """A running container needs nothing, but one that was asked to end may need more than asking."""
    if running.id not in view.stops:
        return Wait()
    stop = view.stops[running.id]
    return _stop(view, [running], now, stop.kill_at - stop.asked_at, "")


def _start(view: View, container: core_v1.Container, last: Container | None, now: float, *, init: bool) -> Action:
    if last is not None and last.state is State.CREATED:
        return RemoveContainers((last.id,))  # left by a kubelet that ended between create and start
    if last is not None and (ready := restart_at(view, container.name, last)) > now:
        return Wait(ready)
    if container.name in view.pulling:
        return Wait()
    start = StartContainer(container.name, view.next_attempt(container.name), init)
    return _unless_failed(view, container.name, start, now)


def _unless_failed(view: View, what: str, action: Action, now: float) -> Action:
    """The action, or the wait that its last failure asks for."""
    failure = view.failures.get(what)
    return Wait(failure.retry_at) if failure is not None and failure.retry_at > now else action


def _old_attempts(view: View) -> tuple[str, ...]:
    """Ended containers beyond the last one of each name that isn't the newest: its logs are `--previous`."""
    old = [each.id for attempts in view.members.values() for each in attempts[:-2] if each.state is State.EXITED]
    stale = [each.id for each in view.sandboxes if each is not view.sandbox]
    return tuple(old + stale)
