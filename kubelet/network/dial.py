"""Connections to a pod's own localhost: made in its network namespace, used from here.

A socket belongs to the namespace of the thread that creates it, for good. So a thread of its own enters the pod's
namespace, makes the socket, and ends: one that has left the host's network is good for nothing else.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
CONNECT_TIMEOUT = 30.0


def of_process(pid: int) -> Path:
    """The network namespace that a process is in."""
    return Path(f"/proc/{pid}/ns/net")


def _socket_in(namespace: Path, family: socket.AddressFamily) -> socket.socket:
    """A TCP socket in that namespace. Raises OSError."""
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def make() -> None:
        try:
            descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if _libc.setns(descriptor, _CLONE_NEWNET):
                    number = ctypes.get_errno()
                    raise OSError(number, f"the pod's network cannot be entered: {os.strerror(number)}")
            finally:
                os.close(descriptor)
            made.append(socket.socket(family, socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=make, name="dial")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    made[0].setblocking(False)
    return made[0]


async def localhost(namespace: Path, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a port of the pod's localhost, by IPv4 or else by IPv6. Raises OSError with both reasons."""
    reasons: list[str] = []
    for family, host, name in ((socket.AF_INET, "127.0.0.1", "IPv4"), (socket.AF_INET6, "::1", "IPv6")):
        try:
            return await _connected(namespace, family, host, port)
        except TimeoutError:
            reasons.append(f"{name}: timed out")
        except OSError as error:
            why = os.strerror(error.errno).lower() if error.errno else str(error)
            reasons.append(f"{name}: dial {host}:{port}: {why}")
    raise OSError(f'failed to connect to localhost:{port} inside namespace "{namespace}", {", ".join(reasons)}')


async def _connected(
    namespace: Path, family: socket.AddressFamily, host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    own = _socket_in(namespace, family)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await asyncio.get_running_loop().sock_connect(own, (host, port))
            return await asyncio.open_connection(sock=own)
    except BaseException:
        own.close()
        raise
