"""A node that exists only in memory: it carries out what `decide` names, lets time pass, and writes down what happened.

A transcript has a line for each step and one for each change of the status, so that a whole life of a pod can be read.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from api.types import core_v1
from kubelet.lifecycle import actions
from kubelet.lifecycle.decide import decide
from kubelet.lifecycle.resize import Pending, Resizing
from kubelet.lifecycle.restart import spec_hash
from kubelet.lifecycle.status import pod_status
from kubelet.lifecycle.view import Eviction, Failure, Health, Network, Stop, View
from kubelet.runtime import container as labels
from kubelet.runtime.container import Container, State

START = 1_000_000.0
MOST_STEPS = 500


@dataclass
class World:
    pod: core_v1.Pod
    now: float = START
    containers: dict[str, Container] = field(default_factory=dict)
    network: Network | None = None
    volumes: bool = False
    reported: bool = False
    cleaned: bool = False
    forgotten: bool = False
    gone: bool = False
    evicted: Eviction | None = None
    health: dict[str, Health] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    stubborn: set[str] = field(default_factory=set)
    """The names of containers that ignore SIGTERM."""
    failing: dict[str, Failure] = field(default_factory=dict)
    """What the next step of a kind comes to, instead of success."""
    given: dict[str, core_v1.ResourceRequirements] = field(default_factory=dict)
    pending: Pending | None = None
    status: core_v1.PodStatus | None = None
    lines: list[str] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def view(self) -> View:
        pod = self.pod if self.status is None else msgspec.structs.replace(self.pod, status=self.status)
        return View(
            pod=pod,
            containers=tuple(self.containers.values()),
            network=self.network,
            volumes_ready=self.volumes,
            health=self.health,
            hooks=self.hooks,
            failures=self.failures,
            stops=self.stops,
            gone=self.gone,
            reported=self.reported,
            cleaned=self.cleaned,
            started_at=START,
            host_ips=("192.0.2.1",),
            evicted=self.evicted,
            resizing=Resizing(self.pending, self.given),
        )

    def settle(self) -> float | None:
        """Take steps until there is nothing to do; when there will be again."""
        for _ in range(MOST_STEPS):
            view = self.view()
            self._tell(view)
            step = decide(view, self.now)
            if isinstance(step, actions.Wait):
                return step.until
            if self.forgotten:
                return None
            self._write(_spoken(step))
            self._take(step)
        raise AssertionError("the machine never comes to rest:\n" + "\n".join(self.lines[-20:]))

    def run(self, script: Sequence[tuple[float, str, tuple[Any, ...]]], until: float) -> str:
        """Let time pass to `until` seconds, with the script's events at their times. The transcript."""
        todo = list(script)
        due = self.settle()
        while not self.forgotten:
            times = [START + todo[0][0]] if todo else []
            times += [due] if due is not None else []
            coming = min(times, default=float("inf"))
            if coming > START + until:
                break
            self.now = max(self.now, coming)
            while todo and START + todo[0][0] <= self.now:
                _, what, args = todo.pop(0)
                self._write(f"! {what} {' '.join(map(str, args))}".rstrip())
                getattr(self, what)(*args)
            due = self.settle()
        return "\n".join(self.lines) + "\n"

    # -- what befalls the pod

    def exit(self, name: str, code: int) -> None:
        running = self._running(name)
        self._end(running.id, code)

    def out_of_memory(self, name: str) -> None:
        running = self._running(name)
        self.containers[running.id] = replace(running.exited(self.now, 137), oom_killed=True)

    def probe(self, name: str, **verdict: Any) -> None:
        running = self._running(name)
        self.health[running.id] = replace(self.health.get(running.id, Health()), **verdict)

    def ready(self, name: str) -> None:
        self.probe(name, ready=True)

    def unready(self, name: str) -> None:
        self.probe(name, ready=False)

    def startup_passed(self, name: str) -> None:
        self.probe(name, started=True)

    def startup_failed(self, name: str) -> None:
        self.probe(name, alive=False, why="failed startup probe")

    def liveness_failed(self, name: str, grace: float | None = None) -> None:
        self.probe(name, alive=False, why="failed liveness probe", grace=grace)

    def hook_done(self, name: str) -> None:
        """A postStart or preStop hook comes to its end."""
        running = self._running(name)
        self.hooks.pop(running.id, None)
        if running.id in self.stops:
            self.stops[running.id] = replace(self.stops[running.id], hooked=True)

    def hook_fails(self, name: str) -> None:
        running = self._running(name)
        self.hooks[running.id] = "it went wrong"
        self.failures[name] = Failure("PostStartHookError", "it went wrong", self.now, 0.0)

    def debug(self, name: str, target: str) -> None:
        """`kubectl debug` puts a container into the pod."""
        assert self.pod.spec is not None
        given = core_v1.EphemeralContainer(name=name, image="tools:1", targetContainerName=target)
        later = [*(self.pod.spec.ephemeralContainers or ()), given]
        self.pod = msgspec.structs.replace(
            self.pod, spec=msgspec.structs.replace(self.pod.spec, ephemeralContainers=later)
        )

    def condition(self, kind: str, status: str) -> None:
        """Somebody else tells a condition of the pod."""
        assert self.status is not None
        others = [each for each in self.status.conditions or () if each.type != kind]
        given = core_v1.PodCondition(status=status, type=kind)
        self.status = msgspec.structs.replace(self.status, conditions=[*others, given])

    def lose_sandbox(self) -> None:
        for each in [each for each in self.containers.values() if each.is_sandbox]:
            del self.containers[each.id]

    def reboot(self) -> None:
        """The machine starts anew: everything has ended, and the kubelet knows what Docker and the API server know."""
        for each in self.containers.values():
            if each.state is State.RUNNING:
                self._end(each.id, 255)
        self.network = None
        self.restart_kubelet()

    def lose_everything(self) -> None:
        """Somebody removes all of the pod's containers."""
        self.containers.clear()
        self.network = None

    def replaced_unseen(self, name: str) -> None:
        """Somebody removes a container, and its successor runs before anybody has looked."""
        before = self.containers.pop(self._running(name).id)
        again = {**before.labels, labels.ATTEMPT: str(before.attempt + 1)}
        self._make(name, before.attempt + 1, labels.CONTAINER, again, before.image)

    def kill_sandbox(self) -> None:
        for each in [each for each in self.containers.values() if each.is_sandbox]:
            self.containers[each.id] = each.exited(self.now, 137)

    def delete(self, grace: int) -> None:
        assert self.pod.metadata is not None
        metadata = msgspec.structs.replace(
            self.pod.metadata, deletionTimestamp=datetime.fromtimestamp(self.now, UTC), deletionGracePeriodSeconds=grace
        )
        self.pod = msgspec.structs.replace(self.pod, metadata=metadata)

    def vanish(self) -> None:
        self.gone = True

    def evict(self, reason: str) -> None:
        self.evicted = Eviction(reason, "The node had a reason.", disruption=reason == "Evicted")

    def set_image(self, name: str, image: str) -> None:
        assert self.pod.spec is not None
        changed = [
            msgspec.structs.replace(each, image=image) if each.name == name else each
            for each in self.pod.spec.containers
        ]
        self.pod = msgspec.structs.replace(self.pod, spec=msgspec.structs.replace(self.pod.spec, containers=changed))

    def resize(self, name: str, amounts: dict[str, str]) -> None:
        """The node has allocated other amounts to a container."""
        assert self.pod.spec is not None
        stated = core_v1.ResourceRequirements(requests=amounts, limits=amounts)
        changed = [
            msgspec.structs.replace(each, resources=stated) if each.name == name else each
            for each in self.pod.spec.containers
        ]
        self.pod = msgspec.structs.replace(self.pod, spec=msgspec.structs.replace(self.pod.spec, containers=changed))

    def defer(self, message: str) -> None:
        """A resize is asked for that the node has no room for now."""
        self.pending = Pending("Deferred", message)

    def ignores_sigterm(self, name: str) -> None:
        self.stubborn.add(name)

    def restart_kubelet(self) -> None:
        """What a kubelet holds in memory is lost; Docker, CNI's cache and the API server keep what they have."""
        self.volumes = self.reported = self.cleaned = False
        # Health is not lost: it is taken from the status that the API server was told.
        self.failures, self.stops, self.hooks = {}, {}, {}
        self.pod = msgspec.structs.replace(self.pod, status=self.status)
        self.status = None

    def will_fail(self, what: str, reason: str, retry: float) -> None:
        self.failing[what] = Failure(reason, "it went wrong", 0.0, retry)

    def will_succeed(self, what: str) -> None:
        self.failing.pop(what, None)

    # -- carrying out steps

    def _take(self, step: actions.Action) -> None:
        match step:
            case actions.SetUpVolumes():
                if not self._fails("volumes"):
                    self.volumes = True
            case actions.CreateSandbox(attempt):
                if not self._fails("sandbox"):
                    self._make("POD", attempt, labels.SANDBOX, {})
            case actions.AttachNetwork(sandbox_id):
                if not self._fails("network"):
                    self.network = Network(sandbox_id, ("10.244.0.9",))
            case actions.StartContainer(name):
                if not self._fails(name):
                    self._start(step)
            case actions.Stop(ids, grace):
                for each in ids:
                    lifecycle = self.view().specs[self.containers[each].name].lifecycle
                    hook = lifecycle is not None and lifecycle.preStop is not None and grace > 0
                    self.stops[each] = Stop(self.now, grace, hooked=not hook)
            case actions.Signal(ids):
                for each in ids:
                    self.stops[each] = replace(self.stops[each], signalled_at=self.now)
                    if self.containers[each].name not in self.stubborn:
                        self._end(each, 143)
            case actions.Kill(ids):
                for each in ids:
                    self.stops[each] = replace(self.stops[each], killed_at=self.now)
                    self._end(each, 137)
            case actions.RemoveContainers(ids):
                for each in ids:
                    del self.containers[each]
            case actions.RemoveSandbox(sandbox_id):
                del self.containers[sandbox_id]
                self.network = None
            case actions.Resize(ids):
                if not self._fails("resize"):
                    for each in ids:
                        stated = self.view().specs[self.containers[each].name].resources
                        self.given[each] = stated or core_v1.ResourceRequirements()
            case actions.Report():
                self.reported = True
            case actions.CleanUp():
                self.cleaned, self.volumes = True, False
            case actions.Forget():
                self.forgotten = True

    def _start(self, step: actions.StartContainer) -> None:
        spec = self.view().specs[step.name]
        sandbox = next(each for each in self.containers.values() if each.is_sandbox)
        own = {
            labels.SANDBOX_ID: sandbox.id,
            labels.SPEC_HASH: spec_hash(spec),
            labels.BACKOFF: f"{step.backoff:g}",
            labels.ROUND: str(step.round),
        }
        made = self._make(step.name, step.attempt, labels.CONTAINER, own, spec.image or "")
        self.given[made] = spec.resources or core_v1.ResourceRequirements()
        if spec.startupProbe or spec.readinessProbe:
            self.health[made] = Health(started=spec.startupProbe is None, ready=spec.readinessProbe is None)
        if spec.lifecycle is not None and spec.lifecycle.postStart is not None:
            self.hooks[made] = ""

    def _make(self, name: str, attempt: int, kind: str, more: dict[str, str], image: str = "") -> str:
        container_id = f"{name}-{next(self._ids)}"
        own = {
            labels.CONTAINER_NAME: name,
            labels.CONTAINER_TYPE: kind,
            labels.ATTEMPT: str(attempt),
            labels.POD_UID: "uid-1",
            **more,
        }
        made = Container(container_id, own, State.RUNNING, image, "sha256:1", self.now, self.now)
        self.containers[container_id] = made
        return container_id

    def _end(self, container_id: str, code: int) -> None:
        self.containers[container_id] = self.containers[container_id].exited(self.now, code)
        self.stops.pop(container_id, None)
        self.hooks.pop(container_id, None)

    def _fails(self, what: str) -> bool:
        planned = self.failing.get(what)
        before = self.failures.pop(what, None)
        if planned is None:
            return False
        tries = before.tries + 1 if before else 1
        self.failures[what] = replace(planned, at=self.now, retry_at=self.now + planned.retry_at, tries=tries)
        return True

    def _running(self, name: str) -> Container:
        found = [each for each in self.containers.values() if each.name == name and each.state is State.RUNNING]
        assert found, f"{name} does not run"
        return found[-1]

    # -- writing down

    def _write(self, text: str) -> None:
        self.lines.append(f"{self.now - START:7.1f}  {text}")

    def _tell(self, view: View) -> None:
        if self.gone or self.reported:
            return
        status = pod_status(view, self.now)
        if self.status is None or _line(status) != _line(self.status):
            self._write(_line(status))
        self.status = status


