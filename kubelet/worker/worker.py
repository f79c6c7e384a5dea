"""One pod's worker: look at what is, decide one step, take it, look again.

The worker owns what Docker doesn't remember: back-offs, failures, stops under way, probe results. All of it can be
lost: a restarted kubelet's worker starts from Docker's records and the API server's status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from api.errors import StatusError
from api.types import core_v1
from client.backoff import Backoff as Faults
from client.rest import Unreachable as ServerUnreachable
from daemon.log import logger
from kubelet.images.waits import ImageWaits, with_other_image
from kubelet.lifecycle import actions
from kubelet.lifecycle.decide import decide
from kubelet.lifecycle.restart import finished
from kubelet.lifecycle.status import pod_status
from kubelet.lifecycle.upkeep import active_deadline, flip_time, with_foreign
from kubelet.lifecycle.view import TERMINAL, Eviction, Network, View
from kubelet.node_context import NodeContext
from kubelet.pod.admission import refusal
from kubelet.probes.prober import Prober
from kubelet.runtime.container import Container, State
from kubelet.runtime.errors import EngineError, Unreachable
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.payload import changes_files
from kubelet.worker.chores import Chores
from kubelet.worker.clock import WallClock
from kubelet.worker.endings import Endings
from kubelet.worker.failures import FIRST_RETRY, LONGEST_RETRY, Failures
from kubelet.worker.pulls import Pulls
from kubelet.worker.resizing import Resizer
from kubelet.worker.steps import StepFailed, Steps
from kubelet.worker.waits import RestartWaits

log = logger(__name__)

FAULT_RETRY = 1.0


class PodWorker:
    """Runs until nothing of the pod is left. `on_end(uid)` is called then."""

    def __init__(self, node: NodeContext, pod: core_v1.Pod, on_end: Callable[[str], None]) -> None:
        self._node = node
        self._steps = Steps(node, pod)
        self._resizer = Resizer(self._steps, pod)
        self._on_end = on_end
        self._wake = asyncio.Event()
        self._clock = WallClock()
        self._chores = Chores(self.uid)
        self._failures = Failures(self.uid)
        self._endings = Endings(self._steps, self._chores, self._failures, self.wake)
        self._pulls = Pulls(self._steps, self._chores, self._failures, self.wake)
        self._waits = RestartWaits(self._steps), ImageWaits(self._steps.say_of)
        self._prober = Prober(node.asker, self.wake, self._unhealthy)
        self._gone = False
        self._network: Network | None = None
        self._volumes_ready = False
        self._stale = False
        self._reported = False
        self._cleaned = False
        self._evicted: Eviction | None = None
        self._admitted = False
        self._read: set[str] = set()
        self._status: core_v1.PodStatus | None = None
        self._started_at = time.time()
        self._refreshing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    # -- what the outside tells it

    @property
    def pod(self) -> core_v1.Pod:
        return self._steps.pod

    @property
    def uid(self) -> str:
        return self._steps.uid

    @property
    def status(self) -> core_v1.PodStatus | None:
        """The status as this kubelet sees it, newer than the API server's."""
        return self._status

    @property
    def answers(self) -> Mapping[tuple[str, str, str], int]:
        """How often its probes have answered how: by container, kind of probe and result."""
        return self._prober.counts

    @property
    def cleaned(self) -> bool:
        """Nothing of the pod is left on this node but ended containers."""
        return self._cleaned

    @property
    def folder(self) -> PodFolder:
        return self._steps.folder

    def containers(self) -> tuple[Container, ...]:
        """The pod's containers as Docker has them, oldest first."""
        return self._node.inventory.pod(self.uid)

    def start(self) -> None:
        try:
            self._admit()
        except Exception:  # a mistake of ours in judging a pod must not leave it without a worker
            log.exception("a pod could not be judged", pod=self.uid)
            self._admitted = True
        self._task = asyncio.create_task(self._run(), name=f"pod {self.uid}")

    def wake(self) -> None:
        self._wake.set()

    def update(self, pod: core_v1.Pod) -> None:
        """The API server has a newer version of the pod."""
        self._stale = self._stale or changes_files(self._steps.pod, pod)
        for name in with_other_image(self._steps.pod, pod):
            self._pulls.forget(name)
        self._resizer.update(pod)
        self._gone = False
        self.wake()

    def images_changed(self) -> None:
        """Images came or went: a container that waits for one may start before its back-off is over."""
        self._pulls.look_again()

    def lose(self) -> None:
        """The API server no longer has the pod: it ends without a word."""
        self._gone = True
        self._failures.clear("forget")
        self.wake()

    def refresh(self) -> None:
        """Something that the pod's files or variables are made from has changed."""
        self._stale = True
        self._failures.hope()
        self.wake()

    def evict(self, reason: str, message: str, grace: float | None = None, *, disruption: bool = False) -> None:
        """End the pod for good; its containers get its grace, or `grace` if that is shorter. `disruption` is whether
        its status tells that the node did it."""
        self._evicted = Eviction(reason, message, grace, disruption)
        self.wake()

    async def close(self) -> None:
        """Stop working on the pod, and leave it running."""
        tasks = self._chores.cancel()
        if self._task is not None:
            self._task.cancel()
            tasks.append(self._task)
        self._prober.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- the loop

    async def _run(self) -> None:
        ended = False
        fault = Faults(FAULT_RETRY, LONGEST_RETRY)
        while not ended:
            self._wake.clear()
            try:
                ended = await self._once()
                fault.reset()
            except Unreachable:
                self._node.engine_up.clear()
                await self._node.engine_up.wait()
            except (EngineError, OSError) as error:
                log.warning("a step failed", pod=self._steps.uid, error=str(error))
                await self._sleep(FIRST_RETRY)
            except Exception:  # a pod that trips over a mistake of ours must not be given up, nor stop the others
                log.exception("the pod's worker stumbled", pod=self._steps.uid)
                await asyncio.sleep(fault.next())
        self._prober.close()
        self._chores.cancel()
        self._on_end(self.uid)

    @property
    def taken(self) -> bool:
        """Whether the pod counts against what the node has: it was admitted, and has not come to its end."""
        status = self._status or self.pod.status
        over = status is not None and status.phase in TERMINAL
        return self._admitted and self._evicted is None and not over

    def _admit(self) -> None:
        """Refuse a pod that the node can't run, unless it has been taken before."""
        metadata, status = self.pod.metadata, self.pod.status
        begun = self.containers() or (status is not None and status.phase not in (None, "Pending"))
        if not (begun or self._gone or metadata is None or metadata.deletionTimestamp is not None):
            refused = refusal(self.pod, self._node.ground) or self._node.admit(self.pod)
            if refused is not None:
                self._steps.say("Warning", refused.reason, refused.message)
                self.evict(refused.reason, f"Pod was rejected: {refused.message}")
        self._admitted = not self._gone

    async def _once(self) -> bool:
        """One look, one step. True when the pod is gone from this node."""
        await self._read_endings()
        if moved := self._clock.moved():
            self._failures.shift(moved)
            self._endings.shift(moved)
        now = time.time()
        deadline = active_deadline(self.pod, self._started_at)
        if self._evicted is None and deadline is not None and deadline <= now:
            message = "Pod was active on the node longer than the specified deadline"
            self._steps.say("Normal", "DeadlineExceeded", message)
            self.evict("DeadlineExceeded", message)
        if self.taken:
            await self._attempt(self._resizer.allocate())
        view = self._view()
        self._resizer.completed(view)
        self._follow_probes(view)
        view = replace(view, health=self._prober.health)
        if not view.deleting and not finished(view):
            for waits in self._waits:
                waits.tell(view, now)
        self._report(view, now)
        step = decide(view, now)
        if isinstance(step, actions.Wait):
            refresh_at = self._refresh_at(view)
            if refresh_at is not None and refresh_at <= now:
                # Beside the worker: an API server that doesn't answer must not keep it from its containers.
                self._refreshing = self._chores.begin(self._attempt(self._refresh()))
                self._refreshing.add_done_callback(lambda _: self.wake())
                return False
            await self._rest(step, view, now, refresh_at)
            return False
        return await self._take(step, view)

    def _refresh_at(self, view: View) -> float | None:
        """When the volumes' files are to be written anew; never those of a pod that ends."""
        if not view.volumes_ready or view.deleting or view.cleaned or self._is_refreshing():
            return None
        due = 0.0 if self._stale else self._steps.tokens.due()
        failed = self._failures.get("refresh")
        return max(due, failed.retry_at) if due is not None and failed is not None else due

    def _is_refreshing(self) -> bool:
        return self._refreshing is not None and not self._refreshing.done()

    async def _rest(self, step: actions.Wait, view: View, now: float, refresh_at: float | None) -> None:
        """Sleep until the decision's time, a token's renewal, or news."""
        deadline = active_deadline(self.pod, self._started_at) if self._evicted is None else None
        coming = (step.until, refresh_at, flip_time(view, now), deadline, self._resizer.retry_at(now))
        times = [each for each in coming if each is not None]
        await self._sleep(max(min(times) - now, 0.0) if times else None)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    def _view(self) -> View:
        containers = self._node.inventory.pod(self.uid)
        pod = self.pod
        if self._status is not None:
            pod = msgspec.structs.replace(pod, status=with_foreign(self._status, pod.status))
        view = View(
            pod=pod,
            containers=containers,
            volumes_ready=self._volumes_ready,
            health=self._prober.health,
            failures=self._failures.now(),
            stops=self._endings.stops,
            hooks=self._endings.hooks,
            pulling=self._pulls.running,
            gone=self._gone,
            reported=self._reported,
            cleaned=self._cleaned,
            started_at=self._started_at,
            host_ips=self._node.host_ips,
            evicted=self._evicted,
            longest_backoff=self._node.longest_backoff,
            resizing=self._resizer.now,
        )
        return replace(view, network=self._known_network(view))

    def _known_network(self, view: View) -> Network | None:
        """The sandbox's network; that of an adopted sandbox is read back from CNI's cache."""
        sandbox = view.sandbox
        if sandbox is None:
            return None
        if self._network is None or self._network.sandbox_id != sandbox.id:
            ips = self._steps.ips(sandbox.id)
            self._network = Network(sandbox.id, ips) if ips else None
        return self._network

    # -- steps

    async def _take(self, step: actions.Action, view: View) -> bool:
        if isinstance(step, actions.Forget):
            return await self._forget()
        began = time.monotonic()
        await self._attempt(self._work(step, view))
        took = f"{time.monotonic() - began:.3f}"
        log.debug("step", pod=self.uid, step=type(step).__name__, seconds=took)
        return False

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StepFailed as error:
            if error.event:
                self._steps.say("Warning", error.event, str(error))
            self._failures.note(error.what, error.reason, str(error))

    async def _work(self, step: actions.Action, view: View) -> None:
        steps = self._steps
        match step:
            case actions.SetUpVolumes():
                self._stale = False
                await steps.set_up_volumes()
                self._volumes_ready = True
                self._failures.clear("volumes")
            case actions.CreateSandbox(attempt):
                await steps.create_sandbox(attempt)
                self._failures.clear("sandbox")
            case actions.AttachNetwork(sandbox_id):
                self._network = Network(sandbox_id, await steps.attach_network(sandbox_id))
                self._failures.clear("network")
            case actions.StartContainer():
                await self._start(step, view)
            case actions.Stop(ids, grace, why):
                self._endings.stop(self._these(view, ids), grace, why)
            case actions.Signal(ids):
                self._endings.signal(self._these(view, ids))
            case actions.Kill(ids):
                await self._endings.kill(ids)
            case actions.RemoveContainers(ids):
                await steps.remove_containers(ids)
                self._read -= set(ids)
                self._resizer.removed(ids)
            case actions.RemoveSandbox(sandbox_id):
                await steps.remove_sandbox(sandbox_id)
            case actions.Resize(ids):
                await self._resizer.give(view, ids)
                self._failures.clear("resize")
            case actions.Report():
                await self._node.channel.flush(self.pod, self._status or core_v1.PodStatus())
                self._reported = True
            case actions.CleanUp():
                if self._refreshing is not None:
                    await asyncio.wait({self._refreshing})  # it may be writing what is to go
                await steps.clean_up()
                self._cleaned = True

    @staticmethod
    def _these(view: View, ids: tuple[str, ...]) -> list[Container]:
        return [each for each in view.containers if each.id in ids]

    async def _start(self, step: actions.StartContainer, view: View) -> None:
        assert view.sandbox is not None
        assert view.network is not None
        image = await self._pulls.image_of(step)
        if image is None:
            return
        ips = view.network.ips
        container_id = await self._steps.start_container(step, image, view.sandbox.id, ips)
        self._failures.clear(step.name)
        self._resizer.started(container_id, view.specs[step.name].resources)
        started = self._node.inventory.get(container_id)
        if started is not None and started.state is State.RUNNING:
            self._endings.started(view.specs[step.name], container_id, ips)

    async def _refresh(self) -> None:
        self._stale, news = False, self._stale
        try:
            changed = await self._steps.refresh_volumes(self._network.ips if self._network else ())
        except StepFailed:
            self._stale = self._stale or news
            raise
        self._failures.clear("refresh")
        if changed:
            log.info("volumes follow their objects", pod=self.uid, volumes=",".join(changed))

    async def _forget(self) -> bool:
        if not self._gone:
            try:
                await self._node.channel.delete(self.pod)
            except (StatusError, ServerUnreachable) as error:
                self._failures.note("forget", "", str(error))
                return False
            metadata = self.pod.metadata
            if metadata is not None and metadata.finalizers:
                self._failures.hold("forget", "held by finalizers")
                return False
        return True

    # -- what it sees and says

    async def _read_endings(self) -> None:
        for each in self._node.inventory.pod(self.uid):
            if each.state is State.EXITED and not each.is_sandbox and each.id not in self._read:
                self._read.add(each.id)
                self._endings.ended(each.id)
                await self._steps.read_end(each)

    def _follow_probes(self, view: View) -> None:
        # A container isn't asked before its postStart hook is done.
        running = {each.name: each for each in view.running if each.id not in view.hooks}
        pairs = [(spec, running[name]) for name, spec in view.specs.items() if name in running]
        ip = view.network.ips[0] if view.network is not None and view.network.ips else ""
        if ip or not pairs:
            self._prober.follow(pairs, ip, self._was, ending=view.deleting)

    def _was(self, container: Container) -> tuple[bool, bool]:
        """Whether the API server was told that this very container had started and was ready."""
        status = self._status or self.pod.status
        statuses = [*(status.containerStatuses or ()), *(status.initContainerStatuses or ())] if status else []
        told = next((each for each in statuses if each.containerID == f"docker://{container.id}"), None)
        if told is None or container.started_at >= self._started_at:
            return False, False
        return bool(told.started), told.ready

    def _unhealthy(self, container: core_v1.Container, kind: str, reason: str, message: str) -> None:
        self._steps.say_of(container.name, kind, reason, message)

    def _report(self, view: View, now: float) -> None:
        if self._gone or self._reported:
            return
        self._status = pod_status(view, now)
        self._node.channel.report(self.pod, self._status)
