"""Network namespaces of the kubelet's own, each held by a file that it is mounted on.

Docker takes 60 to 140 ms for a private network namespace; the kernel itself takes less than one. A sandbox joins one of
these by itself (ADR 19).
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
import threading
from pathlib import Path

from kubelet.volumes import mount

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_MS_BIND = 0x1000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1


class Namespaces:
    """The namespaces in one folder, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        return self._folder / name

    def names(self) -> set[str]:
        """All that have a file; the file of one that a reboot has ended is still there."""
        return set(os.listdir(self._folder)) if self._folder.is_dir() else set()

    def exists(self, name: str) -> bool:
        return os.path.ismount(self.path(name))

    async def make(self, name: str) -> None:
        """A namespace whose loopback is up. Raises OSError."""
        await asyncio.get_running_loop().run_in_executor(None, self._make_apart, name)

    def _make_apart(self, name: str) -> None:
        """In a thread of its own, which ends with this: a thread that has left the host's network is good for nothing
        else."""
        failed: list[OSError] = []

        def make() -> None:
            try:
                self._make(name)
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=make, name="netns")
        thread.start()
        thread.join()
        if failed:
            self.remove(name)
            raise failed[0]

    def _make(self, name: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.path(name)
        path.touch(mode=0o600)
        _check(_libc.unshare(_CLONE_NEWNET), "a network namespace cannot be made")
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        own = f"/proc/self/task/{threading.get_native_id()}/ns/net"
        _check(_libc.mount(os.fsencode(own), os.fsencode(path), None, _MS_BIND, None), "it cannot be held by a file")

    def remove(self, name: str) -> None:
        """Let go of it: it ends with its last process. One that is gone is no error. Raises OSError."""
        path = self.path(name)
        if os.path.ismount(path):
            mount.unmount(path)
        path.unlink(missing_ok=True)

    @staticmethod
    def is_alive(process: str) -> bool:
        """Whether the process of a `/proc/<pid>/ns/net` is still there."""
        return os.path.exists(process)

    def is_that_of(self, name: str, process: str) -> bool:
        """Whether a process is in the namespace, by the path of its own namespace's file."""
        try:
            return os.path.samefile(self.path(name), process)
        except OSError:
            return False


def _check(failed: int, what: str) -> None:
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
