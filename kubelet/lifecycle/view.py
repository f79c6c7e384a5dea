"""Everything that a decision about a pod may look at, and nothing that does I/O.

A `View` is taken anew for each step. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from api.types import core_v1
from kubelet.lifecycle.backoff import LONGEST
from kubelet.lifecycle.resize import Resizing, Resources, changes
from kubelet.lifecycle.rules import RESTART_ALL, rule_for
from kubelet.runtime.container import Container, State

DEFAULT_GRACE = 30.0
LEAST_GRACE = 2.0
"""Seconds that a container has between its signal and SIGKILL at the least, however short its grace is."""
TERMINAL = ("Succeeded", "Failed")
NO_RESIZE = Resizing()


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses that CNI gave to a sandbox; for a pod on the host's network, the host's."""

    sandbox_id: str
    ips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes of one running container say. Without a probe of a kind, its answer is yes."""

    started: bool = True
    ready: bool = True
    alive: bool = True
    why: str = ""
    grace: float | None = None
    """What the probe that condemned it gives it to end, if the probe says so itself."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed: `reason` and `message` as a container's waiting state shows them, and when to try again."""

    reason: str
    message: str
    at: float
    retry_at: float
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Eviction:
    """Why the node has ended a pod for good."""

    reason: str
    message: str
    grace: float | None = None
    """Seconds that its containers get, if fewer than its own."""
    disruption: bool = False
    """Whether its status says that it was disrupted by the node."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A container that is being ended: first its preStop hook runs, then it gets its signal, then SIGKILL."""

    asked_at: float
    grace: float
    hooked: bool = False
    """Its hook is over, or it has none."""
    signalled_at: float | None = None
    killed_at: float | None = None

    @property
    def over_at(self) -> float:
        """When its grace is over."""
        return self.asked_at + self.grace

    @property
    def kill_at(self) -> float:
        """When SIGKILL is due, if the signal was sent: even a hook that took all the grace leaves it a moment."""
        return self.over_at if self.signalled_at is None else max(self.over_at, self.signalled_at + LEAST_GRACE)


