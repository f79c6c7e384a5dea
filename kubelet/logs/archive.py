"""Logs that survive their containers: the end of each, kept for a while when Docker's own copy goes.

`<root>/logs-archive/<namespace>/<workload>/<uid>_<container>_<attempt>.log`: a line that says whose it is, then the
lines of Docker's file as they were. What is kept is all on the disk, so a restart of the kubelet changes nothing.
Bounded by workload (the last few megabytes of all its pods on this node), by node and by age, the oldest going first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from api import quantity
from daemon.log import logger
from kubelet.logs.files import LogReader, log_path
from kubelet.options import Options
from kubelet.runtime.container import WORKLOAD, Container

log = logger(__name__)

PATIENCE = 2.0
"""Seconds that the removal of a container waits for its log to be kept."""
SCARCE = 0.05
"""Nothing more is kept when less of the disk than this is free."""
_COPY_BLOCK = 1 << 20
_WHOLE_TIDY = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes and seconds. With `workload` 0 nothing is kept."""

    workload: int = 10 << 20
    node: int = 1 << 30
    age: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Kept:
    path: Path
    size: int
    at: float

    @property
    def workload(self) -> Path:
        return self.path.parent


class Record(msgspec.Struct, omit_defaults=True):
    """Whose log it is. Times are seconds since the epoch; `size` is told, not stored."""

    namespace: str
    pod: str
    uid: str
    workload: str
    container: str
    attempt: int
    started: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    size: int = 0


def excess(kept: Iterable[Kept], limits: Limits, now: float) -> list[Kept]:
    """What has to go: pure. Young ones stay before old ones, whoever they belong to."""
    total, by_workload, gone = 0, dict[Path, int](), list[Kept]()
    for each in sorted(kept, key=lambda each: each.at, reverse=True):
        mine = by_workload.get(each.workload, 0) + each.size
        if now - each.at > limits.age or mine > limits.workload or total + each.size > limits.node:
            gone.append(each)
            continue
        by_workload[each.workload] = mine
        total += each.size
    return gone


class Archive:
    def __init__(self, root: Path, limits: Limits) -> None:
        self._root, self._limits = root / "logs-archive", limits
        self._whole_at = 0.0

    async def keep(self, containers: Iterable[Container | None], engine_root: Path) -> None:
        """Keep the ends of their logs. Neither a full disk nor a slow one stands in the way of what comes next."""
        wanted = [each for each in containers if each is not None and not each.is_sandbox]
        if not (wanted and self._limits.workload):
            return
        try:
            await asyncio.wait_for(asyncio.to_thread(self._keep, wanted, engine_root), PATIENCE)
        except (OSError, TimeoutError) as error:
            log.warning("a removed container's log is not kept", pod=wanted[0].pod_name, error=str(error))

    async def sweep(self) -> None:
        """Let go of what has become too old."""
        try:
            await asyncio.to_thread(self.tidy, ())
        except OSError as error:
            log.warning("old logs could not be removed", error=str(error))

    def _keep(self, containers: list[Container], engine_root: Path) -> None:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o750)
        usage = shutil.disk_usage(self._root)
        if usage.free < usage.total * SCARCE:
            raise OSError("the disk is nearly full")
        folders = set()
        for each in containers:
            record = record_of(each)
            folder = self._root / record.namespace / quote(record.workload, safe="")
            target = folder / f"{record.uid}_{record.container}_{record.attempt}.log"
            if not target.exists() and self._copy(record, log_path(engine_root, each.id), target):
                folders.add(folder)
        self.tidy(folders)

    def _copy(self, record: Record, source: Path, target: Path) -> bool:
        try:
            reader = LogReader(source, last=self._limits.workload - 1024)
        except FileNotFoundError:
            return False
        try:
            block = reader.read(_COPY_BLOCK)
            if not block:
                return False
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            half = target.with_suffix(".part")
            with half.open("wb") as file:
                file.write(msgspec.json.encode(record) + b"\n")
                while block:
                    file.write(block)
                    block = reader.read(_COPY_BLOCK)
            os.replace(half, target)
            return True
        finally:
            reader.close()

    def tidy(self, folders: Iterable[Path]) -> None:
        """Hold these workloads to their limit, and once a minute the whole."""
        now = time.time()
        whole = now - self._whole_at > _WHOLE_TIDY
        if whole:
            self._whole_at = now
        found = _files([self._root]) if whole else _files(folders)
        for each in excess(found, self._limits, now):
            each.path.unlink(missing_ok=True)
            if not any(each.workload.iterdir()):
                each.workload.rmdir()

    def records(self, namespace: str, pod: str = "", workload: str = "") -> list[Record]:
        """What is kept of a namespace (all of them if it is empty), the oldest first."""
        found = []
        for each in sorted(_files([self._root / namespace]), key=lambda each: each.at):
            record = _read(each)
            if record is not None and pod in ("", record.pod) and workload in ("", record.workload):
                found.append(record)
        return found

    def find(self, namespace: str, uid: str, container: str, attempt: str) -> Path | None:
        wanted = f"{uid}_{container}_{attempt}.log"
        return next((each.path for each in _files([self._root / namespace]) if each.path.name == wanted), None)


def record_of(container: Container) -> Record:
    return Record(
        namespace=container.namespace,
        pod=container.pod_name,
        uid=container.pod_uid,
        workload=container.labels.get(WORKLOAD) or f"Pod/{container.pod_name}",
        container=container.name,
        attempt=container.attempt,
        started=container.started_at,
        finished=container.finished_at or time.time(),
        exit_code=container.exit_code,
    )


def _files(folders: Iterable[Path]) -> Iterator[Kept]:
    for folder in folders:
        for path in folder.rglob("*.log"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield Kept(path, status.st_size, status.st_mtime)


def _read(kept: Kept) -> Record | None:
    try:
        with kept.path.open("rb") as file:
            record = msgspec.json.decode(file.readline(64 * 1024), type=Record)
    except (OSError, msgspec.DecodeError) as error:
        log.debug("a kept log cannot be read", path=str(kept.path), error=str(error))
        return None
    record.size = kept.size
    return record


def limits(options: Options) -> Limits:
    """As the kubelet's flags have them. Raises ValueError."""
    size, whole = (quantity.value(each) for each in (options.deleted_logs_max_size, options.deleted_logs_max_total))
    return Limits(size, whole, float(options.deleted_logs_max_age))
