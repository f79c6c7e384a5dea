"""The manifests as they are: read when the kernel tells that the folder changed, and from time to time besides."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.metadata import now, rfc3339
from api.types import core_v1
from daemon.log import logger
from kubelet.static.annotations import Key, key_of, uid_of
from kubelet.static.manifest import BadManifest, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncinotify import Inotify

log = logger(__name__)

SETTLE = 0.1
"""Seconds for more news to arrive: whoever changes a folder seldom changes one file."""
LARGEST = 10 * 1024 * 1024


class Manifests:
    """`on_change(pods)` hears of every change; `on_bad(path, why)` once of each manifest that is no good."""

    def __init__(
        self,
        path: Path,
        node: str,
        on_change: Callable[[dict[Key, core_v1.Pod]], None],
        on_bad: Callable[[str, str], None],
    ) -> None:
        self._path, self._node = path, node
        self._on_change, self._on_bad = on_change, on_bad
        self._good: dict[Path, tuple[bytes, core_v1.Pod]] = {}
        self._bad: dict[Path, str] = {}

    async def run(self, period: float) -> None:
        """For ever. The watch is made anew each time, before the look, so that nothing is missed: the folder may have
        been replaced by another."""
        while True:
            with self._watch() as inotify:
                self.look()
                await self._news(inotify, period)

    def look(self) -> None:
        """Read the folder, and tell what it asks for."""
        files = self._files()
        for gone in [*self._good.keys() - files, *self._bad.keys() - files]:
            self._good.pop(gone, None)
            self._bad.pop(gone, None)
        pods: dict[Key, core_v1.Pod] = {}
        for path in sorted(files):
            self._read(path)
            if path in self._good:
                self._add(pods, path)
        self._on_change(pods)

    def _add(self, pods: dict[Key, core_v1.Pod], path: Path) -> None:
        pod = self._good[path][1]
        same = next((each for each in pods.values() if uid_of(each) == uid_of(pod)), pods.get(key_of(pod)))
        if same is None:
            pods[key_of(pod)] = pod
        else:
            self._complain(path, "another manifest has a pod of the same name or uid")

    def _files(self) -> set[Path]:
        """What may be a manifest: plain files with no dot before their names."""
        try:
            there = list(self._path.iterdir()) if self._path.is_dir() else [self._path]
            return {each for each in there if not each.name.startswith(".") and _is_file(each)}
        except OSError as error:
            log.error("the folder of static pods can't be read", path=str(self._path), error=str(error))
            return {*self._good, *self._bad}

    def _read(self, path: Path) -> None:
        """A manifest that is no good (any more) leaves in place what it last asked for: it may be half written."""
        try:
            if path.stat().st_size > LARGEST:
                raise BadManifest(f"larger than {LARGEST} bytes")
            text = path.read_bytes()
            known = self._good.get(path)
            if known is not None and known[0] == text:
                self._bad.pop(path, None)
                return
            if text.strip():
                self._good[path] = (text, read(text, str(path), self._node, rfc3339(now())))
                self._bad.pop(path, None)
        except (BadManifest, OSError) as error:
            self._complain(path, str(error))

    def _complain(self, path: Path, why: str) -> None:
        if self._bad.get(path) != why:
            self._bad[path] = why
            log.error("could not process a static pod's manifest", path=str(path), error=why)
            self._on_bad(str(path), why)

    @contextmanager
    def _watch(self) -> Iterator[Inotify | None]:
        """News of the folder; None where the kernel gives none (no such folder, no watch left)."""
        from asyncinotify import Inotify, Mask

        events = Mask.CREATE | Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.DELETE
        folder = self._path if self._path.is_dir() else self._path.parent
        with Inotify() as inotify:
            try:
                inotify.add_watch(folder, events | Mask.DELETE_SELF | Mask.MOVE_SELF)
            except OSError as error:
                log.warning("no news of the folder of static pods", path=str(folder), error=str(error))
                yield None
            else:
                yield inotify

    async def _news(self, inotify: Inotify | None, period: float) -> None:
        """Wait for news, and a moment for its company, but no longer than a period."""
        if inotify is None:
            await asyncio.sleep(period)
            return
        try:
            async with asyncio.timeout(period):
                await inotify.get()
        except TimeoutError:
            return
        await asyncio.sleep(SETTLE)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
