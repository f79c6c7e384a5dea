"""Pulls: one after the other or several at once, the same image once for all who wait for it, given up when they come
to a standstill."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon.log import logger
from kubelet.images.keyring import Credential
from kubelet.images.names import ImageName
from kubelet.images.progress import Progress
from kubelet.runtime.engine import PULLS, Engine
from kubelet.runtime.errors import EngineError, Hung, Unreachable

log = logger(__name__)

TELL_EVERY = 10.0
"""Seconds between two words on a pull that is under way."""
PROGRESS_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Pulled:
    """A pull that succeeded: the seconds it took, and the credential that was accepted."""

    seconds: float
    credential: Credential | None


@dataclass
class _Shared:
    """One pull and how many wait for it."""

    key: tuple[str, tuple[Credential, ...]]
    progress: Progress
    task: asyncio.Task[Pulled] = field(init=False)
    waiting: int = 0


@dataclass
class Allowance:
    """`rate` pulls a second, `burst` at once; a rate of 0 is no limit. Kubernetes' registryPullQPS."""

    rate: float = 0.0
    burst: int = 10
    _left: float = field(init=False)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._left = float(self.burst)

    def take(self, now: float) -> bool:
        self._left = min(float(self.burst), self._left + (now - self._at) * self.rate)
        self._at = now
        if self.rate and self._left < 1:
            return False
        self._left -= 1
        return True


class Puller:
    """`at_once` pulls at a time; 1 is Kubernetes' `serializeImagePulls`, 0 as many as the engine takes."""

    def __init__(
        self,
        engine: Engine,
        *,
        at_once: int = 1,
        deadline: float = PROGRESS_DEADLINE,
        allowance: Allowance | None = None,
    ) -> None:
        self._engine, self._deadline = engine, deadline
        self._allowance = allowance or Allowance()
        self._places = asyncio.Semaphore(min(at_once or PULLS, PULLS))
        self._running: dict[tuple[str, tuple[Credential, ...]], _Shared] = {}

    async def pull(self, image: ImageName, credentials: Sequence[Credential], tell: Callable[[str], None]) -> Pulled:
        """Pull an image with the first credential that is accepted. `tell` hears now and then how far it is.

        Who waits with the same credentials shares one pull; it ends when the last of them waits no more. Raises
        EngineError, or Unreachable when Docker is away.
        """
        shared = self._share(image, tuple(credentials))
        shared.waiting += 1
        try:
            return await self._wait(shared, tell)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                if self._running.get(shared.key) is shared:
                    del self._running[shared.key]
                shared.task.cancel()

    def _share(self, image: ImageName, credentials: tuple[Credential, ...]) -> _Shared:
        key = (str(image), credentials)
        shared = self._running.get(key)
        if shared is None or shared.task.done():
            shared = self._running[key] = _Shared(key, Progress(time.monotonic()))
            work = self._in_turn(image, credentials, shared.progress)
            shared.task = asyncio.create_task(work, name=f"pull {image}")
        return shared

    async def _wait(self, shared: _Shared, tell: Callable[[str], None]) -> Pulled:
        told = ""
        while True:
            done, _ = await asyncio.wait({shared.task}, timeout=TELL_EVERY)
            if done:
                return shared.task.result()
            text = shared.progress.text
            if text and text != told:
                told = text
                tell(text)

    async def _in_turn(self, image: ImageName, credentials: tuple[Credential, ...], progress: Progress) -> Pulled:
        async with self._places:
            began = progress.at = time.monotonic()
            if not self._allowance.take(began):
                raise EngineError("pull QPS exceeded")
            refused: list[str] = []
            for credential in credentials or (None,):
                try:
                    await self._once(image, credential, progress)
                    return Pulled(time.monotonic() - began, credential)
                except Unreachable:
                    raise
                except EngineError as error:
                    refused.append(str(error))
            told = list(dict.fromkeys(refused))
            raise EngineError(told[0] if len(told) == 1 else f"[{', '.join(told)}]")

    async def _once(self, image: ImageName, credential: Credential | None, progress: Progress) -> None:
        auth = credential.auth() if credential is not None else None
        try:
            lines = await self._engine.pull(image.repository, image.digest or image.tag, auth, self._deadline)
        except Hung:
            raise self._given_up() from None
        watchdog = asyncio.create_task(self._watch(progress, lines.close))
        try:
            async for line in lines:
                if "error" in line:
                    raise EngineError(str(line["error"]))
                progress.take(line, time.monotonic())
        finally:
            watchdog.cancel()
            lines.close()
            with contextlib.suppress(asyncio.CancelledError):
                await watchdog
        if watchdog.done() and not watchdog.cancelled():
            raise self._given_up()

    def _given_up(self) -> EngineError:
        return EngineError(f"the pull made no progress for {self._deadline:g} s and was given up")

    async def _watch(self, progress: Progress, give_up: Callable[[], None]) -> None:
        """Returns once the pull has stood still for too long."""
        left = self._deadline
        while left > 0:
            await asyncio.sleep(left)
            left = progress.at + self._deadline - time.monotonic()
        give_up()
