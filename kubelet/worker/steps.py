"""Carries out the steps that a decision names, one pod's, against Docker, CNI and the file system.

Nothing is decided here. A step that can't be done raises `StepFailed` with the reason that the pod's status will show;
the worker notes it and decides when to try again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from api.types import core_v1
from daemon.log import logger
from kubelet.images.images import Image, ImageError
from kubelet.lifecycle import actions
from kubelet.lifecycle.view import as_container
from kubelet.network.cni import Attachment, CniError
from kubelet.network.files import domain, hostname, hosts_file, kernel_name
from kubelet.network.resolver import host_conf, resolver
from kubelet.node_context import NodeContext
from kubelet.pod.create import sandbox_body
from kubelet.pod.fields import Facts
from kubelet.pod.problem import ConfigError, SandboxError
from kubelet.pod.resources import total
from kubelet.runtime import container as labels
from kubelet.runtime.container import Container, State, docker_name, from_inspect
from kubelet.runtime.errors import Conflict, EngineError, Hung, Unreachable
from kubelet.sandboxes.pool import JoinError
from kubelet.tokens import Tokens
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.payload import Inputs
from kubelet.volumes.problem import MountError
from kubelet.worker.gather import gather
from kubelet.worker.last_words import last_words

log = logger(__name__)

START_ERROR_CODE = 128


class StepFailed(Exception):
    """`what` failed, as `View.failures` names it; `reason` is for the status. `event` is told unless it is empty."""

    def __init__(self, what: str, reason: str, message: str, event: str = "") -> None:
        super().__init__(message)
        self.what, self.reason, self.event = what, reason, event


class Steps:
    """One pod's hands. `pod` is replaced as the API server changes it."""

    def __init__(self, node: NodeContext, pod: core_v1.Pod) -> None:
        self.node = node
        self.pod = pod
        self.folder = PodFolder(node.root, self.uid)
        self.tokens = Tokens(node.channel)

    @property
    def uid(self) -> str:
        assert self.pod.metadata is not None
        return self.pod.metadata.uid or ""

    @property
    def spec(self) -> core_v1.PodSpec:
        assert self.pod.spec is not None
        return self.pod.spec

    def say(
        self, kind: str, reason: str, message: str, container: str = "", init: bool = False, series: str = ""
    ) -> None:
        self.node.channel.say(self.pod, kind, reason, message, container, init, series)

    def facts(self, ips: tuple[str, ...]) -> Facts:
        own = self.spec.resources.limits if self.spec.resources is not None else None
        return Facts(ips, self.node.host_ips, {**self.node.allocatable, **(own or {})})

    async def inputs(self, ips: tuple[str, ...]) -> Inputs:
        """What the pod's volumes are made from, fetched. Raises StepFailed."""
        try:
            asked = self.node.objects(self.pod), self.tokens.all(self.pod, time.time())
            objects, tokens = await asyncio.gather(*asked)
        except OSError as error:
            raise StepFailed("volumes", "ContainerCreating", str(error), "FailedMount") from error
        return Inputs(self.pod, objects, self.facts(ips), tokens, self.tokens.refused, self.node.ground.memory)

    async def set_up_volumes(self) -> None:
        try:
            inputs, claimed = await asyncio.gather(self.inputs(()), self.node.claimed(self.pod))
            await asyncio.to_thread(self.folder.set_up, self.spec, inputs, claimed)
        except (MountError, OSError) as error:
            raise StepFailed("volumes", "ContainerCreating", str(error), "FailedMount") from error

    async def refresh_volumes(self, ips: tuple[str, ...]) -> list[str]:
        """Bring the files made from objects up to date; the names of the volumes that changed."""
        inputs = await self.inputs(ips)
        try:
            return await asyncio.to_thread(self.folder.refresh, self.spec, inputs)
        except (MountError, OSError) as error:
            raise StepFailed("refresh", "ContainerCreating", str(error), "FailedMount") from error

    async def create_sandbox(self, attempt: int) -> None:
        if attempt:
            self.say("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        self.folder.hosts().unlink(missing_ok=True)  # it says that the sandbox is wired
        try:
            await asyncio.to_thread(self.node.cgroups.make, self.pod)
            name = kernel_name(self.pod, self.node.name, self.node.dns.domain)
            runtime = await self.node.runtime(self.pod)
            space = await self.node.pool.take(self.spec)
            body = sandbox_body(self.pod, self.node.ground, attempt, name, space, runtime)
            start = self._run(body, self._name("POD", attempt), Image(self.node.ground.pause_image))
            await (self.node.pool.start_in(space, start) if space is not None else start)
        except (EngineError, SandboxError, OSError) as error:
            raise _sandbox_failed("sandbox", error) from error

    async def attach_network(self, sandbox_id: str) -> tuple[str, ...]:
        """Wire the sandbox, if it isn't yet, and write the name files; the pod's addresses."""
        ips = self.node.host_ips
        if not self.spec.hostNetwork:
            try:
                ips = await self._wire(sandbox_id)
            except JoinError as error:
                await self.remove_sandbox(sandbox_id)
                raise _sandbox_failed("sandbox", error) from error
            except (CniError, EngineError) as error:
                raise _sandbox_failed("network", error) from error
        try:
            lost = await asyncio.to_thread(self._write_names, ips)
        except OSError as error:
            raise _sandbox_failed("network", error) from error
        for text in lost:
            self.say("Warning", "DNSConfigForming", text)
        return ips

    async def _wire(self, sandbox_id: str) -> tuple[str, ...]:
        """The sandbox's addresses, once it is in its namespace. Raises JoinError, CniError, EngineError."""
        netns, network_id = await self._netns(sandbox_id), self._network_id(sandbox_id)
        known = None
        if network_id != sandbox_id:
            await self.node.pool.wait_joined(network_id, netns)
            known = self.node.cni.cached(network_id)
        if known is None:
            await self.node.cni.delete(network_id, netns)  # what an attempt that was cut short has left
            known = await self.node.cni.add(self._attachment(network_id, netns))
        return known

    def _network_id(self, sandbox_id: str) -> str:
        known = self.node.inventory.get(sandbox_id)
        return known.network_id if known is not None else sandbox_id

    def ips(self, sandbox_id: str) -> tuple[str, ...] | None:
        """The addresses of a sandbox whose wiring was completed."""
        if not self.folder.hosts().exists():
            return None
        return self.node.host_ips if self.spec.hostNetwork else self.node.cni.cached(self._network_id(sandbox_id))

    def _attachment(self, network_id: str, netns: str) -> Attachment:
        metadata = self.pod.metadata
        assert metadata is not None
        ports = tuple(
            {
                "hostPort": port.hostPort,
                "containerPort": port.containerPort,
                "protocol": (port.protocol or "TCP").lower(),
                "hostIP": port.hostIP or "",
            }
            for each in [*self.spec.containers, *(self.spec.initContainers or ())]
            for port in each.ports or ()
            if port.hostPort
        )
        return Attachment(network_id, netns, metadata.name or "", metadata.namespace or "", self.uid, ports)

    async def _netns(self, sandbox_id: str) -> str:
        """The path of the sandbox's network namespace. Raises EngineError."""
        pid = (await self.node.engine.inspect(sandbox_id))["State"]["Pid"]
        if not pid:
            raise EngineError("the sandbox has ended")
        return f"/proc/{pid}/ns/net"

    def _write_names(self, ips: tuple[str, ...]) -> tuple[str, ...]:
        """What didn't fit into the files is returned. Blocks."""
        dns, host_file = self.node.dns, _host_hosts() if self.spec.hostNetwork else ""
        name, own = hostname(self.pod, self.node.name), domain(self.pod, dns.domain)
        found = resolver(self.pod, dns, host_conf(dns))
        self.folder.write(self.folder.resolv_conf(), found.text())
        self.folder.write(self.folder.hosts(), hosts_file(self.pod, ips, name, own, host_file))
        return found.warnings

    async def present_image(self, step: actions.StartContainer) -> Image | None:
        """The container's image, or None if it has to be pulled. Raises StepFailed."""
        spec = self._spec_of(step.name)
        try:
            policy, say = spec.imagePullPolicy or "IfNotPresent", partial(self.say_of, step.name)
            return await self.node.images.present(spec.image or "", policy, say, self.pod, partial(self.say, "Warning"))
        except ImageError as error:
            raise StepFailed(step.name, error.reason, str(error)) from error

    async def pull_image(self, step: actions.StartContainer) -> Image:
        """Raises StepFailed."""
        try:
            image = self._spec_of(step.name).image or ""
            say, warn = partial(self.say_of, step.name), partial(self.say, "Warning")
            return await self.node.images.pull(image, say, self.pod, warn)
        except ImageError as error:
            raise StepFailed(step.name, error.reason, str(error)) from error

    def say_of(self, container: str, kind: str, reason: str, message: str, *, series: str = "") -> None:
        """An event about one of the containers."""
        init = any(each.name == container for each in self.spec.initContainers or ())
        self.say(kind, reason, message, container, init, series)

    async def start_container(
        self, step: actions.StartContainer, image: Image, sandbox_id: str, ips: tuple[str, ...]
    ) -> str:
        """Create it and start it; its id."""
        spec, say = self._spec_of(step.name), partial(self.say_of, step.name)
        try:
            body = await self._body(spec, step, image, sandbox_id, ips)
        except (ConfigError, ValueError, OSError) as error:
            say("Warning", "Failed", f"Error: {error}")
            reason = error.reason if isinstance(error, ConfigError) else ConfigError.reason
            raise StepFailed(step.name, reason, str(error)) from error
        try:
            container_id = await self._create(body, self._name(step.name, step.attempt), image)
            say("Normal", "Created", "Container created")
            await self._start(container_id)
        except (Unreachable, Hung):
            raise
        except EngineError as error:
            say("Warning", "Failed", f"Error: {error}")
            raise StepFailed(step.name, "CreateContainerError", str(error)) from error
        started = self.node.inventory.get(container_id)
        if started is not None and not started.error:
            self.node.cgroups.started(self.pod, container_id)
            say("Normal", "Started", "Container started")
        return container_id

    async def _body(
        self,
        spec: core_v1.Container,
        step: actions.StartContainer,
        image: Image,
        sandbox_id: str,
        ips: tuple[str, ...],
    ) -> dict[str, object]:
        facts = self.facts(ips)
        body = await gather(self.node, self.pod, spec, self.folder, image, sandbox_id, step.attempt, facts)
        own, host = body["Labels"], body["HostConfig"]
        assert isinstance(own, dict)
        assert isinstance(host, dict)
        own |= {labels.BACKOFF: f"{step.backoff:g}", labels.ROUND: str(step.round)}
        if (later := self._ephemeral(step.name)) is not None and later.targetContainerName:
            host["PidMode"] = f"container:{self._target(later.targetContainerName)}"
        return body

    def _target(self, name: str) -> str:
        """The id of the running container whose processes another one is to see. Raises ConfigError."""
        found = [each for each in self.node.inventory.pod(self.uid) if each.name == name and not each.is_sandbox]
        if not found or found[-1].state is not State.RUNNING:
            raise ConfigError(f'unable to find target container "{name}"')
        return found[-1].id

    async def _run(self, body: Mapping[str, object], name: str, image: Image) -> str:
        container_id = await self._create(body, name, image)
        await self._start(container_id)
        failed = self.node.inventory.get(container_id)
        if failed is not None and failed.error:
            raise EngineError(failed.error)
        return container_id

    async def _create(self, body: Mapping[str, object], name: str, image: Image) -> str:
        """Create a container; one that has its name already, left by a call that was cut short, is removed first."""
        try:
            container_id = await self.node.engine.create(body, name)
        except Conflict:
            left = from_inspect(await self.node.engine.inspect(name))
            if left.labels.get(labels.NODE) != self.node.name:
                raise
            await self.node.engine.remove(left.id)
            container_id = await self.node.engine.create(body, name)
        own = body["Labels"]
        assert isinstance(own, dict)
        container = Container(container_id, own, State.CREATED, self._image_name(own), image.id, time.time())
        self.node.inventory.put(container)
        return container_id

    def _image_name(self, own: Mapping[str, str]) -> str:
        spec = self.spec_or_none(own.get(labels.CONTAINER_NAME, ""))
        return self.node.ground.pause_image if spec is None else spec.image or ""

    async def _start(self, container_id: str) -> None:
        """Start it. A program that can't be run counts as one that ended, as Kubernetes has it."""
        asked_at = time.time()
        try:
            await self.node.engine.start(container_id)
        except (Unreachable, Hung):
            raise
        except EngineError as error:
            known = self.node.inventory.get(container_id)
            if known is not None:
                at = time.time()
                ended = replace(
                    known,
                    state=State.EXITED,
                    error=str(error),
                    exit_code=START_ERROR_CODE,
                    started_at=at,
                    finished_at=at,
                )
                self.node.inventory.put(ended)
                self.say("Warning", "Failed", f"Error: {error}", known.name)
            return
        self.node.inventory.start_called(container_id, asked_at)

    async def signal(self, container: Container) -> None:
        """Ask it to end, by the signal that it wants for that."""
        spec = self.spec_or_none(container.name)
        await self.node.engine.kill(container.id, await self._stop_signal(spec, container))

    async def _stop_signal(self, spec: core_v1.Container | None, container: Container) -> str:
        if spec is not None and spec.lifecycle is not None and spec.lifecycle.stopSignal:
            return spec.lifecycle.stopSignal
        image = await self.node.images.describe(container.image_id) if container.image_id else None
        return image.stop_signal if image is not None and image.stop_signal else "SIGTERM"

    async def kill(self, ids: tuple[str, ...]) -> None:
        await asyncio.gather(*(self.node.engine.kill(each, "SIGKILL") for each in ids))

    async def remove_containers(self, ids: tuple[str, ...]) -> None:
        await self.node.archive.keep(map(self.node.inventory.get, ids), self.node.ground.engine_root)

        async def remove(container_id: str) -> None:
            await self.node.engine.remove(container_id)
            self.node.inventory.removed(container_id)

        await asyncio.gather(*(remove(each) for each in ids))

    async def remove_sandbox(self, sandbox_id: str) -> None:
        network_id = self._network_id(sandbox_id)
        try:
            await self.node.cni.delete(network_id, await self._netns_if_any(sandbox_id, network_id))
        except CniError as error:
            self.say("Warning", "FailedKillPod", f"error killing pod: {error}")
            raise StepFailed("network", "ContainerCreating", str(error)) from error
        await self.remove_containers((sandbox_id,))
        if network_id != sandbox_id:
            await self.node.pool.release(network_id)

    async def _netns_if_any(self, sandbox_id: str, network_id: str) -> str:
        """The path of the sandbox's namespace; without it the plugins free what they can."""
        if network_id != sandbox_id:
            return self.node.pool.netns(network_id)
        known = self.node.inventory.get(sandbox_id)
        if known is None or known.state is not State.RUNNING or self.node.cni.cached(network_id) is None:
            return ""
        try:
            return await self._netns(sandbox_id)
        except EngineError:
            return ""  # it has ended

    async def read_end(self, container: Container) -> None:
        """Take what a container that has ended left to say into its record."""
        spec = self.spec_or_none(container.name)
        said = await last_words(self.folder, spec, container, self.node.ground.engine_root)
        if said:
            self.node.inventory.annotate(container.id, said)

    async def clean_up(self) -> None:
        """Take the pod's folder, mounts and cgroups away. Raises StepFailed."""
        try:
            await asyncio.to_thread(self.folder.remove)
            await asyncio.to_thread(self.node.cgroups.remove, self.pod)
        except OSError as error:
            raise StepFailed("cleanup", "ContainerCreating", str(error)) from error

    def _name(self, container: str, attempt: int) -> str:
        metadata = self.pod.metadata
        assert metadata is not None
        return docker_name(container, metadata.name or "", metadata.namespace or "", self.uid, attempt)

    def spec_or_none(self, name: str) -> core_v1.Container | None:
        named = [*self.spec.containers, *(self.spec.initContainers or ())]
        found = next((each for each in named if each.name == name), None)
        later = self._ephemeral(name)
        return found if later is None else as_container(later)

    def _ephemeral(self, name: str) -> core_v1.EphemeralContainer | None:
        return next((each for each in self.spec.ephemeralContainers or () if each.name == name), None)

    def _spec_of(self, name: str) -> core_v1.Container:
        spec = self.spec_or_none(name)
        assert spec is not None, f"the pod has no container {name}"
        return spec

    def memory_request(self) -> int:
        return total(self.spec.containers, "requests", "memory")


def _sandbox_failed(what: str, error: Exception) -> Exception:
    """Docker being away says nothing of the pod; anything else is told."""
    if isinstance(error, Unreachable | Hung):
        return error
    message = f"Failed to create pod sandbox: {error}"
    return StepFailed(what, "ContainerCreating", message, "FailedCreatePodSandBox")


def _host_hosts() -> str:
    with open("/etc/hosts", encoding="utf-8", errors="replace") as file:
        return file.read()