def _spoken(step: actions.Action) -> str:
    values = {each.name: value for each in fields(step) if (value := getattr(step, each.name)) != each.default}
    shown = [f"{name}={','.join(value) if isinstance(value, tuple) else value}" for name, value in values.items()]
    return " ".join(["→", type(step).__name__, *shown])


def _line(status: core_v1.PodStatus) -> str:
    """A status in one line: the phase, what makes it ready, and each container's state."""
    true = [each.type for each in status.conditions or () if each.status == "True" and each.type != "PodScheduled"]
    parts = [f"= {status.phase}", f"[{' '.join(sorted(true))}]", f"ip={status.podIP or '-'}"]
    if status.reason:
        parts.append(f"reason={status.reason}")
    told = [status.initContainerStatuses, status.containerStatuses, status.ephemeralContainerStatuses]
    for each in [each for some in told for each in some or ()]:
        parts.append(
            f"| {each.name}: {_state(each.state)}{' ready' if each.ready else ''} restarts={each.restartCount}"
        )
        if each.lastState and each.lastState.terminated:
            parts.append(f"last={_state(each.lastState)}")
    return " ".join(parts)


def _state(state: core_v1.ContainerState | None) -> str:
    if state is None:
        return "-"
    if state.running is not None:
        return "running"
    if state.terminated is not None:
        return f"{state.terminated.reason}({state.terminated.exitCode})"
    return f"waiting:{state.waiting.reason}" if state.waiting is not None else "-"
