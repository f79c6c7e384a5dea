"""The steps a pod's worker can take. Each is one transition; after it, the worker looks again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SetUpVolumes:
    """Make the pod's folders and volumes."""


@dataclass(frozen=True)
class CreateSandbox:
    """Create and start the pause container."""

    attempt: int


@dataclass(frozen=True)
class AttachNetwork:
    """Let CNI wire the sandbox's network namespace."""

    sandbox_id: str


@dataclass(frozen=True)
class StartContainer:
    """Create the container and start it; if its image has to be fetched first, that begins and this comes again."""

    name: str
    attempt: int
    init: bool = False
    backoff: float = 0.0
    """What its successor will have to wait."""
    round: int = 0


@dataclass(frozen=True)
class Stop:
    """Begin to end containers that have `grace` seconds for it: tell so, and run their preStop hooks."""

    ids: tuple[str, ...]
    grace: float
    why: str


@dataclass(frozen=True)
class Signal:
    """Ask containers to end: their hooks are over, and so is what they wait for."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Kill:
    """SIGKILL what has overrun its grace."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class RemoveContainers:
    ids: tuple[str, ...]


@dataclass(frozen=True)
class RemoveSandbox:
    """Give back the network and remove the pause container."""

    sandbox_id: str


@dataclass(frozen=True)
class Resize:
    """Give running containers the CPU and memory that the pod is allocated now."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Tell the API server the last status and wait until it has it: the containers that it tells of are removed
    next."""


@dataclass(frozen=True)
class CleanUp:
    """Unmount and remove the pod's volumes, folders and cgroups."""


@dataclass(frozen=True)
class Forget:
    """All is gone from this node: delete the API object (if the API server still has it) and end the worker."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`, or before something changes (None)."""

    until: float | None = None


Action = (
    SetUpVolumes
    | CreateSandbox
    | AttachNetwork
    | StartContainer
    | Stop
    | Signal
    | Kill
    | RemoveContainers
    | RemoveSandbox
    | Resize
    | Report
    | CleanUp
    | Forget
    | Wait
)
