"""A container's image: present or pulled, by its policy. What Docker says of present images is remembered until images
change."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from api.types import core_v1
from kubelet.images import metrics
from kubelet.images.grants import Grants
from kubelet.images.keyring import Credential, find
from kubelet.images.names import ImageName, ImageNameError, parse
from kubelet.images.progress import duration
from kubelet.images.pull import Puller
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError, Hung, NotFound, Unreachable


@dataclass(frozen=True, slots=True)
class Image:
    """What matters of an image: its id, and what its config says of processes."""

    id: str
    user: str = ""
    stop_signal: str = ""
    digest: str = ""
    """`repository@sha256:…` if it came from a registry."""
    size: int = 0

    @property
    def shown(self) -> str:
        """As a container's status tells its imageID."""
        return f"docker-pullable://{self.digest}" if self.digest else f"docker://{self.id}"


class ImageError(Exception):
    """The image can't be had; `reason` is the container's waiting reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Say(Protocol):
    """Tells an event. What belongs to one series replaces what was said in it before."""

    def __call__(self, kind: str, reason: str, message: str, *, series: str = "") -> None: ...


Warn = Callable[[str, str], None]
"""Tells a pod's warning: reason, message."""


async def no_credentials(pod: core_v1.Pod, warn: Warn) -> Sequence[Credential]:
    return ()


class Images:
    def __init__(self, engine: Engine, puller: Puller | None = None, grants: Grants | None = None) -> None:
        self._engine = engine
        self._puller = puller or Puller(engine)
        self.grants = grants or Grants()
        self._present: dict[str, Image] = {}
        self._changes = 0
        self.credentials: Callable[[core_v1.Pod, Warn], Awaitable[Sequence[Credential]]] = no_credentials
        """Fetches what may open a registry for a pod; asked only when something has to be pulled."""
        self.on_change: Callable[[], None] = lambda: None
        self.brought: Callable[[str, str], None] = lambda image_id, name: None
        """Told of an image that came by a pull: its id and the name it was pulled by."""

    def changed(self) -> None:
        """Images came or went: what is present is asked anew."""
        self._present.clear()
        self._changes += 1
        self.on_change()

    async def present(self, reference: str, policy: str, say: Say, pod: core_v1.Pod, warn: Warn) -> Image | None:
        """The image if it is here, the pod may use it, and the policy is content with that; None if it has to be
        pulled.

        Raises ImageError, or Unreachable when Docker is away.
        """
        name = self._parsed(reference, say)
        if policy == "Always":
            return None
        image = await self._find(name, reference, say)
        if image is not None and self.grants.concerns(image.id, name):
            known = find(await self.credentials(pod, warn), name)
            image = image if self.grants.allows(image.id, name, known) else None
        if image is not None:
            where = "already present on machine and can be accessed by the pod"
            say("Normal", "Pulled", f'Container image "{reference}" {where}')
        elif policy == "Never":
            # In the same words whether it isn't there or isn't this pod's: that it is there is nobody else's business.
            message = f'Container image "{reference}" is not present with pull policy of Never'
            say("Warning", "ErrImageNeverPull", message)
            raise _failed(say, "ErrImageNeverPull", message)
        return image

    async def offers(self, reference: str) -> bool:
        """Whether the image is here, for everybody. Raises EngineError."""
        try:
            name = parse(reference)
        except ImageNameError:
            return False
        image = await self._ask(str(name))
        return image is not None and not self.grants.concerns(image.id, name)

    async def loaded(self, reference: str) -> str:
        """An administrator has brought the image: every pod may use it. Its id. Raises EngineError."""
        image_id = str((await self._engine.image(reference))["Id"])
        self.grants.open(image_id)
        return image_id

    async def describe(self, image_id: str) -> Image | None:
        """What a container's own image says, by its id. Raises EngineError."""
        return await self._ask(image_id)

    def _parsed(self, reference: str, say: Say) -> ImageName:
        try:
            return parse(reference)
        except ImageNameError as error:
            message = (
                f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": {error}'
            )
            say("Warning", "InspectFailed", message)
            raise _failed(say, "InvalidImageName", message) from error

    async def _find(self, name: ImageName, reference: str, say: Say) -> Image | None:
        try:
            return await self._ask(str(name))
        except (Unreachable, Hung):
            raise
        except EngineError as error:
            message = f'Failed to inspect image "{reference}": {error}'
            say("Warning", "InspectFailed", message)
            raise _failed(say, "ImageInspectError", message) from error

    async def _ask(self, reference: str) -> Image | None:
        known = self._present.get(reference)
        if known is not None:
            return known
        seen = self._changes
        try:
            image = _image(await self._engine.image(reference))
        except NotFound:
            return None
        if seen == self._changes:  # else the answer may be older than the change
            self._present[reference] = image
        return image

    async def pull(self, reference: str, say: Say, pod: core_v1.Pod, warn: Warn) -> Image:
        """Fetch the image for a pod. Raises ImageError, or Unreachable when Docker is away."""
        name = self._parsed(reference, say)
        fitting = find(await self.credentials(pod, warn), name)
        say("Normal", "Pulling", f'Pulling image "{reference}"')
        began = time.monotonic()
        self.grants.begin(name)
        try:
            before = await self._ask(str(name))
            pulled = await self._puller.pull(name, fitting, partial(_tell, reference, say))
            self._present.pop(str(name), None)
            image = await self._ask(str(name))
            if image is None:
                raise EngineError("the image is not there after its pull")
            self.grants.pulled(image.id, name, pulled.credential)
        except Unreachable:
            raise
        except EngineError as error:
            say("Warning", "Failed", f'Failed to pull image "{reference}": {error}')
            raise _failed(say, "ErrImagePull", str(error)) from error
        finally:
            self.grants.end(name)
        waited = time.monotonic() - began
        metrics.PULLS.labels(metrics.size_bucket(image.size)).observe(waited)
        # Who joins a pull that is under way waits for less than all of it.
        spoken = f"{duration(min(pulled.seconds, waited))} ({duration(waited)} including waiting)"
        said = f'Successfully pulled image "{reference}" in {spoken}. Image size: {image.size} bytes.'
        say("Normal", "Pulled", said)
        if before is None or before.id != image.id:
            self.brought(image.id, str(name))
        return image


def _failed(say: Say, reason: str, message: str) -> ImageError:
    say("Warning", "Failed", f"Error: {reason}")
    return ImageError(reason, message)


def _tell(reference: str, say: Say, text: str) -> None:
    say("Normal", "Pulling", f'Pulling image "{reference}": {text}', series="progress")


def _image(body: Mapping[str, Any]) -> Image:
    config, digests = body.get("Config") or {}, body.get("RepoDigests") or ()
    return Image(
        id=body["Id"],
        user=config.get("User") or "",
        stop_signal=config.get("StopSignal") or "",
        digest=next(iter(digests), ""),
        size=int(body.get("Size") or 0),
    )
