"""Files and folders to and from a container, as tar archives through the standard streams of a `tar` that runs there.

An archive is written or read by a thread of its own through a pipe, so that nothing of it waits in memory.
"""

from __future__ import annotations

import io
import os
import tarfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.errors import StatusError
from kubectl.errors import CliError, Unreachable
from kubectl.kinds import POD
from kubectl.server import object_path
from kubectl.session import Session
from kubectl.streams import paths, remote
from kubectl.streams.remote import Ends

_PIPE = 1 << 20
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
Count = Callable[[int], None]


@dataclass(frozen=True)
class Place:
    """A container to copy to or from."""

    session: Session
    namespace: str
    pod: str
    container: str

    def run(self, command: list[str], ends: Ends) -> int:
        path = object_path(POD, self.namespace, self.pod, "exec")
        return remote.run(self.session, path, remote.query_of(ends, self.container, command), ends)

    def is_folder(self, path: str) -> bool:
        return self.run(["test", "-d", path], Ends(_nothing, _nothing)) == 0

    def complain(self, piece: bytes) -> None:
        self.session.terminal.complain(piece.decode(errors="replace").rstrip("\n"))


def upload(place: Place, source: Path, target: str, *, preserve: bool, count: Count) -> None:
    """Raises CliError, OSError, StatusError."""
    if not os.path.lexists(source):
        raise CliError(f"{source} doesn't exist in local filesystem")
    name = paths.name_of(str(source.absolute()))
    folder, _, called = target.rstrip("/").rpartition("/")
    if target.endswith("/") or not called or place.is_folder(target):
        folder, called = target.rstrip("/") or "/", name
    elif not folder and target.startswith("/"):
        folder = "/"
    flags = [] if preserve else ["--no-same-permissions", "--no-same-owner"]
    command = ["tar", *flags, "-xmf", "-", *(["-C", folder] if folder else [])]
    readable, writable = os.pipe()
    writer = _Thread(lambda: _write_archive(writable, source, called, count))
    try:
        code = place.run(command, Ends(_nothing, place.complain, readable))
    finally:
        os.close(readable)
    writer.finish()
    if code:
        raise CliError(f"command terminated with exit code {code}", prefix="", code=code)


def _write_archive(fd: int, source: Path, called: str, count: Count) -> None:
    pipe = _Counted(fd, count)
    try:
        with tarfile.open(fileobj=pipe, mode="w|", bufsize=_PIPE) as archive:
            archive.add(source, called)
    except BrokenPipeError:
        pass  # the tar that reads has ended: early, and its exit code tells, or before the last padding
    finally:
        os.close(fd)


def download(place: Place, source: str, target: Path, *, preserve: bool, retries: int, count: Count) -> None:
    """Raises CliError, OSError, StatusError. What was cut off goes on where it ended, `retries` times (-1: always)."""
    if target.is_dir():
        target = target / paths.name_of(source)
    readable, writable = os.pipe()
    reader = _Thread(lambda: _read_archive(place, readable, source, target, preserve=preserve))
    try:
        _fetch(place, source, writable, retries, count)
    finally:
        os.close(writable)
    reader.finish()


def _fetch(place: Place, source: str, fd: int, retries: int, count: Count) -> None:
    done = failures = 0

    def write(piece: bytes) -> None:
        nonlocal done
        view = memoryview(piece)
        while view:
            view = view[os.write(fd, view) :]
        done += len(piece)
        count(len(piece))

    while True:
        command = ["tar", "cf", "-", source]
        if done:
            command = ["sh", "-c", 'tar cf - "$0" | tail -c +"$1"', source, str(done + 1)]
        try:
            code = place.run(command, Ends(write, place.complain))
        except BrokenPipeError:
            return  # whoever reads the archive says why
        except (Unreachable, StatusError) as problem:
            if failures == retries or not done:
                raise
            time.sleep(min(FIRST_PAUSE * 2.0**failures, LONGEST_PAUSE))
            failures += 1
            place.session.terminal.complain(f"{problem}\nResuming copy at {done} bytes")
            continue
        if code:
            raise CliError(f"command terminated with exit code {code}", prefix="", code=code)
        return


def _read_archive(place: Place, fd: int, source: str, target: Path, *, preserve: bool) -> None:
    found = False
    with os.fdopen(fd, "rb", buffering=_PIPE) as pipe:
        try:
            with tarfile.open(fileobj=pipe, mode="r|") as archive:
                for member in archive:
                    found = True
                    _extract(place, archive, member, source, target, preserve=preserve)
            while pipe.read(_PIPE):
                pass  # the padding after the archive's end
        except tarfile.ReadError as problem:
            if found:
                raise CliError(f"the archive was cut off: {problem}") from problem


def _extract(
    place: Place, archive: tarfile.TarFile, member: tarfile.TarInfo, source: str, target: Path, *, preserve: bool
) -> None:
    """One member, if it stays below the target: what a container sends need not be honest."""
    terminal = place.session.terminal
    below = paths.inside(member.name, source)
    wanted = target / (below or "")
    if below is None or not wanted.parent.resolve().is_relative_to(target.parent.resolve()):
        terminal.complain(f'warning: file "{member.name}" is outside target destination, skipping')
        return
    if member.issym() or member.islnk():
        terminal.complain(
            f'warning: skipping symlink: "{wanted}" -> "{member.linkname}" (consider using "pytheas exec '
            f'-n {place.namespace} {place.pod} -- tar cf - {source} | tar xf -")'
        )
        return
    if not (member.isfile() or member.isdir()):
        return
    if member.isdir() and wanted.is_dir():
        return
    wanted.parent.mkdir(parents=True, exist_ok=True)
    member.name = wanted.name
    if not preserve:
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    try:
        archive.extract(member, wanted.parent, filter="data")
    except tarfile.FilterError as problem:
        terminal.complain(f"warning: {problem}, skipping")


class _Counted(io.RawIOBase):
    """The file that tarfile writes to."""

    def __init__(self, fd: int, count: Count) -> None:
        self._fd, self._count = fd, count

    def write(self, piece: Any) -> int:
        view = memoryview(piece)
        while view:
            view = view[os.write(self._fd, view) :]
        self._count(len(piece))
        return len(piece)


class _Thread(threading.Thread):
    """Work whose failure is told where it is waited for."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._problem: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except (OSError, CliError, tarfile.TarError) as problem:
            self._problem = problem

    def finish(self) -> None:
        """Raises what the work has raised."""
        self.join()
        if self._problem is not None:
            raise self._problem


def _nothing(piece: bytes) -> None:
    pass
