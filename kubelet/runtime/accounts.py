"""Reads an image's users and groups, once for each image: from its layers where they lie on this machine as folders, or
else from a container that is never started, since the engine shows no other way into an image's files."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Mapping
from typing import Any

from daemon.log import logger
from kubelet.pod.identity import Accounts
from kubelet.runtime import layers
from kubelet.runtime.container import NODE
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import NotFound

log = logger(__name__)

_BODY = {"Cmd": ["none"], "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}}}
FILES = ("/etc/passwd", "/etc/group")
LARGEST = 1 << 20
"""Bytes of a file that are read at most: nobody has so many users."""


class ImageAccounts:
    """What `of` has read stays known as long as the kubelet runs: an image never changes under its id."""

    def __init__(self, engine: Engine, node: str) -> None:
        self._engine = engine
        self._node = node
        self._known: dict[str, Accounts] = {}
        self._reading = asyncio.Lock()

    async def of(self, image_id: str) -> Accounts:
        """Raises EngineError."""
        if image_id not in self._known:
            async with self._reading:
                if image_id not in self._known:
                    self._known[image_id] = await self._read(image_id)
        return self._known[image_id]

    async def _read(self, image_id: str) -> Accounts:
        image = await self._engine.image(image_id)
        try:
            return Accounts.parse(*await asyncio.to_thread(_from_layers, image))
        except layers.Unsure as error:
            log.debug("users are read from a container", image=image_id, why=str(error))
        return Accounts.parse(*await self._from_container(image_id))

    async def _from_container(self, image_id: str) -> list[str]:
        # Without a pod's labels: no inventory takes it for a part of a pod, and `--cleanup` still finds it.
        container_id = await self._engine.create({**_BODY, "Image": image_id, "Labels": {NODE: self._node}}, "")
        try:
            return [await self._file(container_id, path) for path in FILES]
        finally:
            await self._engine.remove(container_id)

    async def _file(self, container_id: str, path: str) -> str:
        """The file's content; nothing if the image has no such file."""
        try:
            return content(await self._engine.archive(container_id, path, LARGEST))
        except NotFound:
            return ""


def _from_layers(image: Mapping[str, Any]) -> list[str]:
    """Raises Unsure."""
    folders = layers.layers(image)
    return [layers.read(folders, path, LARGEST).decode(errors="replace") for path in FILES]


def content(archive: bytes) -> str:
    """Of the first regular file in a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                return file.read().decode(errors="replace")
    return ""
