"""Gathers what one container is made from, the node's part and the API server's, into Docker's create call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from api.types import core_v1
from kubelet.images.images import Image
from kubelet.lifecycle.restart import spec_hash
from kubelet.mounts import container_mounts
from kubelet.node_context import NodeContext
from kubelet.pod import env_file
from kubelet.pod.create import Wanted, container_body
from kubelet.pod.env import environment, file_references
from kubelet.pod.fields import Facts
from kubelet.pod.identity import Accounts, identity
from kubelet.pod.problem import ConfigError, CreateError
from kubelet.runtime.container import RUNTIME
from kubelet.runtime.devices import host_devices
from kubelet.runtime.errors import EngineError, Hung, Unreachable
from kubelet.volumes.folders import PodFolder


async def gather(
    node: NodeContext,
    pod: core_v1.Pod,
    container: core_v1.Container,
    folder: PodFolder,
    image: Image,
    sandbox_id: str,
    attempt: int,
    facts: Facts,
) -> dict[str, object]:
    """Raises ConfigError, OSError when something can't be read, Unreachable or Hung when Docker is away."""
    assert pod.spec is not None
    objects, accounts = await asyncio.gather(node.objects(pod), _accounts(node, image))
    asked = file_references(container)
    files = await asyncio.to_thread(_env_files, pod.spec, asked, folder) if asked else {}
    env = environment(pod, container, facts, objects, node.services(pod), files)
    mounts = await asyncio.to_thread(container_mounts, pod.spec, container, folder, attempt, env)
    user = identity(pod, container, image.user, accounts)
    privileged = container.securityContext is not None and container.securityContext.privileged
    devices = await asyncio.to_thread(host_devices) if privileged and node.ground.capabilities else ()
    sandbox = node.inventory.get(sandbox_id)
    runtime = sandbox.labels.get(RUNTIME, "") if sandbox is not None else ""
    hashed = spec_hash(container)
    wanted = Wanted(sandbox_id, attempt, image.id, hashed, env, mounts, user, devices, image.digest, runtime)
    return container_body(pod, container, wanted, node.ground)


async def _accounts(node: NodeContext, image: Image) -> Accounts:
    """Raises CreateError, Unreachable, Hung."""
    try:
        return await node.accounts.of(image.id)
    except (Unreachable, Hung):
        raise
    except EngineError as error:
        raise CreateError(f"the image's users cannot be read: {error}") from error


def _env_files(
    spec: core_v1.PodSpec, asked: Iterable[tuple[str, str]], folder: PodFolder
) -> Mapping[tuple[str, str], str | None]:
    """What the files hold that the container's variables come from, by volume and path; None for one that is not
    there. Raises ConfigError."""
    volumes = {each.name: each for each in spec.volumes or ()}
    found: dict[tuple[str, str], str | None] = {}
    for name, path in asked:
        if name not in volumes:
            raise ConfigError(f'cannot find the volume "{name}" referenced by FileKeyRef')
        found[name, path] = env_file.read(folder.place(volumes[name]).path, path)
    return found
