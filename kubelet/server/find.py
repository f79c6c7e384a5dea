"""What a stream's request is about: the pod and the running container that its path names."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import core_v1
from daemon.aio import web
from kubelet.pods import Pods
from kubelet.runtime.container import Container, State
from kubelet.worker.worker import PodWorker


class Refused(Exception):
    """The request is answered with this status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> web.Response:
        return web.Response(status=self.status, text=f"{self}\n")


@dataclass(frozen=True, slots=True)
class Options:
    """What an exec or attach is to carry."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False
    command: tuple[str, ...] = ()


def read_options(request: web.Request) -> Options:
    """From the query, under Kubernetes' names of them or the API's. Raises Refused."""

    def asked(*names: str) -> bool:
        return any(request.query.get(name, "").lower() in ("1", "true") for name in names)

    tty = asked("tty")
    options = Options(
        stdin=asked("input", "stdin"),
        stdout=asked("output", "stdout"),
        stderr=asked("error", "stderr") and not tty,  # a terminal has only one way out
        tty=tty,
        command=tuple(request.query.getall("command", [])),
    )
    if not (options.stdin or options.stdout or options.stderr):
        raise Refused(400, "you must specify at least 1 of stdin, stdout, stderr")
    return options


def pod_of(pods: Pods, request: web.Request) -> PodWorker:
    """Raises Refused."""
    info = request.match_info
    worker = pods.find(info["namespace"], info["pod"])
    if worker is None or info.get("uid", worker.uid) != worker.uid:
        raise Refused(404, "pod does not exist")
    return worker


def container_of(worker: PodWorker, name: str) -> Container:
    """The running container of that name. Raises Refused."""
    for each in reversed(worker.containers()):
        if each.name == name and not each.is_sandbox and each.state is State.RUNNING:
            return each
    raise Refused(500, f'container not found ("{name}")')


def has_terminal(worker: PodWorker, name: str) -> bool:
    """Whether the container's own process has one."""
    return any(each.name == name and each.tty for each in _specs(worker))


def closes_stdin(worker: PodWorker, name: str) -> bool:
    """Whether the container's input ends with that of its first client."""
    return any(each.name == name and each.stdinOnce for each in _specs(worker))


def _specs(worker: PodWorker) -> list[core_v1.Container | core_v1.EphemeralContainer]:
    spec = worker.pod.spec
    assert spec is not None
    return [*spec.containers, *(spec.initContainers or ()), *(spec.ephemeralContainers or ())]


def sandbox_of(worker: PodWorker) -> Container:
    """The pod's running sandbox. Raises Refused."""
    for each in reversed(worker.containers()):
        if each.is_sandbox and each.state is State.RUNNING:
            return each
    raise Refused(500, "sandbox container is not running")
