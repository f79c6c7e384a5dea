"""What the kubelet knows of one Docker container, and the labels by which it finds its own again after a restart.

The labels are dockershim's, so tools that read them go on working; `dev.pytheas.node` tells the kubelets apart that
share an engine.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
CONTAINER_TYPE = "io.kubernetes.docker.type"
SANDBOX_ID = "io.kubernetes.sandbox.id"
NODE = "dev.pytheas.node"
NETWORK = "dev.pytheas.network"
ATTEMPT = "dev.pytheas.attempt"
SPEC_HASH = "dev.pytheas.spec-hash"
GRACE = "dev.pytheas.grace-period"
USER = "dev.pytheas.user"
RUNTIME = "dev.pytheas.runtime"
IMAGE_DIGEST = "dev.pytheas.image-digest"
WORKLOAD = "dev.pytheas.workload"
BACKOFF = "dev.pytheas.restart-backoff"
ROUND = "dev.pytheas.round"

SANDBOX = "podsandbox"
CONTAINER = "container"


class State(enum.IntEnum):
    """Ordered: one container only ever moves forward, so a late event can't take it back."""

    CREATED = 0
    RUNNING = 1
    EXITED = 2


@dataclass(frozen=True, slots=True)
class Container:
    """One Docker container of ours. Times are seconds since the epoch; 0 where it has not happened."""

    id: str
    labels: Mapping[str, str]
    state: State = State.CREATED
    image: str = ""
    image_id: str = ""
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    message: str = field(default="", compare=False)

    @property
    def pod_uid(self) -> str:
        return self.labels.get(POD_UID, "")

    @property
    def pod_name(self) -> str:
        return self.labels.get(POD_NAME, "")

    @property
    def namespace(self) -> str:
        return self.labels.get(POD_NAMESPACE, "")

    @property
    def name(self) -> str:
        return self.labels.get(CONTAINER_NAME, "")

    @property
    def is_sandbox(self) -> bool:
        return self.labels.get(CONTAINER_TYPE) == SANDBOX

    @property
    def sandbox_id(self) -> str:
        return self.labels.get(SANDBOX_ID, "")

    @property
    def network_id(self) -> str:
        """CNI's name for a sandbox's network: the namespace that it joined, or its own if Docker made one."""
        return self.labels.get(NETWORK) or self.id

    @property
    def attempt(self) -> int:
        """How many of the same name came before it: the pod's restart count, as far as Docker tells it."""
        text = self.labels.get(ATTEMPT, "0")
        return int(text) if text.isdigit() else 0

    @property
    def shown_image_id(self) -> str:
        """The image's id as a status tells it: the digest by which a registry knows it, if it came from one."""
        digest = self.labels.get(IMAGE_DIGEST, "")
        return f"docker-pullable://{digest}" if digest else f"docker://{self.image_id}"

    @property
    def spec_hash(self) -> str:
        return self.labels.get(SPEC_HASH, "")

    @property
    def backoff(self) -> float:
        """Seconds that what follows this container has to wait once it has ended."""
        return float(self.labels.get(BACKOFF) or 0)

    @property
    def round(self) -> int:
        """How often all of the pod's containers had been restarted together when this one was made."""
        return int(self.labels.get(ROUND) or 0)

    def running(self, at: float) -> Container:
        return replace(self, state=State.RUNNING, started_at=at, finished_at=0.0, exit_code=0, oom_killed=False)

    def exited(self, at: float, code: int) -> Container:
        return replace(self, state=State.EXITED, finished_at=at, exit_code=code)


def docker_name(container: str, pod: str, namespace: str, uid: str, attempt: int) -> str:
    """The container's name in Docker: unique for each attempt, readable in `docker ps`."""
    return f"k8s_{container}_{pod}_{namespace}_{uid}_{attempt}"


def from_summary(entry: Mapping[str, Any]) -> Container:
    """A record from one entry of Docker's list. It tells no exit code; see `from_inspect`."""
    states = {"created": State.CREATED, "running": State.RUNNING, "paused": State.RUNNING, "restarting": State.RUNNING}
    return Container(
        id=entry["Id"],
        labels=entry.get("Labels") or {},
        state=states.get(entry.get("State", ""), State.EXITED),
        image=entry.get("Image", ""),
        image_id=entry.get("ImageID", ""),
        created_at=float(entry.get("Created", 0)),
    )


def from_inspect(body: Mapping[str, Any]) -> Container:
    """A record from Docker's full answer."""
    state, config = body.get("State") or {}, body.get("Config") or {}
    status, error = state.get("Status", ""), state.get("Error") or ""
    kind = State.EXITED
    if status == "created" and not error:
        kind = State.CREATED
    elif status in ("running", "paused", "restarting"):
        kind = State.RUNNING
    created = seconds(body.get("Created", ""))
    # A container whose program could not be run is told as created, with an error and no times.
    finished = seconds(state.get("FinishedAt", "")) or created
    return Container(
        id=body["Id"],
        labels=config.get("Labels") or {},
        state=kind,
        image=config.get("Image", ""),
        image_id=body.get("Image", ""),
        created_at=created,
        started_at=seconds(state.get("StartedAt", "")) or (created if kind is State.EXITED else 0.0),
        finished_at=finished if kind is State.EXITED else 0.0,
        exit_code=int(state.get("ExitCode", 0)) if kind is State.EXITED else 0,
        oom_killed=bool(state.get("OOMKilled")) and kind is State.EXITED,
        error=error if kind is State.EXITED else "",
    )


def seconds(text: str) -> float:
    """Docker's RFC 3339 time with nanoseconds as seconds since the epoch; its zero time (year 1) as 0."""
    if not text or text.startswith("0001-"):
        return 0.0
    whole, _, rest = text.partition(".")
    fraction = "".join(ch for ch in rest.rstrip("Z")[:9] if ch.isdigit())
    moment = datetime.fromisoformat(whole.rstrip("Z")).replace(tzinfo=UTC)
    return moment.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