@dataclass(frozen=True)
class View:
    pod: core_v1.Pod
    containers: tuple[Container, ...] = ()
    """Docker's, of this pod: sandboxes too."""
    network: Network | None = None
    volumes_ready: bool = False
    health: Mapping[str, Health] = field(default_factory=dict)
    hooks: Mapping[str, str] = field(default_factory=dict)
    """By container id: empty while its postStart hook runs, or what to say of the hook that failed."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """By what failed: `volumes`, `sandbox`, `network`, or a container's name."""
    stops: Mapping[str, Stop] = field(default_factory=dict)
    """By container id."""
    pulling: frozenset[str] = frozenset()
    """The containers whose images are being fetched."""
    gone: bool = False
    """The API server no longer has the pod (or never had, for what a restarted kubelet finds)."""
    reported: bool = False
    """The last status of a pod that is being deleted has been taken by the API server."""
    cleaned: bool = False
    """Nothing of the pod is left on this node but its containers."""
    started_at: float = 0.0
    """When this kubelet first saw the pod; its startTime."""
    host_ips: tuple[str, ...] = ()
    resizing: Resizing = NO_RESIZE
    evicted: Eviction | None = None
    """The node has ended the pod for this reason; it will not run again."""
    longest_backoff: float = LONGEST

    @cached_property
    def spec(self) -> core_v1.PodSpec:
        assert self.pod.spec is not None
        return self.pod.spec

    @cached_property
    def policy(self) -> str:
        return self.spec.restartPolicy or "Always"

    @cached_property
    def deleting(self) -> bool:
        return self.gone or (self.pod.metadata is not None and self.pod.metadata.deletionTimestamp is not None)

    @cached_property
    def grace(self) -> float:
        """Seconds that the containers have to end: the deletion's, or the pod's own, but never none."""
        meta = self.pod.metadata
        if meta is not None and meta.deletionTimestamp is not None and meta.deletionGracePeriodSeconds:
            return float(meta.deletionGracePeriodSeconds)
        own = self.spec.terminationGracePeriodSeconds
        grace = DEFAULT_GRACE if own is None else max(float(own), 1.0)
        return grace if self.evicted is None or self.evicted.grace is None else min(grace, max(self.evicted.grace, 1.0))

    @cached_property
    def init_containers(self) -> list[core_v1.Container]:
        return self.spec.initContainers or []

    @cached_property
    def ephemeral(self) -> list[core_v1.Container]:
        return [as_container(each) for each in self.spec.ephemeralContainers or ()]

    @cached_property
    def specs(self) -> dict[str, core_v1.Container]:
        """All that the pod's spec names, by name."""
        return {each.name: each for each in [*self.spec.containers, *self.init_containers, *self.ephemeral]}

    @cached_property
    def sidecars(self) -> list[str]:
        """The names of the init containers that go on running, in their order."""
        return [each.name for each in self.init_containers if is_sidecar(each)]

    @cached_property
    def sandboxes(self) -> list[Container]:
        return [each for each in self.containers if each.is_sandbox]

    @cached_property
    def sandbox(self) -> Container | None:
        """The youngest sandbox, if it runs."""
        youngest = max(self.sandboxes, key=lambda each: each.attempt, default=None)
        return youngest if youngest is not None and youngest.state is State.RUNNING else None

    @cached_property
    def next_sandbox_attempt(self) -> int:
        return max((each.attempt for each in self.sandboxes), default=-1) + 1

    @cached_property
    def wired(self) -> bool:
        """Whether the sandbox runs and has its network."""
        return self.sandbox is not None and self.network is not None and self.network.sandbox_id == self.sandbox.id

    @cached_property
    def members(self) -> dict[str, list[Container]]:
        """The pod's containers but the sandboxes, by name, oldest attempt first."""
        found: dict[str, list[Container]] = {}
        for each in self.containers:
            if not each.is_sandbox:
                found.setdefault(each.name, []).append(each)
        for attempts in found.values():
            attempts.sort(key=lambda each: each.attempt)
        return found

    def newest(self, name: str) -> Container | None:
        attempts = self.members.get(name)
        return attempts[-1] if attempts else None

    def previous(self, name: str) -> Container | None:
        attempts = self.members.get(name, [])
        return attempts[-2] if len(attempts) > 1 else None

    @cached_property
    def running(self) -> list[Container]:
        return [each for each in self.containers if each.state is State.RUNNING and not each.is_sandbox]

    @cached_property
    def _round(self) -> int:
        return max((each.round for each in self.containers), default=0)

    @cached_property
    def restarters(self) -> list[Container]:
        """The containers that ended in a way after which their rules want all to run anew."""
        return [
            newest
            for each in [*self.spec.containers, *self.init_containers]
            if (newest := self.newest(each.name)) is not None
            and newest.state is State.EXITED
            and newest.round == self._round
            and rule_for(each, newest.exit_code) == RESTART_ALL
        ]

    @cached_property
    def restarting_all(self) -> bool:
        return bool(self.restarters) and not self.deleting

    @cached_property
    def round(self) -> int:
        """How often all containers have been restarted together; one more once what is to be restarted has ended."""
        ephemeral = {each.name for each in self.spec.ephemeralContainers or ()}
        ended = all(each.name in ephemeral for each in self.running)
        return self._round + (self.restarting_all and ended)

    @cached_property
    def hooking(self) -> bool:
        """A postStart hook is under way: what comes after its container waits for it."""
        return any(not said for said in self.hooks.values())

    def given(self, running: Container) -> Resources | None:
        """What a running container was given: by this kubelet, or as the API server was told by one before it."""
        known, told = self.resizing.given.get(running.id), self.told(running.name)
        if known is not None:
            return known
        if told is not None and told.containerID == f"docker://{running.id}" and told.resources is not None:
            return told.resources
        return self.specs[running.name].resources

    @cached_property
    def outdated(self) -> list[Container]:
        """The running containers that have other amounts of CPU or memory than they are allocated."""
        ephemeral = {each.name for each in self.ephemeral}
        ours = [each for each in self.running if each.name in self.specs and each.name not in ephemeral]
        return [each for each in ours if changes(self.given(each), self.specs[each.name].resources)]

    def next_attempt(self, name: str) -> int:
        """The restart count of the next container of this name: Docker's own tally, or the one told to the API."""
        newest = self.newest(name)
        if newest is not None:
            return newest.attempt + 1
        told = self.told(name)
        if told is None:
            return 0
        return told.restartCount + 1 if told.containerID else told.restartCount

    def told(self, name: str) -> core_v1.ContainerStatus | None:
        """What the API server was last told of a container."""
        status = self.pod.status
        if status is None:
            return None
        told = [status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses]
        return _named(name, [each for some in told for each in some or ()])


def _named(name: str, statuses: Iterable[core_v1.ContainerStatus]) -> core_v1.ContainerStatus | None:
    return next((each for each in statuses if each.name == name), None)


def is_sidecar(container: core_v1.Container) -> bool:
    """An init container that goes on running beside the others."""
    return container.restartPolicy == "Always"


def as_container(given: core_v1.EphemeralContainer) -> core_v1.Container:
    """An ephemeral container as any other: all but what it aims at."""
    fields = msgspec.structs.asdict(given)
    del fields["targetContainerName"]
    return core_v1.Container(**fields)
