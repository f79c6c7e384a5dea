"""What the kubelet tells the API server about pods: statuses, coalesced; deletions; events; and the tokens it asks
for.

A status is sent at once when somebody waits for it (phase, readiness, an address, a container's end); anything else
waits a moment for company. While one patch is under way, later statuses replace each other, so a pod costs few
writes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api import errors
from api.types import core_v1
from client.backoff import Backoff
from client.events import EventRecorder, reference
from client.rest import Client, PatchType, Unreachable
from daemon.log import logger

log = logger(__name__)

COMPANY = 0.5
"""Seconds that a status which nobody waits for may wait for the next."""
_OPTIONAL = ("message", "reason", "podIP", "podIPs", "hostIP", "hostIPs", "containerStatuses", "initContainerStatuses")


@dataclass
class _Outbox:
    """One pod's statuses on their way."""

    pod: core_v1.Pod
    sent: core_v1.PodStatus | None
    wanted: core_v1.PodStatus | None = None
    urgent: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    closed: bool = False


class Upstream:
    def __init__(self, client: Client, events: EventRecorder) -> None:
        self._client = client
        self._events = events
        self._outboxes: dict[str, _Outbox] = {}

    def say(
        self,
        pod: core_v1.Pod,
        kind: str,
        reason: str,
        message: str,
        container: str = "",
        init: bool = False,
        series: str = "",
    ) -> None:
        """An event about a pod, or about one of its containers. One of a series replaces the last of the same."""
        later = any(each.name == container for each in (pod.spec.ephemeralContainers or ())) if pod.spec else False
        list_name = "initContainers" if init else "ephemeralContainers" if later else "containers"
        about = reference(pod, f"spec.{list_name}{{{container}}}") if container else reference(pod)
        self._events.event(about, "Warning" if kind == "Warning" else "Normal", reason, message, series=series)

    def report(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        """Tell a pod's status some time soon. Never blocks, never raises."""
        uid = _uid(pod)
        box = self._outboxes.get(uid)
        if box is None:
            box = self._outboxes[uid] = _Outbox(pod, pod.status)
            box.idle.set()
        box.pod = pod
        if status == (box.wanted or box.sent):
            return
        urgent = _matters(box.wanted or box.sent, status)
        box.wanted = status
        box.idle.clear()
        if urgent:
            box.urgent.set()
        if box.task is None or box.task.done():
            box.task = asyncio.create_task(self._guarded(box), name=f"status {_uid(pod)}")

    def seen(self, pod: core_v1.Pod) -> None:
        """The pod as it is now. If somebody overruled its readiness, as controllers do on a node they did not hear of,
        the next report is told even though it was told before."""
        box = self._outboxes.get(_uid(pod))
        if box is None or box.sent is None or pod.status is None or not box.idle.is_set():
            return
        if _ready(pod.status) != _ready(box.sent):
            box.sent = pod.status

    def sent(self, uid: str) -> core_v1.PodStatus | None:
        """The last status that the API server took from this kubelet."""
        box = self._outboxes.get(uid)
        return box.sent if box else None

    async def flush(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        """Tell the status now and return once the API server has it, or has no such pod."""
        self.report(pod, status)
        box = self._outboxes[_uid(pod)]
        box.urgent.set()
        await box.idle.wait()

    def forget(self, uid: str) -> None:
        box = self._outboxes.pop(uid, None)
        if box is not None and box.task is not None:
            box.task.cancel()

    async def delete(self, pod: core_v1.Pod) -> None:
        """End a pod's graceful deletion. Raises StatusError or Unreachable; a pod that is gone is no error."""
        metadata = pod.metadata
        assert metadata is not None
        try:
            await self._client.delete(
                core_v1.Pod, metadata.name or "", metadata.namespace, grace_period=0, uid=metadata.uid
            )
        except (errors.NotFound, errors.Conflict):
            log.debug("was deleted already", pod=f"{metadata.namespace}/{metadata.name}")

    async def token(self, pod: core_v1.Pod, audience: str, seconds: int) -> tuple[str, float]:
        """A token for the pod's service account, bound to the pod, and when it ends. Raises StatusError or
        Unreachable."""
        metadata, spec = pod.metadata, pod.spec
        assert metadata is not None
        assert spec is not None
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata.name, "uid": metadata.uid}
        body: dict[str, Any] = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "expirationSeconds": seconds,
                "boundObjectRef": bound,
                "audiences": [audience] if audience else [],
            },
        }
        account = spec.serviceAccountName or "default"
        answer = await self._client.create_sub(core_v1.ServiceAccount, account, metadata.namespace, "token", body)
        status = answer["status"]
        return str(status["token"]), datetime.fromisoformat(status["expirationTimestamp"]).timestamp()

    async def _guarded(self, box: _Outbox) -> None:
        try:
            await self._deliver(box)
        except Exception:  # nobody awaits this task; the pod's next status begins anew
            log.exception("telling a status stumbled", pod=_name(box.pod))
        finally:
            box.idle.set()

    async def _deliver(self, box: _Outbox) -> None:
        backoff = Backoff(0.1, 10.0)
        while box.wanted is not None:
            if not box.urgent.is_set():
                await _until(box.urgent, COMPANY)
            status = box.wanted
            box.urgent.clear()
            try:
                await self._patch(box.pod, status)
            except errors.NotFound:
                log.debug("the pod of a status is gone", uid=_uid(box.pod))
            except errors.StatusError as error:
                if error.code < 500 and error.code not in (409, 429):
                    log.error("the API server refuses a status", pod=_name(box.pod), error=str(error))
                elif error.code != 409 or not await self._replaced(box.pod):
                    await backoff_pause(backoff)
                    continue
            except Unreachable:
                await backoff_pause(backoff)
                continue
            box.sent = status
            if box.wanted is status:
                box.wanted = None

    async def _replaced(self, pod: core_v1.Pod) -> bool:
        """Whether another pod has the name now: the old one's status is nobody's any more."""
        metadata = pod.metadata
        assert metadata is not None
        try:
            found = await self._client.get(core_v1.Pod, metadata.name or "", metadata.namespace)
        except errors.StatusError as error:
            return error.code == 404
        except Unreachable:
            return False
        return _uid(found) != _uid(pod)

    async def _patch(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        metadata = pod.metadata
        assert metadata is not None
        body: dict[str, Any] = status.to_dict()
        # A merge patch keeps what it doesn't name; what this kubelet no longer says must go.
        body |= {name: None for name in _OPTIONAL if name not in body}
        patch = {"metadata": {"uid": metadata.uid}, "status": body}
        await self._client.patch(
            core_v1.Pod, metadata.name or "", patch, metadata.namespace, subresource="status", kind=PatchType.MERGE
        )


def _matters(before: core_v1.PodStatus | None, after: core_v1.PodStatus) -> bool:
    """Whether somebody may be waiting for this news: not for the first words on a pod that still starts."""
    if after.phase == "Pending" and not (before and before.containerStatuses):
        return False
    return before is None or _gist(before) != _gist(after)


def _gist(status: core_v1.PodStatus) -> tuple[Any, ...]:
    containers = [*(status.initContainerStatuses or ()), *(status.containerStatuses or ())]
    ends = [(each.name, each.restartCount, each.ready, _ended(each)) for each in containers]
    return status.phase in (None, "Pending"), status.phase, _ready(status), ends


def _ready(status: core_v1.PodStatus) -> list[str]:
    return [each.status for each in status.conditions or () if each.type == "Ready"]


def _ended(status: core_v1.ContainerStatus) -> bool:
    return status.state is not None and status.state.running is None and bool(status.containerID)


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def backoff_pause(backoff: Backoff) -> None:
    await asyncio.sleep(backoff.next())


def _uid(pod: core_v1.Pod) -> str:
    return (pod.metadata.uid or "") if pod.metadata else ""


def _name(pod: core_v1.Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}" if pod.metadata else ""
