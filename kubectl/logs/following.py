"""`logs -f` beyond one stream: a container's log goes on in its next attempt, and over a server that was away.

The server's stream ends with the container, as Kubernetes has it. So each stream is asked for with times, the last
one seen is remembered, and the next stream begins there; lines that come again are known by their times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from api.errors import StatusError
from kubectl.errors import Unreachable
from kubectl.kinds import POD
from kubectl.logs.sources import Source
from kubectl.server import object_path
from kubectl.session import Session
from kubectl.transport import Query
from kubectl.waiting import Deadline, states

FIRST_PAUSE, LONGEST_PAUSE, TRIES = 0.2, 5.0, 20
Object = dict[str, Any]


@dataclass
class Mark:
    """How far a log was read: the time of its last line, and how many lines of that very time were seen."""

    stamp: str = ""
    lines: int = 0
    repeated: int = 0

    def again(self) -> None:
        """A new stream begins at the time of the mark."""
        self.repeated = self.lines

    def is_new(self, stamp: str) -> bool:
        """Take a line's time into account; whether the line was not there before."""
        if stamp < self.stamp:
            return False
        if stamp > self.stamp:
            self.stamp, self.lines, self.repeated = stamp, 1, 0
            return True
        if self.repeated:
            self.repeated -= 1
            return False
        self.lines += 1
        return True


class Patience:
    """How long a server that is away is waited for. Until something was read, not at all: the user sees why."""

    def __init__(self) -> None:
        self._failures = 0
        self._begun = False

    def rewarded(self) -> None:
        self._failures, self._begun = 0, True

    def tried(self, problem: Exception) -> None:
        """Wait a little, longer each time. Raises the problem when there were too many."""
        self._failures += 1
        if not self._begun or self._failures > TRIES:
            raise problem
        time.sleep(min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE))


def follow(session: Session, source: Source, query: dict[str, Any], write: Callable[[bytes], None]) -> None:
    """Until the container has ended for good, or its pod is gone. Raises StatusError, Unreachable."""
    mark, patience = Mark(), Patience()
    attempt = restarts(source.pod, source.container)
    wanted: dict[str, Any] = {**query, "timestamps": True}
    while True:
        clean = False
        try:
            for line in _lines(session, source, wanted):
                patience.rewarded()
                stamp, _, text = line.partition(b" ")
                if mark.is_new(stamp.decode(errors="replace")):
                    write(line if query.get("timestamps") else text)
            clean = True
        except (Unreachable, StatusError) as problem:
            patience.tried(problem)
        pod = _next(session, source, attempt, clean, patience)
        if pod is None:
            return
        now = restarts(pod, source.container)
        mark.again()
        since = {"sinceTime": mark.stamp, "sinceSeconds": None, "tailLines": None} if mark.stamp else {}
        # What an attempt wrote that nobody listened to: all of one that came and went, the rest of one cut off.
        missed = now > attempt + clean and not wanted.get("previous")
        attempt = now - missed
        wanted = {**query, **since, "timestamps": True, "previous": missed or None}


def _lines(session: Session, source: Source, query: Query) -> Iterator[bytes]:
    rest = b""
    for piece in session.server.lines(object_path(POD, source.namespace, source.name, "log"), query):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


def _next(session: Session, source: Source, attempt: int, clean: bool, patience: Patience) -> Object | None:
    """The pod, once there is more to read of the container; None if there will never be."""
    while True:
        try:
            for pod in states(session.server, POD, source.namespace, source.name, Deadline(0)):
                if pod is None or pod["metadata"]["uid"] != source.pod["metadata"]["uid"]:
                    return None
                if not clean or restarts(pod, source.container) > attempt:
                    return pod
                if is_over(pod, source.container):
                    return None
        except (Unreachable, StatusError) as problem:
            patience.tried(problem)


def restarts(pod: Object, container: str) -> int:
    return int(status_of(pod, container).get("restartCount") or 0)


def status_of(pod: Object, container: str) -> Object:
    status = pod.get("status") or {}
    lists = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    found = (each for name in lists for each in status.get(name) or () if each["name"] == container)
    return next(found, {})


def is_over(pod: Object, container: str) -> bool:
    """Whether a container that has ended will not run again."""
    spec = pod["spec"]
    if pod["metadata"].get("deletionTimestamp") or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return True
    if any(each["name"] == container for each in spec.get("ephemeralContainers") or ()):
        return True
    state = status_of(pod, container).get("state") or {}
    if "terminated" not in state:
        return False
    init = next((each for each in spec.get("initContainers") or () if each["name"] == container), None)
    policy = (init or {}).get("restartPolicy") or spec.get("restartPolicy") or "Always"
    if policy == "Always" and (init is None or init.get("restartPolicy") == "Always"):
        return False
    return policy == "Never" or state["terminated"].get("exitCode") == 0
