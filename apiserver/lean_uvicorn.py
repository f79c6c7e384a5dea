"""uvicorn, imported at less cost: everything of it that the API server uses comes from here.

uvicorn's own package loads its command line and its supervisors of several processes, which nobody needs who has a
server of his own: 20 ms of the start, and 2 MB. While it is imported, an empty module stands in for them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_COMMAND_LINE = "uvicorn.main"


@contextmanager
def _without_command_line() -> Iterator[None]:
    if "uvicorn" in sys.modules:
        yield
        return
    stand_in = ModuleType(_COMMAND_LINE)
    stand_in.__dict__.update(dict.fromkeys(("Server", "main", "run")))
    sys.modules[_COMMAND_LINE] = stand_in
    try:
        yield
    finally:
        del sys.modules[_COMMAND_LINE]


with _without_command_line():
    import uvicorn
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.server import Server

uvicorn.Server = Server  # type: ignore[misc]

__all__ = ["FlowControl", "HttpToolsProtocol", "uvicorn"]
