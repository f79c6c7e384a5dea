"""Everything that a decision about a pod may look at, and nothing that does I/O.

A `View` is taken anew for each step. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from api.types import core_v1
from kubelet.lifecycle.backoff import Backoff
from kubelet.runtime.container import Container, State

DEFAULT_GRACE = 30.0
TERMINAL = ("Succeeded", "Failed")


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


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed: `reason` and `message` as a container's waiting state shows them, and when to try again."""

    reason: str
    message: str
    at: float
    retry_at: float
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Stop:
    """A container that has been asked to end. `killed_at` is set once SIGKILL went out."""

    asked_at: float
    kill_at: float
    killed_at: float = 0.0


@dataclass(frozen=True)
class View:
    pod: core_v1.Pod
    containers: tuple[Container, ...] = ()
    """Docker's, of this pod: sandboxes too."""
    network: Network | None = None
    volumes_ready: bool = False
    health: Mapping[str, Health] = field(default_factory=dict)
    backoffs: Mapping[str, Backoff] = field(default_factory=dict)
    """By container name."""
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
    evicted: Failure | None = None
    """The node has ended the pod for this reason; it will not run again."""

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
        """Seconds between the polite signal and SIGKILL: the deletion's, or the pod's own."""
        meta = self.pod.metadata
        if meta is not None and meta.deletionTimestamp is not None and meta.deletionGracePeriodSeconds is not None:
            return float(meta.deletionGracePeriodSeconds)
        own = self.spec.terminationGracePeriodSeconds
        return DEFAULT_GRACE if own is None else float(own)

    @cached_property
    def init_containers(self) -> list[core_v1.Container]:
        return self.spec.initContainers or []

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
        return _named(name, [*(status.containerStatuses or ()), *(status.initContainerStatuses or ())])


def _named(name: str, statuses: Iterable[core_v1.ContainerStatus]) -> core_v1.ContainerStatus | None:
    return next((each for each in statuses if each.name == name), None)


def is_sidecar(container: core_v1.Container) -> bool:
    """An init container that goes on running beside the others."""
    return container.restartPolicy == "Always"
