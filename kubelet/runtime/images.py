"""Pull policies, and what an image says of itself. Present images are remembered until Docker tells that images
changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError, Hung, NotFound, Unreachable


@dataclass(frozen=True, slots=True)
class Image:
    """What matters of an image: its id, and what its config says of processes."""

    id: str
    user: str = ""
    stop_signal: str = ""


class ImageError(Exception):
    """The image can't be had; `reason` is the container's waiting reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


Say = Callable[[str, str, str], None]
"""Tells an event: type, reason, message."""


class Images:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._present: dict[str, Image] = {}
        self.on_change: Callable[[], None] = lambda: None

    def changed(self) -> None:
        """Images came or went: what is present is asked anew."""
        self._present.clear()
        self.on_change()

    async def present(self, reference: str, policy: str, say: Say) -> Image | None:
        """The image if it is here and the policy is content with that; None if it has to be pulled.

        Raises ImageError, or Unreachable when Docker is away.
        """
        if policy == "Always":
            return None
        image = await self._find(reference)
        if image is not None:
            say("Normal", "Pulled", f'Container image "{reference}" already present on machine')
        elif policy == "Never":
            message = f'Container image "{reference}" is not present with pull policy of Never'
            say("Warning", "ErrImageNeverPull", message)
            raise ImageError("ErrImageNeverPull", message)
        return image

    async def describe(self, image_id: str) -> Image | None:
        """What a container's own image says, by its id."""
        return await self._find(image_id)

    async def _find(self, reference: str) -> Image | None:
        known = self._present.get(reference)
        if known is not None:
            return known
        try:
            body = await self._engine.image(reference)
        except NotFound:
            return None
        except EngineError as error:
            if isinstance(error, Unreachable | Hung):
                raise
            raise ImageError("InvalidImageName", f'couldn\'t parse image name "{reference}": {error}') from error
        image = _image(body)
        self._present[reference] = image
        return image

    async def pull(self, reference: str, say: Say) -> Image:
        """Fetch the image. Raises ImageError, or Unreachable when Docker is away."""
        say("Normal", "Pulling", f'Pulling image "{reference}"')
        began = time.monotonic()
        try:
            await self._engine.pull(_with_tag(reference))
        except Unreachable:
            raise
        except EngineError as error:
            say("Warning", "Failed", f'Failed to pull image "{reference}": {error}')
            say("Warning", "Failed", "Error: ErrImagePull")
            raise ImageError("ErrImagePull", f'failed to pull image "{reference}": {error}') from error
        self._present.pop(reference, None)
        image = await self._find(reference)
        if image is None:
            raise ImageError("ErrImagePull", f'image "{reference}" is not there after its pull')
        say("Normal", "Pulled", f'Successfully pulled image "{reference}" in {time.monotonic() - began:.3f}s')
        return image


def _with_tag(reference: str) -> str:
    """A pull without tag or digest would fetch every tag."""
    last = reference.rpartition("/")[2]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


def _image(body: Mapping[str, Any]) -> Image:
    config = body.get("Config") or {}
    return Image(id=body["Id"], user=config.get("User") or "", stop_signal=config.get("StopSignal") or "")
