"""An ASGI application that is imported when somebody first asks it for something.

FastAPI and its models take a fifth of the API server's start, and the daemons, who wait for resources, ask for no page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from apiserver.endpoints.http import Asgi, Receive, Scope, Send


class Later:
    """Stands for the application that `make` returns; `make` is called once, in a thread."""

    def __init__(self, make: Callable[[], Asgi]) -> None:
        self._make = make
        self._made: asyncio.Task[Asgi] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(self._make), name="pages")
        app = await asyncio.shield(self._made)  # whoever waits may go; the others still want it
        await app(scope, receive, send)
