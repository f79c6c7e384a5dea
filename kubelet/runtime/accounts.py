"""Reads an image's users and groups, once for each image: from a container of it that is never started, since the
engine shows no other way into an image's files."""

from __future__ import annotations

import asyncio
import io
import tarfile

from kubelet.pod.identity import Accounts
from kubelet.runtime.container import NODE
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import NotFound

_BODY = {"Cmd": ["none"], "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}}}
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
        # Without a pod's labels: no inventory takes it for a part of a pod, and `--cleanup` still finds it.
        container_id = await self._engine.create({**_BODY, "Image": image_id, "Labels": {NODE: self._node}}, "")
        try:
            return Accounts.parse(*[await self._file(container_id, path) for path in ("/etc/passwd", "/etc/group")])
        finally:
            await self._engine.remove(container_id)

    async def _file(self, container_id: str, path: str) -> str:
        """The file's content; nothing if the image has no such file."""
        try:
            return content(await self._engine.archive(container_id, path, LARGEST))
        except NotFound:
            return ""


def content(archive: bytes) -> str:
    """Of the first regular file in a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                return file.read().decode(errors="replace")
    return ""
