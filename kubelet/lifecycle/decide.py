"""The next step for one pod, from what Docker says is there: a pure function, so that every path can be read in a
transcript.

The order is the kubelet's own: end what must end; then volumes, sandbox, network; then init containers one after the
other; then the main containers, each with its own back-off; then tidy up old attempts.
"""

from __future__ import annotations

from api.types import core_v1
from kubelet.lifecycle.actions import (
    Action,
    AttachNetwork,
    CleanUp,
    CreateSandbox,
    Forget,
    RemoveContainers,
    RemoveSandbox,
    Report,
    Resize,
    SetUpVolumes,
    StartContainer,
    Stop,
    Wait,
)
from kubelet.lifecycle.backoff import following, ready_at
from kubelet.lifecycle.ending import STOPPING, stop, stop_all
from kubelet.lifecycle.resize import changes, must_restart
from kubelet.lifecycle.restart import current, finished, pending_init, restart_at, spec_hash, tries_again, wanted
from kubelet.lifecycle.rules import RESTART_ALL, rule_for
from kubelet.lifecycle.view import View, is_sidecar
from kubelet.runtime.container import Container, State


def decide(view: View, now: float) -> Action:
    """The one action to take now, or how long to wait."""
    if view.deleting:
        return _end(view, now)
    if finished(view):
        return _settle(view, now)
    return (
        _restart_all(view, now)
        or _unhealthy(view)
        or _broken_sandbox(view, now)
        or _groundwork(view, now)
        or _containers(view, now)
    )


def _end(view: View, now: float) -> Action:
    """The pod is being deleted: stop it, tell so, take every trace of it away."""
    if (step := stop_all(view, now)) is not None:
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
    if (step := stop_all(view, now)) is not None:
        return step
    if view.sandboxes:
        return RemoveSandbox(view.sandboxes[0].id)
    if not view.cleaned:
        return _unless_failed(view, "cleanup", CleanUp(), now)
    return Wait()


def _restart_all(view: View, now: float) -> Action | None:
    """A rule wants all containers to run anew: what still runs is ended at once, without hooks. Who wants it again and
    again has to wait as one that crashes does."""
    if not view.restarting_all:
        return None
    ephemeral = {each.name for each in view.ephemeral}
    running = [each for each in view.running if each.name not in ephemeral]
    if running:
        return stop(view, running, now, 0.0, STOPPING)
    ready = max(ready_at(each, now) for each in view.restarters)
    return Wait(ready) if ready > now else None


def _unhealthy(view: View) -> Action | None:
    """Stop the containers that a probe or their postStart hook condemns, or whose image the pod no longer wants."""
    for each in view.running:
        if each.id in view.stops:
            continue
        spec, health = view.specs.get(each.name), view.health.get(each.id)
        if spec is None or each.spec_hash != spec_hash(spec):
            return Stop((each.id,), view.grace, "Container {name} definition changed, will be restarted")
        if view.hooks.get(each.id):
            return Stop((each.id,), view.grace, "FailedPostStartHook")
        if health is not None and not health.alive:
            grace = view.grace if health.grace is None else health.grace
            return Stop((each.id,), grace, _condemned(view, spec, health.why))
    return None


def _condemned(view: View, spec: core_v1.Container, why: str) -> str:
    if is_sidecar(spec):
        return f"Init container {{name}} {why}"
    again = "" if (spec.restartPolicy or view.policy) == "Never" else ", will be restarted"
    return f"Container {{name}} {why}{again}"


def _broken_sandbox(view: View, now: float) -> Action | None:
    """Containers can't outlive their sandbox: what runs in one that is gone is ended, and the dead sandbox removed."""
    if view.sandbox is None and view.running:
        return stop(view, view.running, now, view.grace, STOPPING)
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
    steps = [_resize(view, now), *(_start_ephemeral(view, each, now) for each in view.ephemeral)]
    steps += [_keep_running(view, each, now) for each in view.init_containers if _ended_sidecar(view, each)]
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


def _start_ephemeral(view: View, container: core_v1.Container, now: float) -> Action:
    """It runs once, whenever it was put into the pod, and never again."""
    newest, told = view.newest(container.name), view.told(container.name)
    if newest is not None and newest.state is State.RUNNING:
        return _stopping(view, newest, now)
    fresh = newest is None and (told is None or not told.containerID)
    if fresh or (newest is not None and newest.state is State.CREATED):
        return _start(view, container, newest, now)
    return Wait()


def _resize(view: View, now: float) -> Action:
    """Give the running containers what they are allocated, if they have something else."""
    outdated = [each for each in view.outdated if each.id not in view.stops]
    for each in outdated:
        spec = view.specs[each.name]
        if must_restart(spec, changes(view.given(each), spec.resources)):
            return Stop((each.id,), view.grace, "Container {name} resize requires restart")
    if not outdated:
        return Wait()
    return _unless_failed(view, "resize", Resize(tuple(each.id for each in outdated)), now)


def _ended_sidecar(view: View, container: core_v1.Container) -> bool:
    newest = current(view, container.name) if is_sidecar(container) else None
    return newest is not None and newest.state is State.EXITED


def _run_init(view: View, container: core_v1.Container, now: float) -> Action:
    newest = current(view, container.name)
    if newest is not None and newest.state is State.RUNNING:
        return _stopping(view, newest, now)
    if newest is not None and newest.state is State.EXITED and not tries_again(view, container, newest):
        return Wait()
    return _start(view, container, newest, now, init=True)


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
    return stop(view, [running], now, view.stops[running.id].grace, STOPPING)


def _start(
    view: View, container: core_v1.Container, last: Container | None, now: float, *, init: bool = False
) -> Action:
    if last is not None and last.state is State.CREATED:
        return RemoveContainers((last.id,))  # left by a kubelet that ended between create and start
    if last is not None and (ready := restart_at(view, last, now)) > now:
        return Wait(ready)
    if container.name in view.pulling or view.hooking:
        return Wait()
    start = StartContainer(
        container.name, view.next_attempt(container.name), init, _backoff(view, container, last), view.round
    )
    return _unless_failed(view, container.name, start, now)


def _backoff(view: View, container: core_v1.Container, last: Container | None) -> float:
    """What is to be written on a container that follows `last`; another image has another past."""
    newest = view.newest(container.name)
    if newest is not None and newest.round != view.round:
        began_it = rule_for(container, newest.exit_code) == RESTART_ALL
        return following(newest, view.longest_backoff) if began_it else newest.backoff
    if last is None or last.spec_hash != spec_hash(container):
        return 0.0
    return following(last, view.longest_backoff)


def _unless_failed(view: View, what: str, action: Action, now: float) -> Action:
    """The action, or the wait that its last failure asks for."""
    failure = view.failures.get(what)
    return Wait(failure.retry_at) if failure is not None and failure.retry_at > now else action


def _old_attempts(view: View) -> tuple[str, ...]:
    """Ended containers beyond the last one of each name that isn't the newest: its logs are `--previous`."""
    old = [each.id for attempts in view.members.values() for each in attempts[:-2] if each.state is State.EXITED]
    stale = [each.id for each in view.sandboxes if each is not view.sandbox]
    return tuple(old + stale)
