"""httpx on aiohttp's transport, imported at less cost: without httpx's command line, which no daemon has a use for.

Wherever rich, click and pygments happen to be installed, httpx imports all three for it: 5 MB and 50 ms in each daemon.
A module that `sys.modules` knows as None cannot be imported (Python's reference, 5.3.1), and httpx does without it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, cast

from daemon import aio

_COMMAND_LINE = "httpx._main"


@contextmanager
def _without_command_line() -> Iterator[None]:
    modules = cast(MutableMapping[str, Any], sys.modules)
    known = modules.get(_COMMAND_LINE)
    modules[_COMMAND_LINE] = known
    try:
        yield
    finally:
        if known is None:
            del modules[_COMMAND_LINE]


aiohttp = aio.aiohttp  # first, since httpx's transport imports it too
with _without_command_line():
    import httpx
    from httpx_aiohttp import AiohttpTransport

__all__ = ["AiohttpTransport", "aiohttp", "httpx"]
