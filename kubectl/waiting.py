"""Waiting for one object to become something, by a watch on just that object."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from kubectl.discovery import Resource
from kubectl.errors import CliError
from kubectl.server import Server

ROUND = 240.0
Object = dict[str, Any]


class TimedOut(CliError):
    """The time given by --timeout is over."""


class Deadline:
    """When to give up; 0 seconds means never."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds if seconds > 0 else None

    def left(self) -> float:
        """Seconds for the next round of a watch."""
        return ROUND if self._end is None else min(ROUND, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end


def states(
    server: Server, resource: Resource, namespace: str | None, name: str, deadline: Deadline
) -> Iterator[Object | None]:
    """The object now and after each change; None while it does not exist. Raises TimedOut at the deadline."""
    from api.errors import StatusError

    query = {"fieldSelector": f"metadata.name={name}"}
    while True:
        listed = server.list(resource, namespace, query)
        items = listed.get("items") or [None]
        yield items[0]
        version = listed["metadata"]["resourceVersion"]
        while version:
            if deadline.over:
                raise TimedOut("timed out waiting for the condition")
            limits = {"timeoutSeconds": max(1, round(deadline.left())), "resourceVersion": version}
            try:
                for kind, obj in server.watch(resource, namespace, {**query, **limits}):
                    version = obj["metadata"]["resourceVersion"]
                    if kind != "BOOKMARK":
                        yield None if kind == "DELETED" else obj
                    if deadline.over:
                        break
            except StatusError as error:
                if error.code != 410:
                    raise
                version = ""
