"""An archive on its way to one node: ask what is there, send the rest, and say how far it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from api.errors import StatusError
from kubectl.errors import CliError
from kubectl.images.archive import Archive, Parcel, parcel
from kubectl.images.nodes import NodeImages

PIECE = 256 << 10
ROOM = 2
"""Docker unpacks the archive, then copies its layers: for a moment it takes the space twice."""


@dataclass
class Way:
    """How far one node's part is. Written by the thread that sends, read by the one that shows."""

    total: int = 0
    sent: int = 0

    @property
    def text(self) -> str:
        if not self.total:
            return "asking"
        return f"{100 * self.sent // self.total}%" if self.sent < self.total else "unpacking"


@dataclass
class Delivery:
    """One archive for several nodes."""

    file: BinaryIO
    archive: Archive
    ways: dict[str, Way] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def to(self, node: str, images: NodeImages) -> tuple[list[str], Parcel]:
        """Load the archive on a node; what Docker has loaded, and what was sent. Raises CliError, StatusError."""
        way = self.ways[node]
        present, free = images.layers([layer.chain for layer in self.archive.layers])
        sending = parcel(self.archive, present)
        if free is not None and sending.size * ROOM > free:
            needed = f"{megabytes(sending.size * ROOM)} are needed, {megabytes(free)} are left"
            raise CliError(f"not enough room on the disk of Docker: {needed}")
        try:
            return self._send(images, sending, way), sending
        except StatusError as error:
            if not sending.skipped or "no such file" not in error.message:
                raise
        # A layer that was there when we asked is gone by now: an image was removed meanwhile.
        sending = parcel(self.archive, ())
        return self._send(images, sending, way), sending

    def _send(self, images: NodeImages, sending: Parcel, way: Way) -> list[str]:
        way.total, way.sent = sending.size, 0
        return images.load(self._pieces(sending, way), sending.size)

    def _pieces(self, sending: Parcel, way: Way) -> Iterator[bytes]:
        for start, length in sending.ranges:
            at, end = start, start + length
            while at < end:
                if self.stopped.is_set():
                    raise CliError("interrupted")
                # Several threads read the same file: each says where.
                piece = os.pread(self.file.fileno(), min(PIECE, end - at), at)
                if not piece:
                    raise CliError("the archive was cut off while it was being sent")
                at += len(piece)
                yield piece
                way.sent += len(piece)
        yield sending.tail
        way.sent += len(sending.tail)


def megabytes(size: int) -> str:
    """`8.4 MB`, `310 kB`, `1.20 GB`, as Docker prints sizes."""
    for unit, name, digits in ((10**9, "GB", 2), (10**6, "MB", 1), (10**3, "kB", 0)):
        if size >= unit:
            return f"{size / unit:.{digits}f} {name}"
    return f"{size} B"
