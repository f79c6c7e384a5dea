"""How a daemon's process starts and ends: the event loop, the signals, the garbage collector, the exit code."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from daemon.fatal import Fatal
from daemon.log import logger

log = logger(__name__)

STOP_DEADLINE = 15.0
"""Seconds a daemon has for its clean stop after the signal; then it goes at once, and no supervisor waits in vain."""


def main(coro_fn: Callable[[], Coroutine[Any, Any, None]], *, stop_deadline: float = STOP_DEADLINE) -> int:
    """Run `coro_fn()` until it returns or SIGTERM or SIGINT cancels it. Returns the exit code for `sys.exit`.

    0 after a clean end or a signal, 1 after an error (logged with its traceback): a supervisor then starts it anew.
    """
    _keep_large_blocks_apart()
    # Object caches are large and long-lived: collecting rarely halves the time to decode them.
    gc.set_threshold(100_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_supervise(coro_fn, stop_deadline))


_M_MMAP_THRESHOLD = -3  # malloc.h


def _keep_large_blocks_apart() -> None:
    """Have glibc give each block of 256 KiB and more pages of its own, for good, and no smaller one.

    By default it stops doing so once such a block was freed. Then the read buffers of TLS connections, 256 KiB each of
    which a page is used, come from the heap, and a connection holds 51 KB instead of 31.
    """
    _malloc("mallopt", _M_MMAP_THRESHOLD, 256 * 1024)


def _malloc(function: str, *arguments: int) -> None:
    """Call one of glibc's own functions, where the C library is glibc."""
    try:
        getattr(ctypes.CDLL(None), function)(*arguments)
    except AttributeError:
        log.debug("this C library has no such function", function=function)


async def _supervise(coro_fn: Callable[[], Coroutine[Any, Any, None]], stop_deadline: float) -> int:
    loop = asyncio.get_running_loop()
    task = loop.create_task(coro_fn(), name="main")
    stopping = False

    def stop(name: str) -> None:
        nonlocal stopping
        if stopping:
            log.warning("asked to stop again, leaving at once", signal=name)
            os._exit(1)
        stopping = True
        log.info("stopping", signal=name)
        loop.call_later(stop_deadline, _give_up, stop_deadline)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    try:
        await task
    except asyncio.CancelledError:
        if not stopping:
            raise
    except (Fatal, ExceptionGroup) as error:
        said = _fatal_in(error)
        if said is None:
            log.exception("ended by an error")
        else:
            log.error(str(said))
        return 1
    except Exception:  # the process's last resort: whatever it was, it is logged, and the exit code says so
        log.exception("ended by an error")
        return 1
    return 0


def _fatal_in(error: Exception) -> Fatal | None:
    """The error that says it all, also if tasks that ran beside it ended by it as well."""
    if not isinstance(error, ExceptionGroup):
        return error if isinstance(error, Fatal) else None
    found = error.subgroup(Fatal)
    return next((_fatal_in(each) for each in found.exceptions), None) if found is not None else None


def _give_up(deadline: float) -> None:
    log.error("the clean stop took too long, leaving at once", seconds=deadline)
    os._exit(1)


def freeze() -> None:
    """Call once when a daemon has started: what is alive now stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    _malloc("malloc_trim", 0)  # what starting took and does not need any more
